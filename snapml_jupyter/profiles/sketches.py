"""The only module that touches whylogs: columns to sketches, sketches to bytes and back.

whylogs 1.6.4 cannot log a table under numpy 2: its mapping of types to metrics names `numpy.unicode_`, which numpy
2.0 removed. Patching numpy would reach everyone in the process, so the mapping is not used at all: the metrics are
built here from Arrow types and filled directly, which is also about twenty times faster than whylogs' pandas path. What is
written is an ordinary whylogs profile (magic `WHY1`) that `whylogs.DatasetProfileView.deserialize` reads.

Error of the sketches: ranks of quantiles within 0.3 % (KLL, k = 1024; exact up to 1024 values), distinct counts within 1.6 % (HLL, 2^12
registers), counts of frequent values exact up to 768 distinct values and within 0.35 % of the rows above.
"""

from __future__ import annotations

import os
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..domain.errors import DamagedContentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .columns import ColumnContent

HLL_LG_K = 12
FREQUENT_LG_MAX_K = 10

# whylogs sends usage statistics on import unless this is set; SnapML sends nothing anywhere.
os.environ.setdefault("WHYLOGS_NO_ANALYTICS", "1")

#: The profile's own clock. The record that refers to a profile carries the time; the bytes carry only the data.
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


_first_use = threading.Lock()
_is_ready = False


def _sketching() -> Any:
    """The module whylogs_sketching, after its first use, which must be over before a second thread begins with it.

    At the first array it is given, it imports NumPy's C interface, guarded by a lock of C++ which other threads wait for
    while they hold the GIL; but the import lets go of the GIL and never gets it back: the whole process stands still.
    """
    global _is_ready
    import numpy as np
    import whylogs_sketching

    with _first_use:
        if not _is_ready:
            whylogs_sketching.kll_doubles_sketch(k=8).update(array=np.zeros(1))
            whylogs_sketching.hll_sketch(HLL_LG_K).update_np(np.zeros(1))
            _is_ready = True
    return whylogs_sketching


def make_view(columns: Iterable[ColumnContent], metadata: Mapping[str, str], quantile_k: int) -> Any:
    """A whylogs DatasetProfileView of the columns, with `metadata` kept beside them. `quantile_k` sizes the KLL sketch."""
    from whylogs.core.view.dataset_profile_view import DatasetProfileView

    return DatasetProfileView(
        columns={column.name: _column_view(column, quantile_k) for column in columns},
        dataset_timestamp=_EPOCH,
        creation_timestamp=_EPOCH,
        metadata=dict(metadata),
    )


def read_view(content: bytes) -> Any:
    """The DatasetProfileView in the bytes. Raises DamagedContentError when they are not a profile."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # publishes no types
    from whylogs.core.errors import DeserializationError
    from whylogs.core.view.dataset_profile_view import DatasetProfileView

    _sketching()
    try:
        return DatasetProfileView.deserialize(content)
    except (DeserializationError, DecodeError, OSError, ValueError, KeyError, IndexError) as error:
        raise DamagedContentError(f"These {len(content)} bytes are not a readable profile: {error}.") from error


def number_sketch(column_view: Any) -> Any | None:
    """The column's distribution metric (KLL sketch, mean, squared deviations), or None when it holds no numbers."""
    metric = column_view.get_metric("distribution")
    return metric if metric is not None and metric.n > 0 else None


def frequent_values(column_view: Any, limit: int) -> list[tuple[str, float]]:
    """The most frequent values with their estimated counts, most frequent first, ties by value."""
    metric = column_view.get_metric("frequent_items")
    if metric is None:
        return []
    items = [(str(item.value), float(item.est)) for item in metric.strings]
    return sorted(items, key=lambda item: (-item[1], item[0]))[:limit]


def _column_view(column: ColumnContent, quantile_k: int) -> Any:
    from whylogs.core.metrics.column_metrics import ColumnCountsMetric, TypeCountersMetric
    from whylogs.core.metrics.metric_components import IntegralComponent
    from whylogs.core.view.column_profile_view import ColumnProfileView

    n_values = column.n_rows - column.n_nulls
    is_number, is_boolean = column.numbers is not None, column.type == "bool"
    is_text = column.values is not None and not is_boolean
    metrics: dict[str, Any] = {
        "counts": ColumnCountsMetric(
            n=IntegralComponent(column.n_rows),
            null=IntegralComponent(column.n_nulls),
            nan=IntegralComponent(column.n_nan),
            inf=IntegralComponent(column.n_infinite),
            true=IntegralComponent(column.n_true),
        ),
        "types": TypeCountersMetric(
            integral=IntegralComponent(n_values if is_number and column.is_integral else 0),
            fractional=IntegralComponent(n_values if is_number and not column.is_integral else 0),
            boolean=IntegralComponent(n_values if is_boolean else 0),
            string=IntegralComponent(n_values if is_text else 0),
            object=IntegralComponent(0 if is_number or is_boolean or is_text else n_values),
        ),
    }
    if column.numbers is not None:
        metrics["distribution"] = _distribution(column.numbers, quantile_k)
        metrics["cardinality"] = _cardinality(numbers=column.numbers)
    elif column.values is not None and column.counts is not None:
        metrics["cardinality"] = _cardinality(texts=column.values)
        metrics["frequent_items"] = _frequent_items(column.values, column.counts)
    return ColumnProfileView(metrics=metrics, success_count=column.n_rows)


def _distribution(numbers: Any, quantile_k: int) -> Any:
    import numpy as np
    from whylogs.core.metrics.metric_components import FractionalComponent, KllComponent
    from whylogs.core.metrics.metrics import DistributionMetric

    whylogs_sketching = _sketching()
    sketch = whylogs_sketching.kll_doubles_sketch(k=quantile_k)
    mean = squared_deviations = 0.0
    if len(numbers):
        sketch.update(array=numbers)
        with np.errstate(over="ignore", invalid="ignore"):  # numbers near 1e308: the spread is honestly infinite
            mean = float(numbers.mean())
            squared_deviations = float(((numbers - mean) ** 2).sum())
    return DistributionMetric(
        kll=KllComponent(sketch), mean=FractionalComponent(mean), m2=FractionalComponent(squared_deviations)
    )


def _cardinality(*, numbers: Any = None, texts: list[str] | None = None) -> Any:
    from whylogs.core.metrics.metric_components import HllComponent
    from whylogs.core.metrics.metrics import CardinalityMetric

    whylogs_sketching = _sketching()
    sketch = whylogs_sketching.hll_sketch(HLL_LG_K)
    if numbers is not None:
        sketch.update_np(numbers)
    if texts:
        sketch.update_str_list(texts)
    return CardinalityMetric(hll=HllComponent(sketch))


def _frequent_items(values: list[str], counts: list[int]) -> Any:
    from whylogs.core.metrics.metric_components import FrequentStringsComponent
    from whylogs.core.metrics.metrics import FrequentItemsMetric

    whylogs_sketching = _sketching()
    sketch = whylogs_sketching.frequent_strings_sketch(lg_max_k=FREQUENT_LG_MAX_K)
    for value, count in zip(values, counts, strict=True):
        sketch.update(value, count)
    return FrequentItemsMetric(frequent_strings=FrequentStringsComponent(sketch))
