"""The card of a cell while it runs: a thread shows what is logged, because the kernel's own is busy with the cell.

It reads the metrics from where they are kept (so logging costs nothing more), draws no random numbers and imports
nothing, because the cell is recorded at the same time. A cell that ends at once never gets one.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..runs.following import MetricFollower
from . import card
from .cell_output import CellOutput

if TYPE_CHECKING:
    from ..capture.cell import CellRecording
    from ..domain.run_card import RunCard

#: Before this there is no card, and after the cell cleared its output none for as long.
FIRST_SECONDS = 0.5
#: Between two looks: at first, and in a cell that has run for long; and between two displays when nothing was logged.
LOOK_SECONDS, SLOW_LOOK_SECONDS, TICK_SECONDS = 0.25, 2.0, 1.0
#: At most this share of the time goes into looking.
BUSY_FRACTION = 0.05


class LiveCard:
    """From the first line of a cell to its last."""

    def __init__(self, shell: Any, output: CellOutput, recording: CellRecording) -> None:
        self._shell = shell
        self._output = output
        self._recording = recording
        self._began = time.perf_counter()
        self._follower: MetricFollower | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._n_shown = 0  # a display's id must be new when the one before was cleared
        self._is_shown = False
        self._not_before = 0.0
        self._thread = threading.Thread(target=self._watch, name="snapml-live-card", daemon=True)

    @classmethod
    def begin(cls, shell: Any, recording: CellRecording) -> LiveCard | None:
        """Watch the cell that begins now; None where nobody would see it."""
        output = CellOutput.of(shell)
        if output is None:
            return None
        live = cls(shell, output, recording)
        shell.display_pub.register_hook(live._hear)
        live._thread.start()
        return live

    def settle(self) -> None:
        """The cell has ended: show nothing more, but remember what its metrics were."""
        self._ended.set()
        hooks = self._shell.display_pub
        if hasattr(hooks, "unregister_hook"):
            hooks.unregister_hook(self._hear)
        with self._lock:
            if self._follower is not None:
                with suppress(OSError):  # the curves end a moment early; the metrics themselves are recorded
                    self._follower.look()
                self._follower.close()

    def curves(self) -> dict[str, list[float]]:
        """What the metrics of the cell looked like, by name; those of a cell that ended at once were never drawn."""
        return {} if self._follower is None else {n: curve.points() for n, curve in self._follower.curves.items()}

    def become(self, bundle: dict[str, Any]) -> bool:
        """Turn into the card of the ended run, in its place; false when there is no card (any more) that could."""
        with self._lock:
            if not self._is_shown:
                return False
            self._output.update(bundle, self._display_id())
            return True

    def _watch(self) -> None:
        if self._ended.wait(FIRST_SECONDS):
            return
        try:
            self._follower = MetricFollower(self._recording.active)
            self._show_until_the_end()
        except Exception:  # a display that fails must not disturb the cell, and the final card tells everything
            return

    def _show_until_the_end(self) -> None:
        shown_at, pause = 0.0, 0.0
        while not self._ended.wait(pause):
            looked_at, used = time.perf_counter(), time.thread_time()
            elapsed = looked_at - self._began
            with self._lock:
                if self._ended.is_set():
                    return
                assert self._follower is not None
                has_news = self._follower.look() or not self._is_shown
                if (has_news or looked_at - shown_at >= max(TICK_SECONDS, elapsed / 60)) and self._may_show(looked_at):
                    self._show(elapsed)
                    shown_at = looked_at
            slow = min(SLOW_LOOK_SECONDS, elapsed / 60)
            pause = max(LOOK_SECONDS, slow, (time.thread_time() - used) / BUSY_FRACTION)

    def _may_show(self, now: float) -> bool:
        return self._is_shown or (now >= self._not_before and not self._output.is_redirected())

    def _show(self, elapsed: float) -> None:
        bundle = card.bundle(self._card(elapsed))
        if self._is_shown:
            self._output.update(bundle, self._display_id())
            return
        self._n_shown += 1
        self._output.show(bundle, self._display_id())
        self._is_shown = True

    def _card(self, elapsed: float) -> RunCard:
        assert self._follower is not None
        active = self._recording.active
        return card.running_card(
            active.run_id,
            active.name,
            elapsed,
            {name: (curve.newest, curve.points()) for name, curve in self._follower.curves.items()},
            self._recording.inputs,
        )

    def _display_id(self) -> str:
        return f"snapml-{self._recording.active.run_id}-{self._n_shown}"

    def _hear(self, message: dict[str, Any]) -> dict[str, Any]:
        """The cell cleared its output, and with it the card. It comes again a while after."""
        if message["header"]["msg_type"] == "clear_output" and not self._output.is_redirected():
            with self._lock:
                self._is_shown = False
                self._not_before = time.perf_counter() + FIRST_SECONDS
        return message
