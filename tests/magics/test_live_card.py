"""While a recorded cell runs, its card shows the time, the newest metrics and their curves; then it becomes the result."""

from __future__ import annotations

from typing import Any

import pytest

from snapml_jupyter.domain.run import RunStatus
from snapml_jupyter.replay.replaying import replay
from snapml_jupyter.runs.queries import get_run

CARD = "application/vnd.snapml.run+json"

LOOP = """%%snap_train looping
import time
for i in range(16):
    run.log_metric("loss", 1 / (1 + i))
    if i % 8 == 0:
        print("step", i, flush=True)
    time.sleep(0.1)
"the value"
"""


def cards(outcome: Any) -> list[tuple[float, str, dict[str, Any]]]:
    return [(seconds, kind, data[CARD]) for seconds, kind, data in outcome.changes if CARD in data]


def test_a_loop_shows_itself_grow_and_becomes_the_result_in_place(kernel: Any) -> None:
    outcome = kernel.run(LOOP)
    assert outcome.status == "ok", outcome.traceback
    seen = cards(outcome)
    assert [kind for _, kind, _ in seen] == ["display_data", *["update_display_data"] * (len(seen) - 1)]
    running = [card for _, _, card in seen if card["status"] == "running"]
    assert len(running) >= 3
    assert running[0]["seconds"] >= 0.5
    lengths = [len(card["metrics"][0]["curve"]) for card in running]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1]
    assert [card["seconds"] for card in running] == sorted(card["seconds"] for card in running)
    # At most about four times a second, whatever is logged.
    assert len(running) <= 4 * seen[-1][0] + 2
    last = seen[-1][2]
    assert (last["status"], last["run_id"], len(last["metrics"][0]["curve"])) == ("finished", running[0]["run_id"], 16)
    assert [CARD in data for data in outcome.displays] == [True]
    assert "█" in outcome.card
    assert (outcome.stdout, outcome.text) == ("step 0\nstep 8\n", "'the value'")


def test_a_cell_that_ends_at_once_shows_only_its_result(kernel: Any) -> None:
    outcome = kernel.run("%%snap_train quick\nrun.log_metric('loss', 1.0)")
    assert [(kind, card["status"]) for _, kind, card in cards(outcome)] == [("display_data", "finished")]


def test_the_card_stays_with_its_cell_while_another_is_queued(kernel: Any) -> None:
    kernel.send("%%snap_train first-of-two\nimport time\ntime.sleep(1.2)\nrun.log_metric('m', 1.0)")
    second = kernel.run("import time\nprint('second')\ntime.sleep(0.8)")
    assert second.stdout == "second\n"
    assert cards(second) == []
    assert get_run(kernel.workspace, "first-of-two").status is RunStatus.finished


def test_a_failed_and_an_interrupted_cell_say_so_in_the_live_card(kernel: Any) -> None:
    outcome = kernel.run("%%snap_train breaks\nimport time\ntime.sleep(0.8)\n1 / 0")
    states = [card["status"] for _, _, card in cards(outcome)]
    assert (states[0], states[-1]) == ("running", "failed")
    assert cards(outcome)[-1][2]["error"] == "ZeroDivisionError (line 4): division by zero"
    assert "line 4" in outcome.traceback
    assert "live_card" not in outcome.traceback
    assert len(outcome.displays) == 1

    sent: list[str] = []

    def interrupt(text: str) -> None:
        if "shown" in text and not sent:
            sent.append(text)
            kernel.manager.interrupt_kernel()

    outcome = kernel.run(
        "%%snap_train stopped-live\nimport time\ntime.sleep(0.9)\nprint('shown', flush=True)\ntime.sleep(60)",
        on_stdout=interrupt,
    )
    states = [card["status"] for _, _, card in cards(outcome)]
    assert (states[0], states[-1]) == ("running", "cancelled")
    assert len(outcome.displays) == 1
    assert get_run(kernel.workspace, "stopped-live").status is RunStatus.cancelled


def test_a_cell_that_clears_its_output_still_ends_with_its_card(kernel: Any) -> None:
    outcome = kernel.run(
        "%%snap_train clears\nimport time\nfrom IPython.display import clear_output, display\n"
        "time.sleep(0.8)\nclear_output(wait=True)\ndisplay('a plot')\ntime.sleep(0.1)"
    )
    states = [(kind, card["status"]) for _, kind, card in cards(outcome)]
    assert states[0] == ("display_data", "running")
    assert states[-1] == ("display_data", "finished")
    assert outcome.displays[0]["text/plain"] == "'a plot'"
    assert "clears  ● finished" in outcome.card


def test_an_output_widget_does_not_swallow_the_card(kernel: Any) -> None:
    kernel.run("import time, ipywidgets\nout = ipywidgets.Output()")
    outcome = kernel.run("%%snap_train redirected\nwith out:\n    time.sleep(1)")
    assert outcome.status == "ok", outcome.traceback
    # On a slow machine the card may be there before the widget takes what is shown.
    assert cards(outcome)[-1][2]["status"] == "finished"
    assert [CARD in data for data in outcome.displays] == [True]
    assert "redirected  ● finished" in outcome.card


@pytest.mark.parametrize("metadata", [{}, {"other": 1}])
def test_a_client_that_is_no_notebook_gets_the_result_only(kernel: Any, metadata: dict[str, Any]) -> None:
    outcome = kernel.run("%%snap_train quiet\nimport time\ntime.sleep(0.8)", metadata=metadata)
    assert [(kind, card["status"]) for _, kind, card in cards(outcome)] == [("display_data", "finished")]


def test_metrics_that_a_library_records_show_while_it_fits(kernel: Any) -> None:
    kernel.run(
        "import numpy as np\nfrom sklearn.linear_model import SGDClassifier\n"
        "rows = np.random.default_rng(1).normal(size=(400, 4)); labels = (rows.sum(1) > 0).astype(int)"
    )
    outcome = kernel.run(
        "%%snap_train partial\nimport time\nfrom sklearn.metrics import log_loss\nmodel = SGDClassifier(loss='log_loss')\n"
        "for _ in range(10):\n    model.partial_fit(rows, labels, classes=[0, 1])\n"
        "    log_loss(labels, model.predict_proba(rows)); time.sleep(0.12)"
    )
    assert outcome.status == "ok", outcome.traceback
    running = [card for _, _, card in cards(outcome) if card["status"] == "running"]
    names = {metric["name"] for card in running for metric in card["metrics"]}
    assert "log_loss" in names


def test_a_live_card_draws_no_random_numbers(kernel: Any) -> None:
    code = "%%snap_train drawn --seed 3\nimport time, random\nfirst = np.random.rand()\ntime.sleep({})\n(first, np.random.rand(), random.random())"
    assert kernel.run(code.format(0)).text == kernel.run(code.format(0.8)).text


def test_nor_does_keeping_the_program_of_a_cell_that_runs_long(kernel: Any) -> None:
    """What a new generator is seeded with is kept: numbers taken from it by anything else would be missing in the replay."""
    kernel.run("%%snap_train lasting\nimport time\ntime.sleep(1.5)\nvalue = np.random.default_rng().random()")
    assert replay(kernel.workspace, "lasting").verdict.value == "identical"
