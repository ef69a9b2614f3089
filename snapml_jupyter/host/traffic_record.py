"""Counting into the traffic history: what the workers did since the last look, from their cumulative reports.

What was seen of each worker is kept beside the history, so another process goes on where this one ended.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..serving.metrics import count_errors
from ..serving.reports import TrafficReport, WorkerReport, read_report, write_report
from ..serving.traffic_history import BUCKET_SECONDS, Bucket, Part, append_bucket, bucket_at, traffic_folder

#: After a longer pause nobody knows when the requests in between came, so they are in no bucket.
_PAUSE_SECONDS = 4 * BUCKET_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Cumulative counts by `pid/endpoint/version` as they were `at` (seconds since 1970): requests, errors, latencies."""

    at: float = 0.0
    counts: dict[str, list[int]] = field(default_factory=dict)


class TrafficRecord:
    """The buckets of one workspace, filled one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = traffic_folder(folder)
        self._seen = read_report(self._seen_path, Seen) or Seen()
        self._sums: dict[tuple[str, str], list[int]] = {}
        self._bucket: int | None = None

    def look(self, reports: list[WorkerReport], now: float) -> None:
        """Add what is new, and write the bucket out when its time is over. Raises OSError."""
        bucket = bucket_at(now)
        if self._bucket is not None and bucket != self._bucket:
            self.write()
        self._bucket = bucket
        is_long_ago = now - self._seen.at > _PAUSE_SECONDS
        counts: dict[str, list[int]] = {}
        for report in reports:
            for part in report.traffic:
                key = f"{report.pid}/{part.endpoint}/{part.version}"
                numbers = counts[key] = _numbers(part)
                before = self._seen.counts.get(key)
                if before is None or before[0] > numbers[0]:  # a new worker, perhaps with the number of a dead one
                    before = [0] * len(numbers)
                elif is_long_ago:
                    continue
                held = self._sums.setdefault((part.endpoint, part.version), [0] * len(numbers))
                for place, (total, then) in enumerate(zip(numbers, before, strict=True)):
                    held[place] += total - then
        self._seen = Seen(at=now, counts=counts)

    def write(self) -> None:
        """Write out what was counted. Raises OSError; then it stays and is written with what comes."""
        if self._bucket is None:
            return
        parts: dict[str, list[Part]] = {}
        for (endpoint, version), (n_requests, n_errors, *latencies) in sorted(self._sums.items()):
            if n_requests:
                held = {place: n for place, n in enumerate(latencies) if n}
                part = Part(version=version, n_requests=n_requests, n_errors=n_errors, latencies=held)
                parts.setdefault(endpoint, []).append(part)
        self._folder.mkdir(exist_ok=True)  # not its parents: a workspace that is gone must not come back
        # First what was seen: a crash between the two forgets a bucket, and never counts one twice.
        write_report(self._seen_path, self._seen)
        append_bucket(self._folder, Bucket(at=self._bucket, parts=parts))
        self._sums = {}

    @property
    def _seen_path(self) -> Path:
        return self._folder / "seen.json"


def _numbers(part: TrafficReport) -> list[int]:
    return [sum(part.codes.values()), count_errors(part.codes), *part.buckets]
