"""A workspace of an older version is opened, and its metrics come along."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

from snapml_jupyter.runs.queries import get_run, list_metric_points
from snapml_jupyter.store import schema
from snapml_jupyter.store.workspace import Workspace


def test_metrics_of_a_version_2_database_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    connection = sqlite3.connect(folder / "snapml.db", isolation_level=None)
    for statement in (*schema.TABLES_0001, *schema.TABLES_0002):
        connection.execute(statement)
    connection.execute("CREATE TABLE _sqlite_migrations (migration_set TEXT, name TEXT, applied_at TEXT)")
    for name in ("0001_first_light", "0002_datasets"):
        connection.execute("INSERT INTO _sqlite_migrations VALUES ('snapml', ?, '2026-11-01')", (name,))
    connection.execute("PRAGMA user_version = 2")
    connection.execute(
        """INSERT INTO runs (run_id, name, experiment, status, actor, started_at, source)
           VALUES ('da6jf800000000000', 'old', 'default', 'finished', 'ada', '2026-11-01T12:00:00+00:00', '{"kind":"cell"}')"""
    )
    rows = [
        ("loss", 0, 0.5, "2026-11-01T12:00:01+00:00"),
        ("loss", 2, None, "2026-11-01T12:00:02.000003+00:00"),
        ("loss", 1, 0.25, "2026-11-01T12:00:03+00:00"),
        ("auc", 0, 0.7, "2026-11-01T12:00:04+00:00"),
    ]
    for row in rows:
        connection.execute(
            "INSERT INTO run_metrics (run_id, name, step, value, logged_at) VALUES ('da6jf800000000000', ?, ?, ?, ?)",
            row,
        )
    for name, step, value in (("loss", 2, None), ("auc", 0, 0.7)):
        connection.execute("INSERT INTO run_latest_metrics VALUES ('da6jf800000000000', ?, ?, ?)", (name, step, value))
    connection.close()
    workspace = Workspace(folder, actor="ada")
    run = get_run(workspace, "old")
    assert run.metrics["auc"] == 0.7 and math.isnan(run.metrics["loss"])
    points = list_metric_points(workspace, "old", "loss")
    assert [point.step for point in points] == [0, 1, 2]
    assert [point.value for point in points][:2] == [0.5, 0.25]
    assert points[2].logged_at.isoformat() == "2026-11-01T12:00:02.000003+00:00"
