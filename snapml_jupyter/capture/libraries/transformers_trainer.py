"""The Trainer of transformers: the loss of every step, what it logs and evaluates, and its arguments."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .patching import Patches

if TYPE_CHECKING:
    from ..watching import Seen

_KEPT_ARGUMENTS = (
    "learning_rate", "num_train_epochs", "max_steps", "per_device_train_batch_size", "gradient_accumulation_steps",
    "weight_decay", "warmup_steps", "lr_scheduler_type", "optim", "max_grad_norm", "seed", "fp16", "bf16",
)  # fmt: skip


class TrainerWatch:
    """`loss` for every step; everything else under the Trainer's own names, at its steps."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._patches = Patches()
        self._training = threading.local()

    def start(self) -> None:
        """Begin. Needs `transformers.trainer` to be loaded."""
        trainer = sys.modules["transformers.trainer"].Trainer
        self._patches.replace(trainer, "train", self._watched_train)
        self._patches.replace(trainer, "training_step", self._watched_step)

    def stop(self) -> None:
        """Give the methods back."""
        self._patches.undo()

    def _watched_train(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def train(trainer: Any, *args: Any, **kwargs: Any) -> Any:
            callback = None
            with self._seen.quietly():
                found = self._seen.target()
                if found is not None:
                    autolog, active = found
                    autolog.note_params(_arguments(trainer.args))
                    self._training.run, self._training.has_losses = active, False
                    callback = self._callback(active)
                    trainer.add_callback(callback)
            try:
                return original(trainer, *args, **kwargs)
            finally:
                if callback is not None:
                    self._training.run = None
                    trainer.remove_callback(callback)

        return train

    def _watched_step(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def training_step(trainer: Any, *args: Any, **kwargs: Any) -> Any:
            loss = original(trainer, *args, **kwargs)
            run = getattr(self._training, "run", None)
            if run is not None:
                with self._seen.quietly():
                    # One for each micro-batch; the Trainer divides them by how many make a step.
                    value = float(loss.detach().item()) * trainer.args.gradient_accumulation_steps
                    run.log_metric("loss", value, trainer.state.global_step)
                    self._training.has_losses = True
            return loss

        return training_step

    def _callback(self, active: Any) -> Any:
        base = sys.modules["transformers.trainer_callback"].TrainerCallback
        seen, training = self._seen, self._training

        class Recorder(base):  # type: ignore[misc,valid-type]  # the library's, which is not imported for types
            """Keeps what the Trainer logs."""

            def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
                with seen.quietly():
                    for name, value in (logs or {}).items():
                        if name == "loss" and training.has_losses:  # the mean of those that are kept one by one
                            continue
                        # How fast it went is no result: it never comes out the same twice.
                        if isinstance(value, (int, float)) and not name.endswith(("_runtime", "_per_second")):
                            active.log_metric(name, value, state.global_step)

        return Recorder()


def _arguments(args: Any) -> dict[str, bool | int | float | str | None]:
    found = {name: getattr(args, name) for name in _KEPT_ARGUMENTS if hasattr(args, name)}
    return {
        name: value if value is None or isinstance(value, (bool, int, float)) else str(getattr(value, "value", value))
        for name, value in found.items()
    }
