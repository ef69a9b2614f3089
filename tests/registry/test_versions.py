"""Registered versions: numbers, aliases, stages, lineage, and what is said about unknown ones."""

from __future__ import annotations

import pytest
from sklearn.linear_model import LogisticRegression

from snapml_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from snapml_jupyter.domain.model import Stage
from snapml_jupyter.registry.stages import promote, set_alias
from snapml_jupyter.registry.versions import get_model, list_model_versions, list_models, load_model, register
from snapml_jupyter.runs.models import keep_model
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store import audit
from snapml_jupyter.store.workspace import Workspace


def train(workspace: Workspace, name: str = "trainer") -> str:
    """A finished run with a metric and a model."""
    import pandas as pd

    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
    with start_run(workspace, name) as run:
        run.log_metric("auc", 0.75)
        keep_model(workspace, run.run_id, LogisticRegression().fit(frame, [0, 0, 1, 1]), example=frame, target="y")
    return run.run_id


def test_the_first_version_is_champion_and_the_next_is_not(workspace: Workspace) -> None:
    first = register(workspace, train(workspace), "churn")
    second = register(workspace, train(workspace), "churn")
    assert (first.ref, first.aliases, first.stage, first.metrics) == (
        "churn:1",
        ["champion"],
        Stage.none,
        {"auc": 0.75},
    )
    assert (second.ref, second.aliases) == ("churn:2", [])
    assert get_model(workspace, "churn").ref == "churn:1"
    assert get_model(workspace, "churn@latest").ref == "churn:2"
    assert [v.number for v in list_model_versions(workspace, "churn")] == [2, 1]
    (listed,) = list_models(workspace)
    assert (listed.n_versions, listed.latest.number) == (2, 2)
    assert listed.champion is not None
    assert listed.champion.number == 1


def test_the_same_run_is_one_version(workspace: Workspace) -> None:
    run_id = train(workspace)
    assert register(workspace, run_id, "churn").ref == register(workspace, run_id, "churn").ref == "churn:1"
    assert register(workspace, run_id, "other").ref == "other:1"


def test_the_loaded_model_predicts(workspace: Workspace) -> None:
    register(workspace, train(workspace), "churn")
    import pandas as pd

    row = pd.DataFrame({"a": [3.0], "b": [0.0]})
    assert load_model(workspace, "churn").predict(row).tolist() == [1]


def test_aliases_move_and_stages_follow_the_table(workspace: Workspace) -> None:
    for _ in range(2):
        register(workspace, train(workspace), "churn")
    assert set_alias(workspace, "churn:2", "champion").aliases == ["champion"]
    assert get_model(workspace, "churn:1").aliases == []
    assert promote(workspace, "churn:2", Stage.production).stage is Stage.production
    with pytest.raises(ConflictError, match=r"cannot go to 'none'\. Allowed: archived, staging"):
        promote(workspace, "churn:2", Stage.none)
    moved = [entry for entry in audit.list_entries(workspace.database) if entry.operation == "registry.promote"]
    assert [(e.subject, e.details["before"], e.details["after"]) for e in moved] == [("churn:2", "none", "production")]


@pytest.mark.parametrize(
    ("ref", "sentence"),
    [
        ("chrun", "There is no model 'chrun'. Did you mean 'churn'?"),
        ("churn:9", "Model 'churn' has no version 9. Versions: 1."),
        ("churn@winner", "Model 'churn' has no alias 'winner'. Aliases: champion."),
    ],
)
def test_unknown_references_say_what_there_is(workspace: Workspace, ref: str, sentence: str) -> None:
    register(workspace, train(workspace), "churn")
    with pytest.raises(NotFoundError) as raised:
        get_model(workspace, ref)
    assert sentence in str(raised.value)


def test_a_run_without_a_model_says_how_to_keep_one(workspace: Workspace) -> None:
    with start_run(workspace, "empty"):
        pass
    with pytest.raises(NotFoundError, match=r"kept no model\. Fit one"):
        register(workspace, "empty", "churn")


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 200, "a/b"])
def test_unusable_names_are_refused_and_nothing_is_written(workspace: Workspace, name: str) -> None:
    run_id = train(workspace)
    with pytest.raises(InvalidInputError, match="cannot name a model"):
        register(workspace, run_id, name)
    assert list_models(workspace) == []


@pytest.mark.parametrize("alias", ["latest", "7", "a b"])
def test_aliases_that_references_use_are_refused(workspace: Workspace, alias: str) -> None:
    register(workspace, train(workspace), "churn")
    with pytest.raises(InvalidInputError):
        set_alias(workspace, "churn:1", alias)
