"""What came from what, in both directions, and as OpenLineage events."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import snapml_jupyter as snap
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.errors import InvalidInputError, NotFoundError
from snapml_jupyter.domain.lineage import LineageRecord
from snapml_jupyter.governance.lineage import export_openlineage, get_lineage
from snapml_jupyter.registry.versions import register
from snapml_jupyter.runs.models import keep_model
from snapml_jupyter.runs.recording import record_input
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store import endpoints
from snapml_jupyter.store.workspace import Workspace
from snapml_jupyter.validation.checking import save_suite, validate_version

FRAME = pd.DataFrame({"a": [0.0, 1.0, 0.0, 1.0], "late": [0, 1, 0, 1]})


@pytest.fixture
def story(workspace: Workspace, tmp_path: Path) -> dict[str, str]:
    """A file, a version, a cleaned one, a run on it that made predictions, a model, an endpoint."""
    (tmp_path / "flights.csv").write_text("a,late\n0,0\n1,1\n")
    raw = snapshot(workspace, "raw", tmp_path / "flights.csv")
    clean = snapshot(workspace, "clean", FRAME, derived_from=[raw.ref])
    later = snapshot(workspace, "clean", FRAME.head(3))
    with start_run(workspace, "train") as run:
        record_input(workspace, run.run_id, "df", later.ref)
        model = LogisticRegression().fit(FRAME[["a"]], FRAME["late"])
        keep_model(workspace, run.run_id, model, example=FRAME[["a"]], training_ref=later.ref)
        scored = snapshot(workspace, "scored", FRAME.tail(2), run_id=run.run_id)
    version = register(workspace, run.run_id, "late")
    with workspace.transaction() as tx:
        endpoints.ensure_endpoint(tx, "late-flights")
        endpoints.add_deployment(tx, "late-flights", version.name, version.number)
    return {"raw": raw.ref, "clean": clean.ref, "later": later.ref, "run": run.run_id, "scored": scored.ref}


def edges(record: LineageRecord) -> set[tuple[str, str, str]]:
    return {(edge.source, edge.role, edge.target) for edge in record.edges}


def test_a_run_on_the_same_content_under_another_name_is_found(workspace: Workspace) -> None:
    flights = snapshot(workspace, "flights", FRAME)
    changed = snapshot(workspace, "flights", FRAME + 1)
    with start_run(workspace, "train") as run:
        for name in ("d", "a-frame"):
            record_input(workspace, run.run_id, name, snapshot(workspace, name, FRAME, run_id=run.run_id).ref)
    names = [(f"dataset:{flights.ref}", "same", f"dataset:{name}@v1") for name in ("d", "a-frame")]
    reads = [(f"dataset:{name}@v1", "read", f"run:{run.run_id}") for name in ("d", "a-frame")]
    down = edges(get_lineage(workspace, flights.ref, direction="down"))
    assert {*names, *reads} <= down and len(down) == 5
    up = edges(get_lineage(workspace, run.run_id, direction="up"))
    assert {*names, *reads} <= up and changed.ref not in str(up)
    assert not [edge for edge in edges(get_lineage(workspace, changed.ref)) if edge[1] == "same"]


def test_the_whole_story_is_found_from_its_middle(workspace: Workspace, story: dict[str, str], tmp_path: Path) -> None:
    run = f"run:{story['run']}"
    expected = {
        (f"source:file:{tmp_path / 'flights.csv'}", "taken", "dataset:raw@v1"),
        ("source:frame:pandas.DataFrame", "taken", "dataset:clean@v1"),
        ("source:frame:pandas.DataFrame", "taken", "dataset:clean@v2"),
        ("source:frame:pandas.DataFrame", "taken", "dataset:scored@v1"),
        ("dataset:raw@v1", "derived", "dataset:clean@v1"),
        ("dataset:clean@v1", "parent", "dataset:clean@v2"),
        ("dataset:clean@v2", "read", run),
        (run, "produced", "dataset:scored@v1"),
        (run, "trained", "model:late:1"),
        ("model:late:1", "serves", "endpoint:late-flights"),
    }
    found = get_lineage(workspace, "clean@v2")
    assert edges(found) == expected and not found.is_cut
    assert {node.node_id for node in found.nodes} == {end for one, _, two in expected for end in (one, two)}


@pytest.mark.parametrize("ref", ["endpoint:late-flights", "late-flights"])
def test_an_endpoint_leads_back_to_the_file(workspace: Workspace, story: dict[str, str], ref: str) -> None:
    up = get_lineage(workspace, ref, "up")
    assert up.root == "endpoint:late-flights"
    assert {node.kind.value for node in up.nodes} == {"source", "dataset", "run", "model", "endpoint"}
    assert not [edge for edge in up.edges if edge.target == "dataset:scored@v1"]


def test_a_file_leads_forward_to_the_endpoint(workspace: Workspace, story: dict[str, str]) -> None:
    down = get_lineage(workspace, "raw", "down")
    assert "endpoint:late-flights" in {node.node_id for node in down.nodes}
    assert get_lineage(workspace, story["run"], "down").root == f"run:{story['run']}"
    assert get_lineage(workspace, "late:1").root == "model:late:1"


def test_an_input_that_a_run_recorded_was_not_made_by_it(workspace: Workspace) -> None:
    with start_run(workspace, "train") as run:
        version = snapshot(workspace, "df", FRAME, run_id=run.run_id)
        record_input(workspace, run.run_id, "df", version.ref)
    roles = {edge.role for edge in get_lineage(workspace, "df").edges}
    assert roles == {"read", "taken"}


def test_long_histories_are_cut_and_say_so(workspace: Workspace) -> None:
    for number in range(12):
        snapshot(workspace, "df", FRAME.assign(a=number))
    short = get_lineage(workspace, "df@v12", depth=3)
    assert [node.ref for node in short.nodes if node.kind.value == "dataset"] == ["df@v9", "df@v10", "df@v11", "df@v12"]
    assert short.is_cut and not get_lineage(workspace, "df@v12", depth=11).is_cut


def test_what_is_not_there_is_said(workspace: Workspace, story: dict[str, str]) -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'clean'"):
        get_lineage(workspace, "claen")
    with pytest.raises(NotFoundError, match="clean@v9"):
        get_lineage(workspace, "dataset:clean@v9")
    with pytest.raises(InvalidInputError, match="direction"):
        get_lineage(workspace, "clean", "left")
    with pytest.raises(InvalidInputError, match="1 to 1000"):
        get_lineage(workspace, "clean", depth=0)


def test_datasets_used_within_a_run_are_tied_to_it(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAPML_WORKSPACE", workspace.location)
    snap.workspace(workspace.location)
    snap.snapshot("raw", FRAME)
    with snap.start_run("clean") as run:
        rows = snap.dataset("raw").to_pandas()
        snap.snapshot("clean", rows.head(2))
    graph = snap.lineage("clean")
    assert [node.ref for node in graph.ancestors] == ["pandas.DataFrame", "raw@v1", run.run_id]
    assert graph.descendants == []
    assert [node.ref for node in snap.lineage("raw").descendants] == [run.run_id, "clean@v1"]


def test_runs_become_pairs_of_openlineage_events(workspace: Workspace, story: dict[str, str]) -> None:
    save_suite(workspace, "clean", "columns: {a: {at_most: 0}}")
    validate_version(workspace, "clean@v2")
    events = export_openlineage(workspace, "clean@v2")
    for event in events:
        _check_event(event)
    runs = [event for event in events if "eventType" in event]
    assert [event["eventType"] for event in runs] == ["START", "COMPLETE"]
    assert runs[0]["run"]["runId"] == runs[1]["run"]["runId"]
    end = runs[1]
    assert [one["name"] for one in end["inputs"]] == ["clean"]
    assert [one["name"] for one in end["outputs"]] == ["scored", "model/late:1"]
    facets = end["inputs"][0]["facets"]
    assert facets["version"]["datasetVersion"] == "v2"
    assert [field["name"] for field in facets["schema"]["fields"]] == ["a", "late"]
    assert facets["dataQualityAssertions"]["assertions"] == [{"assertion": "at_most", "success": False, "column": "a"}]
    assert end["inputs"][0]["inputFacets"]["dataQualityMetrics"]["rowCount"] == 3
    made_by_hand = {event["dataset"]["name"] for event in events if "dataset" in event}
    assert made_by_hand == {"raw", "clean"}


def test_a_failed_run_is_a_fail_event_with_its_error(workspace: Workspace) -> None:
    snapshot(workspace, "df", FRAME)
    with pytest.raises(ZeroDivisionError), start_run(workspace, "breaks") as run:
        record_input(workspace, run.run_id, "df", "df@v1")
        1 / 0  # noqa: B018  the error is the point
    end = export_openlineage(workspace, run.run_id)[-1]
    assert end["eventType"] == "FAIL"
    assert end["run"]["facets"]["errorMessage"]["message"].startswith("ZeroDivisionError")


def _check_event(event: dict[str, Any]) -> None:
    """What the OpenLineage 2-0-2 schema requires."""
    assert event["eventTime"].endswith("Z") and event["producer"].startswith("https://")
    assert event["schemaURL"].startswith("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/")
    holders: list[dict[str, Any]] = []
    if "run" in event:
        assert event["eventType"] in {"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"}
        uuid.UUID(event["run"]["runId"])
        assert event["job"]["namespace"] and event["job"]["name"]
        holders += [event["run"], event["job"], *event["inputs"], *event["outputs"]]
        assert all(one["namespace"] and one["name"] for one in [*event["inputs"], *event["outputs"]])
    else:
        holders.append(event["dataset"])
    for holder in holders:
        for key in ("facets", "inputFacets", "outputFacets"):
            for facet in holder.get(key, {}).values():
                assert facet["_producer"] == event["producer"]
                assert facet["_schemaURL"].startswith("https://openlineage.io/spec/facets/")
