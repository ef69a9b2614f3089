"""Traffic counts: what a worker counts in a request, and the sums over workers that people read.

Counting is two additions and one bisection; nothing here locks, because only the event loop writes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from ..domain.endpoint import EndpointMetrics
from .reports import TrafficReport, WorkerReport

#: Upper edges of the latency buckets in seconds: 50 microseconds to 54 seconds, four to a doubling.
EDGES_SECONDS: list[float] = [5e-5 * 2 ** (step / 4) for step in range(81)]
#: Every fourth edge is exposed to Prometheus, so that its histogram is exact and short.
_EXPOSED = range(4, 81, 4)


class TrafficCounter:
    """Counts of one endpoint and model version in this process."""

    __slots__ = ("buckets", "codes", "endpoint", "n_rows", "seconds", "version")

    def __init__(self, endpoint: str, version: str) -> None:
        self.endpoint = endpoint
        self.version = version
        self.n_rows = 0
        self.seconds = 0.0
        self.codes: dict[int, int] = {}
        self.buckets = [0] * (len(EDGES_SECONDS) + 1)

    def count(self, code: int, n_rows: int, seconds: float) -> None:
        """One request answered with HTTP status `code` after `seconds`."""
        self.codes[code] = self.codes.get(code, 0) + 1
        self.n_rows += n_rows
        self.seconds += seconds
        self.buckets[bisect_left(EDGES_SECONDS, seconds)] += 1

    def report(self, requests_per_second: float = 0.0) -> TrafficReport:
        """The counts as a record; taken from another thread it may miss the request being counted."""
        return TrafficReport(
            endpoint=self.endpoint,
            version=self.version,
            n_rows=self.n_rows,
            codes=dict(self.codes),
            buckets=list(self.buckets),
            seconds=self.seconds,
            requests_per_second=requests_per_second,
        )


def add_up(reports: Iterable[TrafficReport]) -> list[TrafficReport]:
    """Sum reports of several workers by endpoint and version."""
    sums: dict[tuple[str, str], TrafficReport] = {}
    for report in reports:
        key = (report.endpoint, report.version)
        held = sums.get(key)
        if held is None:
            sums[key] = report
            continue
        sums[key] = TrafficReport(
            endpoint=report.endpoint,
            version=report.version,
            n_rows=held.n_rows + report.n_rows,
            codes={c: held.codes.get(c, 0) + report.codes.get(c, 0) for c in held.codes.keys() | report.codes.keys()},
            buckets=[a + b for a, b in zip(held.buckets, report.buckets, strict=True)],
            seconds=held.seconds + report.seconds,
            requests_per_second=held.requests_per_second + report.requests_per_second,
        )
    return [sums[key] for key in sorted(sums)]


def count_errors(codes: Mapping[int, int]) -> int:
    """Requests that the version could not answer, through no fault of the client: 5xx, and 422 (the graph refused)."""
    return sum(n for code, n in codes.items() if code >= 500 or code == 422)


def quantile_ms(buckets: list[int], fraction: float) -> float | None:
    """The latency below which that fraction of requests stayed, in milliseconds, to a fifth; None without requests."""
    total = sum(buckets)
    if not total:
        return None
    seen = 0
    for index, n_requests in enumerate(buckets):
        seen += n_requests
        if seen >= fraction * total:
            return EDGES_SECONDS[min(index, len(EDGES_SECONDS) - 1)] * 1000.0
    return EDGES_SECONDS[-1] * 1000.0


def summarise(endpoint: str, workers: list[WorkerReport]) -> EndpointMetrics:
    """All versions of one endpoint over all workers."""
    parts = [part for worker in workers for part in worker.traffic if part.endpoint == endpoint]
    buckets = [sum(column) for column in zip(*(part.buckets for part in parts), strict=True)]
    return EndpointMetrics(
        endpoint=endpoint,
        n_requests=sum(sum(part.codes.values()) for part in parts),
        n_errors=sum(n for part in parts for code, n in part.codes.items() if code >= 400),
        n_rows=sum(part.n_rows for part in parts),
        n_predictions_dropped=sum(worker.n_dropped.get(endpoint, 0) for worker in workers),
        requests_per_second=round(sum(part.requests_per_second for part in parts), 3),
        p50_ms=quantile_ms(buckets, 0.50),
        p95_ms=quantile_ms(buckets, 0.95),
        p99_ms=quantile_ms(buckets, 0.99),
        n_workers=sum(worker.is_serving for worker in workers),
        busy_fraction=round(max((worker.busy_fraction for worker in workers), default=0.0), 3),
    )


def prometheus_text(reports: list[TrafficReport], n_dropped: dict[str, int]) -> str:
    """The Prometheus text exposition (version 0.0.4) of the given counts.

    https://prometheus.io/docs/instrumenting/exposition_formats
    """
    lines = [
        "# HELP snapml_requests_total Requests answered, by HTTP status code.",
        "# TYPE snapml_requests_total counter",
    ]
    for part in reports:
        lines += [
            f'snapml_requests_total{{{_labels(part)},code="{code}"}} {n}' for code, n in sorted(part.codes.items())
        ]
    lines += ["# HELP snapml_rows_total Rows predicted.", "# TYPE snapml_rows_total counter"]
    lines += [f"snapml_rows_total{{{_labels(part)}}} {part.n_rows}" for part in reports]
    lines += [
        "# HELP snapml_request_duration_seconds Time from the request's headers to its answer.",
        "# TYPE snapml_request_duration_seconds histogram",
    ]
    for part in reports:
        for edge in _EXPOSED:
            below = sum(part.buckets[: edge + 1])
            lines.append(
                f'snapml_request_duration_seconds_bucket{{{_labels(part)},le="{EDGES_SECONDS[edge]:.6g}"}} {below}'
            )
        total = sum(part.buckets)
        lines.append(f'snapml_request_duration_seconds_bucket{{{_labels(part)},le="+Inf"}} {total}')
        lines.append(f"snapml_request_duration_seconds_sum{{{_labels(part)}}} {part.seconds:.6f}")
        lines.append(f"snapml_request_duration_seconds_count{{{_labels(part)}}} {total}")
    lines += [
        "# HELP snapml_predictions_dropped_total Rows answered but not logged for the monitors.",
        "# TYPE snapml_predictions_dropped_total counter",
    ]
    lines += [
        f'snapml_predictions_dropped_total{{endpoint="{endpoint}"}} {n}' for endpoint, n in sorted(n_dropped.items())
    ]
    return "\n".join(lines) + "\n"


def _labels(part: TrafficReport) -> str:
    # Endpoint names and version numbers cannot contain quotes, backslashes or line ends.
    return f'endpoint="{part.endpoint}",version="{part.version}"'
