"""Counting traffic, summing it over workers, and saying it as quantiles and as Prometheus text."""

from __future__ import annotations

import pytest

from snapml_jupyter.serving.metrics import (
    EDGES_SECONDS,
    TrafficCounter,
    add_up,
    prometheus_text,
    quantile_ms,
    summarise,
)
from snapml_jupyter.serving.reports import TrafficReport, WorkerReport


def counted(*seconds: float, endpoint: str = "tiny", version: str = "1", code: int = 200) -> TrafficReport:
    counter = TrafficCounter(endpoint, version)
    for each in seconds:
        counter.count(code, 2, each)
    return counter.report(requests_per_second=1.5)


def test_a_quantile_is_within_a_fifth_of_the_truth() -> None:
    buckets = counted(*[i / 1000 for i in range(1, 1001)]).buckets
    for fraction in (0.5, 0.95, 0.99):
        assert quantile_ms(buckets, fraction) == pytest.approx(fraction * 1000, rel=0.2)
    assert quantile_ms([0] * len(buckets), 0.5) is None


def test_the_slowest_and_the_fastest_have_a_bucket() -> None:
    buckets = counted(0.0, 1e9).buckets
    assert (buckets[0], buckets[-1], sum(buckets)) == (1, 1, 2)
    assert quantile_ms(buckets, 1.0) == EDGES_SECONDS[-1] * 1000


def test_workers_add_up_by_endpoint_and_version() -> None:
    total = add_up([counted(0.001), counted(0.002, code=400), counted(0.003, version="2")])
    assert [(part.version, part.codes, part.n_rows) for part in total] == [
        ("1", {200: 1, 400: 1}, 4),
        ("2", {200: 1}, 2),
    ]
    assert total[0].requests_per_second == 3.0


def test_a_summary_covers_all_versions_of_one_endpoint() -> None:
    def worker(*traffic: TrafficReport, busy_fraction: float = 0.0) -> WorkerReport:
        return WorkerReport(
            pid=1,
            port=1,
            host_pid=1,
            is_serving=True,
            event_id=1,
            traffic=list(traffic),
            n_dropped={"tiny": 3},
            busy_fraction=busy_fraction,
        )

    found = summarise(
        "tiny",
        [
            worker(counted(0.001), counted(0.1, endpoint="other"), busy_fraction=0.25),
            worker(counted(0.002, version="2", code=503), busy_fraction=0.5),
        ],
    )
    assert (found.n_workers, found.busy_fraction) == (2, 0.5)
    assert (found.n_requests, found.n_errors, found.n_rows, found.n_predictions_dropped) == (2, 1, 4, 6)
    assert found.requests_per_second == 3.0
    empty = summarise("tiny", [])
    assert (empty.n_requests, empty.p50_ms) == (0, None)


def test_prometheus_histograms_are_cumulative_and_end_with_infinity() -> None:
    text = prometheus_text(add_up([counted(0.0001, 0.01, 1e9)]), {"tiny": 4})
    lines = [line for line in text.splitlines() if "_bucket{" in line]
    values = [int(line.rpartition(" ")[2]) for line in lines]
    assert values == sorted(values)
    assert 'le="+Inf"' in lines[-1]
    assert values[-1] == 3
    assert values[-2] == 2
    assert 'snapml_predictions_dropped_total{endpoint="tiny"} 4' in text
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
