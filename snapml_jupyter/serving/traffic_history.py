"""What endpoints did over the last hours, by version: files that the host's background process appends to.

`<workspace>/host/traffic/<n>.jsonl` has a line for every `BUCKET_SECONDS` in which somebody counted, traffic or not, so
that a quiet minute and a stopped host can be told apart. A file spans an hour; the oldest go. Nothing of this is in a
request's path, and a restart of the host loses at most the bucket that was being filled.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ..domain.endpoint import EndpointInfo
from ..domain.errors import InvalidInputError
from ..domain.traffic import Arm, TrafficHistory, VersionHistory
from ..operations import operation
from ..store import endpoints as store
from ..store.workspace import Workspace
from .metrics import EDGES_SECONDS, quantile_ms
from .reports import live_host

#: Requests are counted over this time.
BUCKET_SECONDS = 5
#: So much of the past is kept.
KEPT_SECONDS = 6 * 3600
_FILE_SECONDS = 3600
#: A bucket can be read so long after its end.
_WRITTEN_AFTER_SECONDS = 1.5
_ARMS = (Arm.champion, Arm.challenger, Arm.shadow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one version did in one bucket of time. `latencies` counts by place in `metrics.EDGES_SECONDS`, empty ones left out."""

    version: str
    n_requests: int
    n_errors: int
    latencies: dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What was counted from `at` (seconds since 1970) on for `BUCKET_SECONDS`, by endpoint."""

    at: int
    parts: dict[str, list[Part]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A bucket as it is read: what is about other endpoints is not decoded."""

    at: int
    parts: dict[str, msgspec.Raw]


