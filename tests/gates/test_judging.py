"""A version judged by gates: every table, what is kept, and what the command line and CI see of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from snapml_jupyter.cli.main import main
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.checks import Check, CheckStatus, GateOutcome
from snapml_jupyter.domain.errors import InvalidInputError, NotFoundError
from snapml_jupyter.gates.judging import gate, list_gate_outcomes
from snapml_jupyter.gates.reporting import gate_junit, gate_text
from snapml_jupyter.registry.versions import get_model, list_model_versions
from snapml_jupyter.store import audit
from snapml_jupyter.validation.checking import propose_suite, save_suite

DATA = '[data]\nref = "held-out@v1"\n'


def found(outcome: GateOutcome) -> dict[str, Check]:
    return {check.name: check for check in outcome.checks}


def test_metrics_are_the_models_own_on_the_held_out_rows(trips: Any) -> None:
    outcome = gate(
        trips.workspace, "trips:2", DATA + "[metrics]\naccuracy = { at_least = 0.7 }\nauc = { at_least = 0.99 }"
    )
    checks = found(outcome)
    accuracy = trips.models[1].score(trips.held_out.drop(columns="answer"), trips.held_out["answer"])
    assert checks["metrics.accuracy"].value == pytest.approx(accuracy)
    assert checks["metrics.accuracy"].status is CheckStatus.passed
    assert checks["metrics.auc"].status is CheckStatus.failed
    assert not outcome.passed


@pytest.mark.parametrize("rule", ["margin = 0.03", 'test = "mcnemar"'])
def test_a_model_as_good_as_the_champion_passes_and_a_worse_one_does_not(trips: Any, rule: str) -> None:
    text = DATA + f'[champion]\nmetric = "accuracy"\n{rule}'
    assert gate(trips.workspace, "trips:2", text).passed
    worse = gate(trips.workspace, "trips:3", text)
    assert not worse.passed
    assert "trips:1" in worse.checks[-1].message
    itself = gate(trips.workspace, "trips:1", text)
    assert itself.passed
    assert itself.checks[0].status is CheckStatus.skipped


def test_rows_that_a_model_was_fitted_on_are_no_held_out_rows(trips: Any) -> None:
    text = '[data]\nref = "trips@v2"\n[metrics]\naccuracy = { at_least = 0.1 }\n'
    outcome = gate(trips.workspace, "trips:2", text)
    assert [check.name for check in outcome.checks] == ["data.held_out"]
    assert not outcome.passed
    assert gate(trips.workspace, "trips:2", text.replace("\n[m", "\nallow_training_rows = true\n[m")).passed


def test_parity_latency_size_and_recorded_metrics(trips: Any) -> None:
    outcome = gate(
        trips.workspace,
        "trips:2",
        """
        [recorded]
        accuracy = { at_least = 0.5 }
        acuracy = { at_least = 0.5 }
        [parity]
        max_difference = 1e-6
        label_agreement = 1.0
        [latency]
        p50 = "2s"
        p99 = "0ms"
        requests = 100
        [size]
        graph = "10B"
        model = "1GB"
        """,
    )
    checks = found(outcome)
    failed = {name for name, check in checks.items() if check.status is CheckStatus.failed}
    assert failed == {"recorded.acuracy", "latency.p99", "size.graph"}
    assert "Did you mean 'accuracy'?" in checks["recorded.acuracy"].message
    assert set(checks) - failed == {
        "recorded.accuracy",
        "parity.max_difference",
        "parity.label_agreement",
        "latency.p50",
        "size.model",
    }


def test_data_that_fails_its_suite_fails_the_gate(trips: Any) -> None:
    text = '[validation]\nrefs = ["held-out@v1"]'
    without = gate(trips.workspace, "trips:2", text)
    assert "has no suite" in without.checks[0].message
    suite = propose_suite(trips.workspace, "held-out@v1").content
    save_suite(trips.workspace, "held-out", suite)
    assert gate(trips.workspace, "trips:2", text).passed
    snapshot(trips.workspace, "held-out", trips.held_out.assign(n=-1_000_000))
    assert not gate(trips.workspace, "trips:2", text.replace("@v1", "@v2")).passed


def test_rows_the_model_cannot_answer_fail_with_the_reason(trips: Any) -> None:
    snapshot(trips.workspace, "strange", trips.held_out.drop(columns="city"))
    text = '[data]\nref = "strange@v1"\n[metrics]\naccuracy = { at_least = 0.1 }'
    outcome = gate(trips.workspace, "trips:2", text)
    assert "no column 'city'" in outcome.checks[0].message
    snapshot(trips.workspace, "unknown", trips.held_out.assign(answer="never"))
    other = gate(trips.workspace, "trips:2", text.replace("strange", "unknown"))
    assert "'never' in 'answer' is no label" in other.checks[0].message
    with pytest.raises(NotFoundError):
        gate(trips.workspace, "trips:2", text.replace("strange", "nowhere"))
    with pytest.raises(InvalidInputError, match="no column 'truth'"):
        gate(trips.workspace, "trips:2", text.replace("[m", 'target = "truth"\n[m'))
    with pytest.raises(InvalidInputError, match="nothing to judge"):
        gate(trips.workspace, "trips:2", "")


def test_every_outcome_is_kept_on_the_version_and_audited(trips: Any) -> None:
    text = '[size]\nmodel = "1GB"'
    before = len(list_gate_outcomes(trips.workspace, "trips:3", limit=500))
    kept = gate(trips.workspace, "trips:3", text)
    assert kept.number == before + 1
    assert kept.gates == text
    assert list_gate_outcomes(trips.workspace, "trips:3")[0] == kept
    gate(trips.workspace, "trips:3", text.replace("1GB", "1B"))
    summary = get_model(trips.workspace, "trips:3").gate
    assert summary is not None
    assert (summary.passed, summary.n_checks, summary.n_failed) == (False, 1, 1)
    assert list_model_versions(trips.workspace, "trips")[0].gate == summary
    entry = audit.list_entries(trips.workspace.database, subject="trips:3", limit=1)[0]
    assert entry.operation == "gates.gate"
    assert entry.details["failed"] == ["size.model"]


def test_the_command_leaves_with_the_verdict_and_writes_junit(trips: Any, tmp_path: Path) -> None:
    gates, junit = tmp_path / "gates.toml", tmp_path / "gates.xml"
    words = ["gate", "trips:2", "--file", str(gates), "--junit", str(junit), "--workspace", trips.workspace.location]
    gates.write_text(
        '[size]\nmodel = "1GB"\n[champion]\nmetric = "accuracy"\nmargin = 0.05\nagainst = "trips:2"\n' + DATA
    )
    passed = CliRunner().invoke(main, words)
    assert passed.exit_code == 0, passed.output
    root = ElementTree.fromstring(junit.read_bytes())
    assert root.find("testsuite").attrib["tests"] == "2"  # type: ignore[union-attr]
    assert root.find("testsuite").attrib["skipped"] == "1"  # type: ignore[union-attr]
    gates.write_text('[size]\nmodel = "1B"')
    failed = CliRunner().invoke(main, [*words, "--json"])
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["passed"] is False
    case = ElementTree.fromstring(junit.read_bytes()).find("testsuite/testcase")
    assert case is not None
    assert (case.attrib["classname"], case.attrib["name"]) == ("snapml.gate.size", "model")
    assert "allowed 1 B" in case.find("failure").attrib["message"]  # type: ignore[union-attr]
    gates.write_text("[sice]")
    wrong = CliRunner().invoke(main, words)
    assert wrong.exit_code == 2
    assert "Did you mean 'size'?" in wrong.stderr
    gates.unlink()
    assert CliRunner().invoke(main, words).exit_code == 2
    shown = CliRunner().invoke(main, ["model", "show", "trips:2", "--workspace", trips.workspace.location])
    assert "size.model" in shown.output


def test_messages_that_xml_cannot_say_do_not_break_the_report(trips: Any) -> None:
    outcome = gate(trips.workspace, "trips:2", '[recorded]\n"a\\u0001<b>&\\u0000" = { at_least = 1 }')
    case = ElementTree.fromstring(gate_junit(outcome)).find("testsuite/testcase")
    assert case is not None
    assert case.attrib["name"] == "a\ufffd<b>&\ufffd"
    assert "FAILED" in gate_text(outcome)
