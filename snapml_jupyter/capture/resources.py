"""What a cell uses while it runs: CPU, memory, disk and, where there is one, GPU; looked at about once a second."""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

#: Between two looks, in seconds; doubled whenever there are as many samples as are kept.
INTERVAL_SECONDS = 1.0
MAX_SAMPLES = 600


@dataclass(slots=True)
class ResourceWatch:
    """Samples between `start` and `stop`. A cell that ends within the first interval has none, and costs nothing."""

    interval: float = INTERVAL_SECONDS
    samples: list[dict[str, float]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._look, name="snapml-resources", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()

    def to_json(self) -> bytes | None:
        """The samples with peak memory; None when there are none."""
        if not self.samples:
            return None
        peak = max(sample["memory_bytes"] for sample in self.samples)
        said = {"interval_seconds": self.interval, "peak_memory_bytes": peak, "samples": self.samples}
        return json.dumps(said).encode()

    def _look(self) -> None:
        if self._ended.wait(self.interval):
            return
        import psutil

        process = psutil.Process()
        process.cpu_percent()
        began = time.monotonic()
        while not self._ended.wait(self.interval if self.samples else 0.05):
            try:
                self.samples.append(_sample(process, time.monotonic() - began + self.interval))
            except psutil.Error:  # a system that does not say
                return
            if len(self.samples) >= MAX_SAMPLES:
                self.samples = self.samples[::2]
                self.interval *= 2


def _sample(process: Any, seconds: float) -> dict[str, float]:
    found: dict[str, float] = {"seconds": round(seconds, 2)}
    with process.oneshot():
        found["cpu_percent"] = process.cpu_percent()
        found["memory_bytes"] = process.memory_info().rss
        found["n_threads"] = process.num_threads()
        if hasattr(process, "io_counters"):
            counted = process.io_counters()
            found["read_bytes"], found["written_bytes"] = counted.read_bytes, counted.write_bytes
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        found["gpu_memory_bytes"] = torch.cuda.memory_allocated()
        free, total = torch.cuda.mem_get_info()
        found["gpu_used_percent"] = round(100 * (total - free) / total, 1)
    return found
