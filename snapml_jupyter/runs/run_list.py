"""Several runs, as `snap.runs()` gives them: a list that can become a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..domain.run import Run

if TYPE_CHECKING:
    import pandas as pd


class RunList(list[Run]):
    """A list of runs; a slice of it is a plain list."""

    def to_pandas(self) -> pd.DataFrame:
        """One row a run; params, metrics and tags are columns `params.NAME`, `metrics.NAME`, `tags.NAME`."""
        import pandas as pd

        fixed = [
            "run_id",
            "name",
            "experiment",
            "status",
            "actor",
            "started_at",
            "finished_at",
            "duration_seconds",
            "seed",
            "parent_run_id",
        ]
        rows: list[dict[str, Any]] = []
        for run in self:
            row = {column: getattr(run, column) for column in fixed} | {"status": run.status.value}
            for group in ("params", "metrics", "tags"):
                row.update((f"{group}.{name}", value) for name, value in getattr(run, group).items())
            rows.append(row)
        # Metrics side by side, then params, then tags, each by name, whatever order the runs brought them in.
        named = {column for row in rows for column in row if column not in fixed}
        order = {"metrics": 0, "params": 1, "tags": 2}
        columns = sorted(named, key=lambda column: (order[column.partition(".")[0]], column))
        table: pd.DataFrame = pd.DataFrame(rows, columns=[*fixed, *columns])
        return table
