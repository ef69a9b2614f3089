"""Training loops in PyTorch: the loss of every `backward()` that the user's code calls, and the optimizer's settings.

Where the loss lies on another device its number is asked for later, many at once, so that watching does not make the
device wait.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .patching import Patches

if TYPE_CHECKING:
    from ...runs.tracking import ActiveRun
    from ..watching import Seen

#: Losses on another device that wait, and how long one does, in seconds.
_MAX_WAITING, _MAX_SECONDS = 64, 1.0
_KEPT_SETTINGS = ("lr", "weight_decay", "momentum", "betas", "nesterov")


class TorchWatch:
    """`loss` for every backward pass, `lr` whenever it changes."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._patches = Patches()
        self._lock = threading.Lock()
        self._waiting: list[tuple[ActiveRun, str, Any, int]] = []
        self._waiting_since = 0.0
        self._optimizers: weakref.WeakKeyDictionary[Any, _Optimizer] = weakref.WeakKeyDictionary()
        self._loop = threading.local()  # whether this thread's last backward pass was the user's

    def start(self) -> None:
        """Begin. Needs `torch.optim.optimizer` to be loaded, and with it torch."""
        self._patches.replace(sys.modules["torch"].Tensor, "backward", self._watched)
        register = getattr(sys.modules["torch.optim.optimizer"], "register_optimizer_step_post_hook", None)
        if register is not None:
            self._patches.on_undo(register(self._stepped).remove)

    def stop(self) -> None:
        """Give the method back, and the losses that wait to their runs."""
        self._patches.undo()
        with self._seen.quietly():
            self._hand_over()

    def _watched(self, original: Callable[..., Any]) -> Callable[..., Any]:
        seen, loop = self._seen, self._loop

        def backward(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(tensor, *args, **kwargs)
            loop.is_users = False
            if tensor.numel() == 1:
                with seen.quietly():
                    self._saw(tensor, sys._getframe(1))
            return result

        return backward

    def _saw(self, loss: Any, caller: Any) -> None:
        found = self._seen.users_target(caller)
        if found is None:
            return
        self._loop.is_users = True
        autolog, active = found
        name = autolog.name_of(active.run_id, "loss", caller)
        if loss.device.type == "cpu":
            active.log_metric(name, loss.item())
            return
        with self._lock:
            if not self._waiting:
                self._waiting_since = time.monotonic()
                active.before_end(self._hand_over)
            self._waiting.append((active, name, loss.detach(), time.time_ns()))
            is_time = len(self._waiting) >= _MAX_WAITING or time.monotonic() - self._waiting_since > _MAX_SECONDS
        if is_time:
            self._hand_over()

    def _hand_over(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for active, name, loss, at_ns in waiting:
            if active.is_active:
                active.log_point(name, float(loss.item()), None, at_ns)

    def _stepped(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if not getattr(self._loop, "is_users", False):
            return
        with self._seen.quietly():
            found = self._seen.target()
            if found is None:
                return
            autolog, active = found
            known = self._optimizers.get(optimizer)
            if known is None or known.run_id != active.run_id:
                ending = autolog.ending_of(f"{active.run_id} optimizer", optimizer)
                known = self._optimizers[optimizer] = _Optimizer(active.run_id, f"lr{ending}")
                name = f"optimizer{ending}"
                autolog.note_params({name: type(optimizer).__name__, **_settings(name, optimizer.defaults)})
            rate = float(optimizer.param_groups[0]["lr"])
            if rate != known.rate:
                known.rate = rate
                active.log_metric(known.metric, rate, known.n_steps)
            known.n_steps += 1


class _Optimizer:
    """What was seen of one."""

    def __init__(self, run_id: str, metric: str) -> None:
        self.run_id = run_id
        self.metric = metric
        self.rate: float | None = None
        self.n_steps = 0


def _settings(prefix: str, defaults: dict[str, Any]) -> dict[str, bool | int | float | str | None]:
    kept = {name: defaults[name] for name in _KEPT_SETTINGS if name in defaults}
    return {
        f"{prefix}__{name}": value if isinstance(value, (bool, int, float)) else str(value)
        for name, value in kept.items()
    }
