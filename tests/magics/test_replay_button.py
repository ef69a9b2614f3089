"""The Replay button asks the kernel, which replays in a process of its own and tells the verdict or why there is none."""

from __future__ import annotations

import time
from typing import Any

from snapml_jupyter.magics.replay_button import TARGET
from snapml_jupyter.runs.programs import list_replays
from snapml_jupyter.runs.queries import get_run


def press(kernel: Any, run_id: str) -> dict[str, Any] | None:
    """What the button's comm hears; None when the kernel closes it without a word."""
    content = {"comm_id": f"button-{time.monotonic_ns()}", "target_name": TARGET, "data": {"run_id": run_id}}
    kernel.client.shell_channel.send(kernel.client.session.msg("comm_open", content))
    until = time.monotonic() + 120
    while time.monotonic() < until:
        heard = kernel._next(until)
        if heard["content"].get("comm_id") == content["comm_id"]:
            if heard["msg_type"] == "comm_msg":
                return dict(heard["content"]["data"])
            if heard["msg_type"] == "comm_close":
                return None
    raise AssertionError("the button got no answer")


def test_the_button_gets_the_verdict_while_the_kernel_does_other_work(kernel: Any) -> None:
    kernel.run("%%snap_train pressed --seed 4\nvalue = float(np.random.rand())\nrun.log_metric('value', value)")
    run = get_run(kernel.workspace, "pressed")
    # The verdict is another process's: this one keeps no trace of it in the notebook.
    assert press(kernel, run.run_id) == {"verdict": "identical", "because": None}
    assert [report.verdict.value for report in list_replays(kernel.workspace, run.run_id)] == ["identical"]
    assert kernel.value("'pressed' in globals()") is False


def test_what_cannot_be_replayed_is_said(kernel: Any) -> None:
    answer = press(kernel, "nothing-of-that-name")
    assert answer is not None
    assert answer["error"].startswith("There is no run 'nothing-of-that-name'")


def test_a_kernel_without_the_extension_closes_at_once(kernel: Any) -> None:
    kernel.run("%unload_ext snapml_jupyter")
    try:
        assert press(kernel, "any") is None
    finally:
        kernel.run("%load_ext snapml_jupyter")
