"""Line magics in a real kernel: each gives its record and shows it, and says in a sentence what is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest

TRAIN = """%%snap_train late --register late
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit(df[["a"]], df["late"])
"""


@pytest.fixture(scope="module", autouse=True)
def trained(kernel: Any) -> None:
    outcome = kernel.run(TRAIN)
    assert outcome.status == "ok", outcome.traceback


def test_snap_says_where_we_are_and_what_there_is(kernel: Any) -> None:
    outcome = kernel.run("%snap")
    assert outcome.status == "ok", outcome.traceback
    assert str(kernel.workspace_folder) in outcome.text
    assert "late  ● finished" in outcome.text
    assert "%%snap_train" in outcome.text
    assert "text/html" in outcome.results[-1]


def test_runs_are_a_list_and_a_table(kernel: Any) -> None:
    outcome = kernel.run("%snap_runs")
    assert re.search(r"RUN +STATUS", outcome.text)
    assert "<table" in outcome.results[-1]["text/html"]
    assert kernel.run("runs = %snap_runs --status finished --limit 1 late").text == ""
    assert kernel.value("[r.name for r in runs]") == ["late"]
    assert kernel.value("list(runs.to_pandas()['name'])") == ["late"]
    assert kernel.value("runs[0].name") == "late"
    kernel.run("found = %snap_runs --where \"name = 'late'\" --sort name")
    assert kernel.value("[r.name for r in found]") == ["late"]
    assert kernel.run("%snap_runs nobody").text.startswith("No runs yet.")


def test_a_variable_becomes_a_dataset_version(kernel: Any) -> None:
    outcome = kernel.run('version = %snap_data weather df -m "first of May"\nversion')
    assert outcome.status == "ok", outcome.traceback
    assert outcome.text.startswith("weather@v1")
    assert kernel.value("(version.ref, version.message, version.is_new)") == ("weather@v1", "first of May", True)
    again = kernel.run("%snap_data weather df")
    assert "same content as before" in again.text
    assert "weather@v1" in kernel.run("%snap_data").text
    assert "first of May" in kernel.run("%snap_data weather").text


def test_versions_are_compared_profiled_named_and_exported(kernel: Any) -> None:
    kernel.run(
        "rows = df.reset_index(names='row')\nlater = rows.assign(a=rows['a'].where(rows['row'] != 3, 99.0)).iloc[:-1]"
    )
    kernel.run("%snap_data compared rows\n%snap_data compared later")
    outcome = kernel.run("found = %snap_data diff compared@v1 compared@v2 --on row\nfound")
    assert outcome.status == "ok", outcome.traceback
    assert kernel.value("(found.n_added, found.n_removed, found.n_changed)") == (0, 1, 1)
    assert "~ changed" in outcome.text and "→ 99" in outcome.text
    assert "− removed" in outcome.text and "<table" in outcome.results[-1]["text/html"]
    assert "%snap_data diff: name two versions" in kernel.run("%snap_data diff compared@v1").traceback
    assert re.search(r"COLUMN +TYPE", kernel.run("%snap_data profile compared").text)
    kernel.run("%snap_data alias compared@v1 first")
    assert (
        kernel.value("get_ipython().run_line_magic('snap_data', 'profile compared@first').dataset_ref") == "compared@v1"
    )
    assert "ALSO CALLED" in kernel.run("%snap_data compared").text
    kernel.run("import tempfile\nfolder = tempfile.mkdtemp()\n%snap_data export compared@first {folder}/x.csv")
    assert kernel.value("open(folder + '/x.csv').readline().count(',')") >= 1


def test_a_suite_is_proposed_kept_and_checked(kernel: Any) -> None:
    kernel.run("checked = df.assign(kind=['a', 'b'] * (len(df) // 2))\n%snap_data checked checked")
    outcome = kernel.run("%snap_validate checked --propose")
    assert outcome.status == "ok", outcome.traceback
    assert "kind:" in outcome.text and "white-space:pre-wrap" in outcome.results[-1]["text/html"]
    assert "has no suite" in kernel.run("%snap_validate checked").traceback
    outcome = kernel.run("%%snap_suite checked\ncolumns:\n  kind: {values: [a]}\n")
    assert outcome.status == "ok", outcome.traceback
    assert outcome.text.startswith("checked@v1  ✕ failed")
    kernel.run("report = %snap_validate checked")
    assert kernel.value("set(report.failing_rows['kind'])") == {"b"}
    refused = kernel.run("%%snap_train strict --require-valid --data checked=checked\nran = len(checked)")
    assert "The cell was not run" in refused.traceback and kernel.value("'ran' in globals()") is False
    warned = kernel.run("%%snap_train lenient --data checked=checked\nran = len(checked)")
    assert "checked@v1 fails its suite" in str(warned)
    assert kernel.value("get_ipython().run_line_magic('snap_runs', 'lenient')[0].tags") == {
        "invalid_data": "checked@v1"
    }
    assert "no YAML" in kernel.run("%%snap_suite checked\ncolumns: [").traceback


def test_models_are_registered_and_promoted(kernel: Any) -> None:
    assert "late:1" in kernel.run("%snap_models").text
    outcome = kernel.run("made = %snap_register late second\nmade")
    assert outcome.text.startswith("second:1  champion"), outcome.traceback
    assert "second:1" in kernel.run("%snap_models second").text
    outcome = kernel.run("%snap_promote second:1 production")
    assert "production" in outcome.text
    outcome = kernel.run("%snap_promote second:1 @challenger")
    assert "challenger" in outcome.text


def test_expressions_stand_for_their_values(kernel: Any) -> None:
    kernel.run("name = 'late'")
    assert "late:1" in kernel.run("%snap_models {name}").text
    assert kernel.value("[len(get_ipython().run_line_magic('snap_models', n)) for n in ('late', '{name}')]") == [1, 1]


def test_drift_between_variables_and_between_versions(kernel: Any) -> None:
    kernel.run("moved = df.assign(a=df['a'] + 3)\nsame = df.copy()")
    outcome = kernel.run("report = %snap_drift df moved\nreport")
    assert outcome.status == "ok", outcome.traceback
    assert kernel.value("report.drifted_columns") == ["a"]
    assert "▲ drifted" in outcome.text
    kernel.run("%snap_data before df\n%snap_data after moved")
    kernel.run("report = %snap_drift before@v1 after@v1")
    assert kernel.value("report.drifted_columns") == ["a"]


def test_a_new_api_key_is_not_printed_into_the_notebook(kernel: Any) -> None:
    outcome = kernel.run(
        "from datetime import datetime, timezone\n"
        "from snapml_jupyter.domain.endpoint import DeployOutcome, Deployment, DeploymentStatus, EndpointInfo\n"
        "now, version = datetime.now(timezone.utc), get_ipython().run_line_magic('snap_models', 'late')[0]\n"
        "deployment = Deployment(endpoint='late', number=1, model_ref='late:1', onnx_digest='', signature=version.signature,\n"
        "    status=DeploymentStatus.live, share_fraction=1.0, created_at=now, created_by='ada')\n"
        "info = EndpointInfo(name='late', model_name='late', created_at=now, created_by='ada', deployments=[deployment])\n"
        "DeployOutcome(endpoint=info, deployment=deployment, api_key='snapml_secret')"
    )
    assert outcome.status == "ok", outcome.traceback
    assert "late  ● live" in outcome.text
    assert "`.api_key` of this object holds it" in outcome.text
    assert "snapml_secret" not in str(outcome.results)

    shown = kernel.run(
        "from dataclasses import replace\n"
        "from snapml_jupyter.magics.endpoint_card import show_key, snippets\n"
        "show_key(get_ipython(), 'snapml_secret')\n"
        "snippets(replace(info, url='http://127.0.0.1:1/endpoints/late/predict'))"
    )
    assert "curl http://127.0.0.1:1/endpoints/late/predict" in shown.text
    assert "$SNAPML_API_KEY" in shown.text
    assert "snapml_secret" not in str(shown.displays) + str(shown.results)
    kernel.run(
        "import ipywidgets\n"
        "of = [w for w in ipywidgets.widgets.widget._instances.values()]\n"
        "button = [w for w in of if isinstance(w, ipywidgets.Button)][-1]\n"
        "place = [w for w in of if isinstance(w, ipywidgets.HTML)][-1]\n"
        "button.click()"
    )
    assert kernel.value("place.value") == "<code>snapml_secret</code>"
    kernel.run("button.click()")
    assert kernel.value("(place.value, button.disabled)") == ("", True)


def test_nothing_yet_is_said_with_what_to_do(kernel: Any) -> None:
    assert kernel.run("%snap_endpoints").text == "No endpoints yet. Deploy a model with %snap_deploy MODEL."
    assert kernel.run("%snap_alerts").text.startswith("No alerts.")


def test_what_is_wrong_is_one_sentence(kernel: Any) -> None:
    for line, kind, sentence in [
        ("%snap_models lata", "NotFoundError", "There is no model 'lata'. Did you mean 'late'?"),
        ("%snap_data nix", "NotFoundError", "There is no dataset 'nix'"),
        ("%snap_data new nope", "InvalidInputError", "there is no variable 'nope'"),
        ("%snap_data a/b df", "InvalidInputError", "'a/b' cannot name a dataset"),
        ("%snap_data weather -m x", "InvalidInputError", "say which variable to keep"),
        ("%snap_register late", "InvalidInputError", "required: NAME. Usage: %snap_register RUN NAME"),
        ("%snap_register nobody late", "NotFoundError", "nobody"),
        ("%snap_promote late:9 production", "NotFoundError", "late"),
        ("%snap_promote late:1 nowhere", "InvalidInputError", "Stages: none, staging, production, archived"),
        ("%snap_deploy lata", "NotFoundError", "There is no model 'lata'"),
        ("%snap_monitor nix", "NotFoundError", "nix"),
        ("%snap_feedback nix df", "InvalidInputError", "no column 'request_id'"),
        ("%snap_runs --limit many", "InvalidInputError", "invalid int value: 'many'"),
        (
            "%snap_runs --wher x",
            "InvalidInputError",
            "no option '--wher'. Its options: --status, --where, --sort, --top-level, --limit",
        ),
        ("%snap_models {1/0}", "InvalidInputError", "{1/0} cannot be replaced by a value: ZeroDivisionError"),
    ]:
        outcome = kernel.run(line)
        shown = re.sub(r"\x1b\[[0-9;]*m", "", outcome.traceback)
        assert outcome.status == "error", line
        assert len(shown.splitlines()) == 1, shown
        assert kind in shown
        assert sentence in shown, shown


def test_an_error_of_a_magic_can_be_caught_as_what_it_is(kernel: Any) -> None:
    code = (
        "import snapml_jupyter as snap\ntry:\n    get_ipython().run_line_magic('snap_models', 'nix')\n"
        "except snap.SnapMLError as error:\n    print(type(error).__name__)"
    )
    assert kernel.run(code).stdout == "NotFoundError\n"


def complete(kernel: Any, text: str) -> list[str]:
    kernel.client.complete(text)
    matches: list[str] = kernel.client.get_shell_msg(timeout=60)["content"]["matches"]
    return matches


def test_tab_offers_options_and_names(kernel: Any) -> None:
    assert complete(kernel, "%%snap_train late --re") == ["--register", "--require-valid"]
    assert "%snap_models" in complete(kernel, "%snap_mod")
    assert "late" in complete(kernel, "%snap_models la")
    assert "late:1" in complete(kernel, "x = %snap_deploy late:")
    assert complete(kernel, "%snap_promote late:1 prod") == ["production"]
    assert "df" in complete(kernel, "%snap_data weather d")
    kernel.run("%snap_data tabbed df\n%snap_data alias tabbed@v1 approved")
    assert {"tabbed@v1", "tabbed@approved", "tabbed@latest"} <= set(complete(kernel, "%snap_validate tabbed@"))
    assert complete(kernel, "%%snap_train late --register la") == ["late"]