@operation(permission="endpoints:read")
def get_traffic_history(
    workspace: Workspace, name: str, seconds: float = 3600.0, max_points: int = 240
) -> TrafficHistory:
    """Requests, errors and latencies of the endpoint's versions over the last `seconds` (at most six hours).

    Begins when the endpoint was made, if that was later. Raises NotFoundError, InvalidInputError.
    """
    if not 0 < seconds <= KEPT_SECONDS:
        raise InvalidInputError(f"seconds lies between 0 and {KEPT_SECONDS:,}; it is {seconds:g}.")
    if not 2 <= max_points <= 5_000:
        raise InvalidInputError(f"max_points lies between 2 and 5,000; it is {max_points}.")
    endpoint = store.get_endpoint(workspace.database, name)
    now = workspace.now().timestamp()
    since = max(now - seconds, endpoint.created_at.timestamp())
    step = BUCKET_SECONDS * max(1, math.ceil((now - since) / BUCKET_SECONDS / max_points))
    start = int(since // step) * step
    buckets = read_buckets(traffic_folder(workspace.folder), name, start)
    # The bucket that is being filled is not there yet: no point of its own for it.
    end = max(start + step, math.ceil((now - BUCKET_SECONDS - _WRITTEN_AFTER_SECONDS) / step) * step)
    return lay_out(endpoint, buckets, range(start, end, step), is_host_running=live_host(workspace.folder) is not None)


def lay_out(
    endpoint: EndpointInfo, buckets: Iterable[Bucket], starts: range, *, is_host_running: bool
) -> TrafficHistory:
    """The buckets as lines over the points that begin at `starts`."""
    counted: list[set[int]] = [set() for _ in starts]
    sums: dict[str, dict[int, _Sum]] = {}
    for bucket in buckets:
        if not starts.start <= bucket.at < starts.stop:
            continue
        point = (bucket.at - starts.start) // starts.step
        counted[point].add(bucket.at)
        for part in bucket.parts.get(endpoint.name, []):
            sums.setdefault(part.version, {}).setdefault(point, _Sum()).add(part)
    seconds = [len(each) * BUCKET_SECONDS for each in counted]
    versions = [_line(endpoint, version, points, seconds) for version, points in sums.items()]
    return TrafficHistory(
        endpoint=endpoint.name,
        step_seconds=starts.step,
        times_ms=[at * 1000 for at in starts],
        versions=sorted(versions, key=_order),
        is_host_running=is_host_running,
    )


def traffic_folder(folder: Path) -> Path:
    """Where the history of a workspace lies."""
    return folder / "host" / "traffic"


def append_bucket(folder: Path, bucket: Bucket) -> None:
    """Keep one more bucket, and forget files that are too old. Raises OSError, also when the workspace is gone."""
    folder.mkdir(exist_ok=True)
    number = bucket.at // _FILE_SECONDS
    path = folder / f"{number}.jsonl"
    is_new = not path.exists()
    with path.open("ab") as file:
        file.write(msgspec.json.encode(bucket) + b"\n")
    if is_new:
        oldest = (bucket.at - KEPT_SECONDS) // _FILE_SECONDS
        for other in _files(folder):
            if int(other.stem) < oldest:
                with contextlib.suppress(OSError):
                    other.unlink()


def read_buckets(folder: Path, endpoint: str, since: int) -> list[Bucket]:
    """The buckets from `since` (seconds since 1970) on, with what is about that endpoint.

    Lines that were cut off by a crash are passed over.
    """
    lines = msgspec.json.Decoder(_Line)
    parts = msgspec.json.Decoder(list[Part], strict=False)  # JSON has no whole numbers as keys
    found = []
    for path in _files(folder):
        if (int(path.stem) + 1) * _FILE_SECONDS <= since:
            continue
        with contextlib.suppress(OSError):
            for line in path.read_bytes().splitlines():
                with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
                    read = lines.decode(line)
                    if read.at >= since:
                        raw = read.parts.get(endpoint)
                        found.append(Bucket(at=read.at, parts={endpoint: parts.decode(raw)} if raw else {}))
    return found


def bucket_at(seconds: float | None = None) -> int:
    """The beginning of the bucket that a moment (now unless given) falls into."""
    return int((time.time() if seconds is None else seconds) // BUCKET_SECONDS) * BUCKET_SECONDS


class _Sum:
    """Parts of one version, added up."""

    __slots__ = ("latencies", "n_errors", "n_requests")

    def __init__(self) -> None:
        self.n_requests = 0
        self.n_errors = 0
        self.latencies = [0] * (len(EDGES_SECONDS) + 1)

    def add(self, part: Part) -> None:
        self.n_requests += part.n_requests
        self.n_errors += part.n_errors
        for place, n in part.latencies.items():
            if 0 <= place < len(self.latencies):
                self.latencies[place] += n


def _line(endpoint: EndpointInfo, version: str, points: dict[int, _Sum], seconds: list[int]) -> VersionHistory:
    nothing = _Sum()
    found = [points.get(place, nothing) for place in range(len(seconds))]
    deployments = [each for each in endpoint.deployments if each.version == version]
    live = next((each for each in (endpoint.live, endpoint.challenger, endpoint.shadow) if each in deployments), None)
    return VersionHistory(
        version=version,
        model_ref=deployments[-1].model_ref if deployments else f"{endpoint.model_name}:{version}",
        arm=live.arm if live else None,
        n_requests=sum(each.n_requests for each in points.values()),
        requests_per_second=[_rate(each.n_requests, n) for each, n in zip(found, seconds, strict=True)],
        errors_per_second=[_rate(each.n_errors, n) for each, n in zip(found, seconds, strict=True)],
        p50_ms=[_quantile(each, 0.50) for each in found],
        p95_ms=[_quantile(each, 0.95) for each in found],
        p99_ms=[_quantile(each, 0.99) for each in found],
    )


def _rate(n: int, seconds: int) -> float | None:
    return round(n / seconds, 3) if seconds else None


def _quantile(part: _Sum, fraction: float) -> float | None:
    found = quantile_ms(part.latencies, fraction)
    return None if found is None else round(found, 4)


def _order(line: VersionHistory) -> tuple[int, int, str]:
    arm = _ARMS.index(line.arm) if line.arm else len(_ARMS)
    return arm, -int(line.version) if line.version.isdigit() else 0, line.version


def _files(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("*.jsonl") if path.stem.isdigit()), key=lambda path: int(path.stem))
