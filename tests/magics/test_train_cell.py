"""`%%snap_train` in a real kernel: the cell runs as if the line were not there, and everything about it is recorded."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from snapml_jupyter.domain.run import Run, RunStatus
from snapml_jupyter.registry.versions import get_model
from snapml_jupyter.runs.models import get_run_model
from snapml_jupyter.runs.programs import get_program
from snapml_jupyter.runs.queries import get_run, list_metric_points, list_runs

TRAIN = """%%snap_train late --seed 7 -p depth=3 -t owner=ada --note "first try" --register late
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X, y = df[["a"]], df["late"]
model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X, y)
print("fitted")
for i in range(3):
    run.log_metric("loss", 1 / (i + 1))
roc_auc_score(y, model.predict_proba(X)[:, 1])
"""


def plain(traceback: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", traceback)


def newest(kernel: Any) -> Run:
    run: Run = list_runs(kernel.workspace, limit=1)[0]
    return run


def test_a_cell_is_recorded_with_its_data_params_metrics_output_and_model(kernel: Any) -> None:
    outcome = kernel.run(TRAIN)
    assert outcome.status == "ok", outcome.traceback
    assert outcome.stdout == "fitted\n"
    assert float(outcome.text) > 0.5
    run = get_run(kernel.workspace, "late")
    assert run.status is RunStatus.finished
    assert run.seed == 7
    assert run.note == "first try"
    assert float(run.tags.pop("fit_seconds")) > 0
    assert run.tags == {"owner": "ada"}
    assert run.code == TRAIN
    assert run.source.cell_id == "cell-1"
    assert run.source.notebook_path == str(kernel.folder / "flights.ipynb")
    assert run.params["depth"] == 3
    assert run.params["estimator"] == "Pipeline"
    assert run.params["logisticregression"] == "LogisticRegression"
    assert run.params["logisticregression__C"] == 0.5
    assert run.metrics["loss"] == 1 / 3
    assert run.metrics["roc_auc_score"] == float(outcome.text)
    assert [p.step for p in list_metric_points(kernel.workspace, run.run_id, "loss")] == [0, 1, 2]
    assert [(i.variable, i.dataset_ref, i.n_rows) for i in run.inputs] == [("df", "df@v1", 200)]
    (printed,) = [a for a in run.artifacts if a.path == "stdout.txt"]
    assert kernel.workspace.blobs.read(printed.digest) == b"fitted\n"
    model = get_run_model(kernel.workspace, run.run_id)
    assert model.variable == "model"
    assert model.training_ref == "df@v1"
    assert model.signature.target == "late"
    assert [c.name for c in model.signature.inputs] == ["a"]
    version = get_model(kernel.workspace, "late@champion")
    assert version.run_id == run.run_id
    assert run.environment_digest


def test_the_card_says_what_was_recorded(kernel: Any) -> None:
    outcome = kernel.run(TRAIN)
    assert "late  ● finished" in outcome.card
    assert "df@v1 (200 × 3)" in outcome.card
    assert re.search(r"late:\d+ ", outcome.card)
    assert "roc_auc_score 0." in outcome.card
    page = outcome.displays[-1]["text/html"]
    assert "var(--jp-ui-font-color1,inherit)" in page
    assert "<script" not in page


def test_run_is_bound_during_the_cell_only(kernel: Any) -> None:
    kernel.run("run = 'mine'")
    outcome = kernel.run("%%snap_train\nprint(run.name)")
    assert outcome.stdout == newest(kernel).name + "\n"
    assert kernel.value("run") == "mine"
    kernel.run("del run")
    kernel.run("%%snap_train\nrun.log_metric('m', 1)")
    assert kernel.value("'run' in globals()") is False


def test_a_traceback_is_the_users_own_at_the_users_own_line(kernel: Any) -> None:
    outcome = kernel.run("%%snap_train broken\nx = 1\ndef f():\n    return 1 / 0\n\nf()\n")
    assert outcome.status == "error"
    assert outcome.reply["ename"] == "ZeroDivisionError"
    shown = plain(outcome.traceback)
    assert re.search(r"Cell In\[\d+\], line 6", shown)
    assert "----> 4     return 1 / 0" in shown
    assert "snapml" not in shown.replace("snap_train", "")
    assert "hidden" not in shown
    run = get_run(kernel.workspace, "broken")
    assert run.status is RunStatus.failed
    assert run.error is not None
    assert (run.error.type, run.error.message, run.error.line) == ("ZeroDivisionError", "division by zero", 4)
    assert "ipykernel" not in run.error.traceback.replace("/tmp/ipykernel", "").replace("ipykernel_", "")
    assert "line 4" in outcome.card


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("%%snap_train lines\n\nhandle\n1 / 0", 3),
        ("\n\n%%snap_train lines\nhandle\n1 / 0", 2),  # IPython counts from the first line that is not blank
        ("get_ipython().run_cell_magic('snap_train', 'lines', '\\nhandle\\n1 / 0')", 3),
    ],
)
def test_lines_count_as_in_the_cell_for_errors_and_for_what_is_not_captured(kernel: Any, cell: str, line: int) -> None:
    kernel.run("handle = open('/dev/null')")
    outcome = kernel.run(cell)
    run = get_run(kernel.workspace, "lines")
    assert run.error is not None
    assert run.error.line == line + 1
    assert [missing.line for missing in get_program(kernel.workspace, run.run_id).missing] == [line]
    assert f"'handle' (line {line})" in outcome.card


def test_a_traceback_through_scikit_learn_shows_none_of_our_frames(kernel: Any) -> None:
    outcome = kernel.run(
        "%%snap_train\nfrom sklearn.linear_model import LogisticRegression\n"
        "LogisticRegression().fit(df[['a']], [1] * len(df))"
    )
    assert outcome.reply["ename"] == "ValueError"
    shown = plain(outcome.traceback)
    assert "----> 3 LogisticRegression().fit(df[['a']], [1] * len(df))" in shown
    assert "one class" in shown
    assert "capture/" not in shown
    assert newest(kernel).status is RunStatus.failed


def test_a_syntax_error_begins_no_run(kernel: Any) -> None:
    before = len(list_runs(kernel.workspace))
    outcome = kernel.run("%%snap_train\nif True\n    pass")
    assert outcome.reply["ename"] == "SyntaxError"
    assert len(list_runs(kernel.workspace)) == before


def test_top_level_await_works(kernel: Any) -> None:
    outcome = kernel.run("%%snap_train waits\nimport asyncio\nawait asyncio.sleep(0.01)\nrun.log_metric('m', 2)\n5")
    assert outcome.status == "ok", outcome.traceback
    assert outcome.text == "5"
    run = get_run(kernel.workspace, "waits")
    assert (run.status, run.metrics) == (RunStatus.finished, {"m": 2.0})
    outcome = kernel.run("%%snap_train waits\nimport asyncio\nawait asyncio.sleep(0.01)\nraise ValueError('late')")
    assert "line 4" in plain(outcome.traceback)
    run = get_run(kernel.workspace, "waits")
    assert run.error is not None
    assert run.error.line == 4


def test_an_interrupt_cancels_the_run_and_the_next_cell_starts_clean(kernel: Any) -> None:
    # ipykernel cancels an awaiting cell when what it waits for is there, so that wait is short.
    for code in (
        "import time\nprint('go', flush=True)\ntime.sleep(60)",
        "import asyncio\nprint('go')\nawait asyncio.sleep(2)",
    ):
        sent = []

        def interrupt(text: str, sent: list[int] = sent) -> None:
            if "go" in text and not sent:
                sent.append(1)
                kernel.manager.interrupt_kernel()

        outcome = kernel.run(f"%%snap_train stopped\n{code}", on_stdout=interrupt)
        assert outcome.status == "error"
        run = get_run(kernel.workspace, "stopped")
        assert run.status is RunStatus.cancelled, (run.status, run.error)
        assert "cancelled" in outcome.card
        outcome = kernel.run("%%snap_train after\nrun.log_metric('m', 1)")
        assert outcome.status == "ok", outcome.traceback
        assert get_run(kernel.workspace, "after").status is RunStatus.finished


def test_two_runs_in_a_row_and_out_of_order_are_their_own(kernel: Any) -> None:
    kernel.run("%%snap_train first\nrun.log_metric('m', 1)")
    kernel.run("%%snap_train second\nrun.log_metric('m', 2)")
    kernel.run("%%snap_train first\nrun.log_metric('m', 3)")
    runs = list_runs(kernel.workspace, limit=3)
    assert [(r.name, r.metrics["m"]) for r in runs] == [("first", 3.0), ("second", 2.0), ("first", 1.0)]
    assert all(r.status is RunStatus.finished for r in runs)


def test_snap_log_functions_write_to_the_cells_run(kernel: Any) -> None:
    outcome = kernel.run(
        "%%snap_train logs\nimport snapml_jupyter as snap\nsnap.log_metric('auc', 0.7)\nsnap.log_param('k', 'v')"
    )
    assert outcome.status == "ok", outcome.traceback
    run = get_run(kernel.workspace, "logs")
    assert run.metrics == {"auc": 0.7}
    assert run.params["k"] == "v"


def test_the_seed_is_set_for_random_and_numpy(kernel: Any) -> None:
    code = "%%snap_train --seed 5\nimport random\nprint(random.random(), np.random.random())"
    assert kernel.run(code).stdout == kernel.run(code).stdout != ""


def test_a_frame_is_kept_as_the_cell_reads_it_not_as_it_leaves_it(kernel: Any) -> None:
    kernel.run("small = pd.DataFrame({'n': [1, 2, 3]})")
    kernel.run("%%snap_train mutates\nsmall['n'] = small['n'] * 2\nsmall['m'] = 1")
    from snapml_jupyter.datasets.dataset import open_dataset

    kept = open_dataset(kernel.workspace, get_run(kernel.workspace, "mutates").inputs[0].dataset_ref).to_pandas()
    assert kept.to_dict("list") == {"n": [1, 2, 3]}


def test_a_model_fitted_on_other_rows_gets_a_training_version_of_its_own(kernel: Any) -> None:
    outcome = kernel.run(
        "%%snap_train part --register part\nfrom sklearn.linear_model import LogisticRegression\n"
        "part_model = LogisticRegression().fit(df[['a']].head(150), df['late'].head(150))"
    )
    assert outcome.status == "ok", outcome.traceback
    run = get_run(kernel.workspace, "part")
    model = get_run_model(kernel.workspace, run.run_id)
    assert model.training_ref == "part-training@v1"
    assert [i.variable for i in run.inputs] == ["df"]


def test_a_model_fitted_on_changed_values_is_not_said_to_come_from_the_input(kernel: Any) -> None:
    kernel.run("raw = df[['a', 'late']].copy()")
    kernel.run(
        "%%snap_train changed\nfrom sklearn.linear_model import LogisticRegression\n"
        "raw['a'] = raw['a'] * 2\nchanged_model = LogisticRegression().fit(raw[['a']], raw['late'])"
    )
    run = get_run(kernel.workspace, "changed")
    assert get_run_model(kernel.workspace, run.run_id).training_ref == "changed-training@v1"


def test_data_that_cannot_be_kept_is_named_and_does_not_stop_the_cell(kernel: Any) -> None:
    kernel.run("odd = pd.DataFrame({'o': [object(), object()]})")
    outcome = kernel.run("%%snap_train odd-data\nprint(len(odd))")
    assert outcome.status == "ok", outcome.traceback
    assert outcome.stdout == "2\n"
    assert "▲ 'odd' was read but is not kept" in outcome.card
    assert get_run(kernel.workspace, "odd-data").inputs == []


def test_data_gets_the_name_that_was_asked_for(kernel: Any) -> None:
    outcome = kernel.run("%%snap_train named --data flights=df\ndf.shape")
    assert outcome.status == "ok", outcome.traceback
    assert [i.dataset_ref for i in get_run(kernel.workspace, "named").inputs] == ["flights@v1"]


def test_wrong_use_is_one_sentence_and_records_nothing(kernel: Any) -> None:
    before = len(list_runs(kernel.workspace))
    for line, sentence in {
        "--must-be-valid": "%%snap_train has no option '--must-be-valid'. Its options: --experiment, --seed, --param, --tag",
        "a b": "does not know what to do with 'b'",
        "bad/name": "'bad/name' cannot name a run",
        "--register 'no good'": "'no good' cannot name a model",
        "--seed x": "argument --seed/-s: invalid int value: 'x'",
        "--seed -1": "A seed is a whole number",
        "-p depth": "write it as -p key=value",
        "-p a=1 -p a=2": "given more than once",
        "--data d=nothing": "there is no variable 'nothing'",
        "--data d=rng": "'rng' is a Generator, not a table",
        "--note 'open": "No closing quotation",
        "-p x={nope}": "{nope} cannot be replaced by a value: NameError",
    }.items():
        outcome = kernel.run(f"%%snap_train {line}\nprint('ran')")
        assert outcome.status == "error", line
        assert sentence in plain(outcome.traceback), outcome.traceback
        assert len(plain(outcome.traceback).splitlines()) == 1
        assert outcome.stdout == ""
    assert len(list_runs(kernel.workspace)) == before
    assert kernel.run("%%snap_train fine\n1").status == "ok"


def test_expressions_of_the_notebook_can_stand_in_the_line(kernel: Any) -> None:
    kernel.run("depth, names = 6, {'owner': 'ada b'}")
    outcome = kernel.run("%%snap_train sweep-{depth} -p depth={depth * 2} -t owner={names['owner']} -p json={{}}\n1")
    assert outcome.status == "ok", outcome.traceback
    run = newest(kernel)
    assert run.name == "sweep-6"
    assert run.params == {"depth": 12, "json": "{}"}
    assert run.tags == {"owner": "ada b"}


def test_the_line_form_explains_itself(kernel: Any) -> None:
    outcome = kernel.run("%snap_train late\n1")
    assert "Write %%snap_train, with two percent signs, as the first line" in outcome.traceback


def test_a_second_magic_in_the_same_cell_is_refused(kernel: Any) -> None:
    outcome = kernel.run("%%snap_train outer\nget_ipython().run_cell_magic('snap_train', 'inner', '1')")
    assert "already recorded as run outer" in plain(outcome.traceback)
    assert get_run(kernel.workspace, "outer").status is RunStatus.failed


def test_magics_and_shell_commands_inside_the_cell_work(kernel: Any) -> None:
    outcome = kernel.run(
        "%%snap_train inside\n%time x = df['a'].sum()\n!echo from the shell\nlines = !echo 3\nlines[0]"
    )
    assert outcome.status == "ok", outcome.traceback
    assert "from the shell" in outcome.stdout
    assert outcome.text == "'3'"
    assert [i.variable for i in get_run(kernel.workspace, "inside").inputs] == ["df"]


def test_it_works_below_other_cell_magics(kernel: Any) -> None:
    outcome = kernel.run("%%time\n%%snap_train timed\nrun.log_metric('m', df['a'].iloc[0])")
    assert outcome.status == "ok", outcome.traceback
    assert get_run(kernel.workspace, "timed").metrics != {}
    outcome = kernel.run("%%capture kept\n%%snap_train captured\nprint('quiet')")
    assert outcome.status == "ok", outcome.traceback
    assert outcome.stdout == ""
    assert get_run(kernel.workspace, "captured").status is RunStatus.finished
    assert kernel.value("kept.stdout") == "quiet\n"


def test_the_fallback_cell_magic_records_too(kernel: Any) -> None:
    outcome = kernel.run(
        "get_ipython().run_cell_magic('snap_train', 'script -p k=1', 'z = len(df)\\nrun.log_metric(\"m\", z)\\nz\\n')"
    )
    assert outcome.status == "ok", outcome.traceback
    assert outcome.text == "200"
    run = get_run(kernel.workspace, "script")
    assert (run.metrics, run.params) == ({"m": 200.0}, {"k": 1})
    assert run.code is not None
    assert run.code.startswith("%%snap_train script -p k=1\nz = len(df)")
    assert [i.variable for i in run.inputs] == ["df"]


def test_the_fallback_shows_the_users_line_and_explains_await(kernel: Any) -> None:
    outcome = kernel.run("get_ipython().run_cell_magic('snap_train', 'script', 'z = 1\\n1 / 0\\n')")
    assert outcome.reply["ename"] == "ZeroDivisionError"
    assert "----> 3 1 / 0" in plain(outcome.traceback)
    run = get_run(kernel.workspace, "script")
    assert run.error is not None
    assert run.error.line == 3
    outcome = kernel.run(
        "get_ipython().run_cell_magic('snap_train', 'script', 'import asyncio\\nawait asyncio.sleep(0)\\n')"
    )
    assert "`await` works in a recorded cell when %%snap_train is its first line" in plain(outcome.traceback)


def test_a_cell_that_ends_its_run_itself_is_left_alone(kernel: Any) -> None:
    outcome = kernel.run("%%snap_train ended\nrun.log_metric('m', 1)\nrun.finish()")
    assert outcome.status == "ok", outcome.traceback
    assert get_run(kernel.workspace, "ended").status is RunStatus.finished


def test_output_is_kept_up_to_a_limit_and_shown_whole(kernel: Any) -> None:
    outcome = kernel.run("%%snap_train chatty\nfor _ in range(3): print('x' * 500_000)")
    assert len(outcome.stdout) == 1_500_003
    run = get_run(kernel.workspace, "chatty")
    (printed,) = run.artifacts
    assert kernel.workspace.blobs.read(printed.digest).endswith(b"[cut here: 500,003 more characters were printed]\n")
    assert "printed more to stdout than is kept" in outcome.card


def test_an_empty_cell_is_a_run(kernel: Any) -> None:
    assert kernel.run("%%snap_train empty").status == "ok"
    assert get_run(kernel.workspace, "empty").status is RunStatus.finished


def test_an_error_that_cannot_be_shown_still_ends_the_run(kernel: Any) -> None:
    outcome = kernel.run("%%snap_train odd\nclass Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd")
    assert outcome.status == "error"
    assert get_run(kernel.workspace, "odd").status is RunStatus.failed


def test_asking_for_a_registration_without_a_model_says_so(kernel: Any) -> None:
    outcome = kernel.run("%%snap_train nothing --register nothing\n1")
    assert "▲ Nothing is registered as 'nothing': no fitted model was kept in this cell." in outcome.card


def test_the_kernels_end_ends_the_run(start_kernel: Callable[..., Any]) -> None:
    running = start_kernel()
    running.run("%load_ext snapml_jupyter")
    running.client.execute("%%snap_train left\nimport asyncio\nrun.log_metric('m', 1)\nawait asyncio.sleep(60)")
    until = time.monotonic() + 60
    while not any(run.metrics for run in list_runs(running.workspace)):
        assert time.monotonic() < until
        time.sleep(0.05)
    running.manager.shutdown_kernel()
    run = get_run(running.workspace, "left")
    assert (run.status, run.metrics) == (RunStatus.interrupted, {"m": 1.0})


def test_a_target_of_one_class_is_said_in_the_card(kernel: Any) -> None:
    kernel.run("import pandas as pd\nrows = pd.DataFrame({'a': [1.0, 2.0, 3.0]})")
    outcome = kernel.run(
        "%%snap_train one-class\nfrom sklearn.ensemble import RandomForestClassifier\n"
        "model = RandomForestClassifier(2).fit(rows, ['yes'] * 3)"
    )
    assert outcome.status == "ok"
    assert "The target had one class, 'yes', in all rows" in outcome.card
