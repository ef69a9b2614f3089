"""Two versions on the labels of their own requests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from snapml_jupyter.domain.endpoint import DeploymentStatus
from snapml_jupyter.domain.errors import ConflictError, InvalidInputError
from snapml_jupyter.domain.traffic import Arm
from snapml_jupyter.monitoring.ab_tests import get_ab_test
from snapml_jupyter.monitoring.logged_rows import write_rows
from snapml_jupyter.store import endpoints
from snapml_jupyter.store.monitors import insert_feedback
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture
def split(workspace: Workspace, tiny_models: Any) -> Workspace:
    """`tiny:1` the champion and `tiny:2` a challenger with half of the requests."""
    for arm, share in ((Arm.champion, 1.0), (Arm.challenger, 0.5)):
        tiny_models.add()
        with workspace.transaction() as tx:
            endpoints.ensure_endpoint(tx, "tiny")
            number = 1 if arm is Arm.champion else 2
            made = endpoints.add_deployment(tx, "tiny", "tiny", number, arm, share)
            endpoints.move_deployment(tx, "tiny", made, DeploymentStatus.live)
    return workspace


def log(workspace: Workspace, deployment: int, n: int, accuracy: float, seed: int) -> None:
    """Requests of one row that a deployment answered, with labels."""
    random = np.random.default_rng(seed)
    truth = np.where(random.random(n) < 0.5, "yes", "no")
    right = random.random(n) < accuracy
    said = np.where(right, truth, np.where(truth == "yes", "no", "yes"))
    ids = [f"{deployment}-{seed}-{number}" for number in range(n)]
    p_yes = np.where(said == "yes", 0.8, 0.2).astype("f4")
    table = pa.table(
        {
            "request_id": ids,
            "row_number": np.zeros(n, dtype="i8"),
            "prediction": said.tolist(),
            "p_0": 1 - p_yes,
            "p_1": p_yes,
        }
    )
    now = workspace.now()
    endpoints.record_batch(
        workspace,
        endpoint="tiny",
        batch=f"b-{deployment}-{seed}",
        deployment=deployment,
        digest=workspace.blobs.put(write_rows(table)),
        n_rows=n,
        started_at=now,
        ended_at=now,
    )
    labels = [{"request_id": i, "row": 0, "label": label} for i, label in zip(ids, truth.tolist(), strict=True)]
    insert_feedback(workspace, "tiny", labels)


def test_a_better_version_is_named_and_the_interval_holds_its_difference(split: Workspace) -> None:
    log(split, 1, 1_500, 0.70, 1)
    log(split, 2, 1_500, 0.90, 2)
    found = get_ab_test(split, "tiny")
    assert (found.better, found.has_right_shares) == ("tiny:2", True)
    assert found.low is not None and found.high is not None and 0.05 < found.low < 0.2 < found.high
    assert (found.n_champion, found.n_challenger, found.n_challenger_labels) == (1_500, 1_500, 1_500)
    less = get_ab_test(split, "tiny", metric="log_loss")
    assert less.better == "tiny:2" and less.high is not None and less.high < 0


def test_too_few_labels_and_equal_versions_give_no_verdict(split: Workspace) -> None:
    log(split, 1, 50, 0.8, 1)
    log(split, 2, 50, 0.2, 2)
    assert "50 and 50 labelled rows so far" in get_ab_test(split, "tiny").words
    assert get_ab_test(split, "tiny").better is None


def test_shares_that_are_not_met_make_the_verdict_worthless(split: Workspace) -> None:
    log(split, 1, 2_000, 0.7, 1)
    log(split, 2, 1_000, 0.9, 2)
    found = get_ab_test(split, "tiny")
    assert (found.has_right_shares, found.better) == (False, None)
    assert "2,000 to 1,000" in found.words


def test_what_cannot_be_tested_is_refused(split: Workspace) -> None:
    with pytest.raises(InvalidInputError, match="not 'f1'"):
        get_ab_test(split, "tiny", metric="f1")
    with split.transaction() as tx:
        endpoints.move_deployment(tx, "tiny", 2, DeploymentStatus.retired)
    with pytest.raises(ConflictError, match="--ab 50%"):
        get_ab_test(split, "tiny")
