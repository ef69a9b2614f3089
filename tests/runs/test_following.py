"""A display follows the metrics of a live run: all of them, exactly, whatever block or file they stand in."""

from __future__ import annotations

import math
import os
import random
from itertools import pairwise
from pathlib import Path

from snapml_jupyter.runs.following import MAX_POINTS, MetricFollower
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.journal_file import FOLDER_NAME
from snapml_jupyter.store.journal_tail import JournalTail
from snapml_jupyter.store.workspace import Workspace


def test_every_point_is_followed_across_blocks_files_and_new_names(tmp_path: Path) -> None:
    workspace, draw = Workspace(tmp_path / "workspace", actor="ada"), random.Random(5)
    logged: dict[str, list[float]] = {}
    seen: dict[str, list[float]] = {}
    with start_run(workspace, "many", capture_environment=False) as run:
        tail = JournalTail(workspace.folder, run.run_id)
        for step in range(80_000):
            # A new name now and then, short and long, so that some begin at the end of a block.
            name = "loss" if draw.random() < 0.9 else f"{'n' * draw.choice((1, 40, 90))}{step // 1500}"
            run.log_metric(name, float(step), step if step % 3 else None)
            logged.setdefault(name, []).append(float(step))
            if draw.random() < 0.001:
                for metric, values in tail.new_values():
                    seen.setdefault(metric, []).extend(values[:])
        for metric, values in tail.new_values():
            seen.setdefault(metric, []).extend(values[:])
        tail.close()
    assert len(logged) > 50
    assert seen == logged


def test_a_curve_is_thinned_evenly_and_ends_with_the_newest_value(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace", actor="ada")
    with start_run(workspace, "long", capture_environment=False) as run:
        follower = MetricFollower(run)
        assert not follower.look()
        run.log_metric("auc", 0.7)
        assert follower.look()
        assert (follower.curves["auc"].newest, follower.curves["auc"].points()) == (0.7, [])
        for step in range(10_001):
            run.log_metric("loss", float(step))
            if step % 777 == 0:
                follower.look()
        run.log_metric("gap", float("nan"))
        follower.look()
        curve = follower.curves["loss"].points()
        assert len(curve) <= MAX_POINTS + 1
        assert (curve[0], curve[-1]) == (0.0, 10_000.0)
        assert len({after - before for before, after in pairwise(curve[:-1])}) == 1
        assert math.isnan(follower.curves["gap"].newest)
        follower.close()


def test_points_of_another_process_of_the_run_are_followed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace", actor="ada")
    with start_run(workspace, "forks", capture_environment=False) as run:
        follower = MetricFollower(run)
        run.log_metric("loss", 1.0)
        child = os.fork()
        if child == 0:
            run.log_metric("loss", 0.5)
            run.log_metric("of the child", 2.0)
            os._exit(0)
        os.waitpid(child, 0)
        follower.look()
        assert follower.curves["loss"].n_points == 2
        assert follower.curves["of the child"].newest == 2.0
        follower.close()
    assert list((workspace.folder / FOLDER_NAME).glob("*.journal")) == []
