"""`snap.feedback`, `snap.drift`, `snap.monitor`, `snap.alerts`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import settings
from ..domain.errors import InvalidInputError
from ..domain.monitoring import Alert, AlertState, MonitorInfo
from ..domain.traffic import ABTest
from . import current

if TYPE_CHECKING:
    import pandas as pd

    from ..monitoring.report import DriftReport
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

#: Labels that travel in one call.
_LABELS_A_CALL = 20_000


def feedback(endpoint: str, df: pd.DataFrame, *, on: str = "request_id") -> int:
    """Say what was true of rows that `endpoint` predicted; returns how many of them are in the prediction log.

    `df` has a column with the request id of each row (`on`), a column `label`, and a column `row` when requests had
    several rows (else rows of one request are counted in their order). Rows without a label yet are left out. Labels
    whose predictions are not logged yet are kept and joined later; for those made a moment ago this waits a little.
    Raises InvalidInputError naming the column that is missing, NotFoundError for an unknown endpoint.
    """
    from ..monitoring.monitors import record_feedback

    labels = _labels(df, on)
    workspace = _workspace()
    give_up_at = time.monotonic() + 2 * settings.get_float("log_seconds") + 1
    while True:
        n_joined = sum(
            record_feedback(workspace, endpoint, labels[start : start + _LABELS_A_CALL])
            for start in range(0, max(len(labels), 1), _LABELS_A_CALL)
        )
        if n_joined >= len(labels) or time.monotonic() > give_up_at:
            return n_joined
        time.sleep(0.25)  # workers hand their log over every `log_seconds`; giving the labels again changes nothing


def ab_test(endpoint: str, *, metric: str = "accuracy") -> ABTest:
    """Which of the two live versions of an endpoint is better, on the labels of requests that each answered.

    `metric` is accuracy, auc (two classes), log_loss, mae or mse. May be looked at as often as one likes: what it claims holds
    at all times with 95%. Raises NotFoundError, InvalidInputError for another metric, ConflictError with one live version.
    """
    from ..monitoring.ab_tests import get_ab_test

    return get_ab_test(_workspace(), endpoint, metric)


def drift(
    reference: Any, current: Any, *, preset: str | None = None, columns: Sequence[str] | None = None
) -> DriftReport:
    """How far each column moved from `reference` to `current`: DataFrames, Arrow tables or dataset references.

    `preset` "evidently" gives the verdicts that Evidently's defaults give; without it small samples and missing values
    are judged too. Raises NotFoundError for an unknown dataset, InvalidInputError for an unknown column or preset.
    """
    from ..monitoring import drift as frames
    from ..monitoring import monitors
    from ..monitoring.report import DriftReport

    names = list(columns) if columns is not None else None
    if isinstance(reference, str) and isinstance(current, str):
        return DriftReport.of(monitors.drift(_workspace(), reference, current, names, preset))
    first, first_name = _rows(reference, "reference")
    second, second_name = _rows(current, "current")
    return DriftReport.of(
        frames.compare_frames(
            first, second, columns=names, preset=preset, reference_name=first_name, current_name=second_name
        )
    )


def monitor(endpoint: str) -> MonitorInfo:
    """What is watched for an endpoint: its reference, windows with drift and accuracy, alerts."""
    from ..monitoring.monitors import get_monitor

    return get_monitor(_workspace(), endpoint)


def alerts(state: str | AlertState | None = None) -> list[Alert]:
    """Alerts, newest first: all, or those that are "open", "acknowledged" or "resolved"."""
    from ..monitoring.monitors import list_alerts

    try:
        wanted = AlertState(state) if state is not None else None
    except ValueError:
        states = ", ".join(f"'{known.value}'" for known in AlertState)
        raise InvalidInputError(f"There is no alert state '{state}'. States: {states}.") from None
    return list_alerts(_workspace(), wanted)


def _workspace() -> Workspace | RemoteWorkspace:
    return current.workspace()


def _rows(data: Any, name: str) -> tuple[Any, str]:
    if not isinstance(data, str):
        return data, name
    from ..datasets.dataset import open_dataset

    dataset = open_dataset(_workspace(), data)
    return dataset.to_arrow(), dataset.version.ref


def _labels(df: pd.DataFrame, on: str) -> list[dict[str, Any]]:
    """The frame as labels that travel: request_id, row, label."""
    import numpy as np

    if not hasattr(df, "columns") or not hasattr(df, "groupby"):
        raise InvalidInputError(
            f"Feedback is a DataFrame with the columns '{on}' and 'label', not {type(df).__name__}."
        )
    for name in (on, "label"):
        if name not in df.columns:
            shown = ", ".join(map(str, df.columns))
            raise InvalidInputError(f"The feedback has no column '{name}'. Its columns: {shown}.")
    rows = df["row"] if "row" in df.columns else df.groupby(on, sort=False).cumcount()
    known = (df["label"].notna() & df[on].notna()).to_numpy(dtype=bool)
    values = [value.item() if isinstance(value, np.generic) else value for value in df["label"].to_numpy()[known]]
    return [
        {"request_id": str(request_id), "row": int(row), "label": value}
        for request_id, row, value in zip(
            df[on].to_numpy()[known].tolist(), np.asarray(rows)[known].tolist(), values, strict=True
        )
    ]
