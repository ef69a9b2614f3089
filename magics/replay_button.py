"""What a Replay button asks the kernel for: a replay in the kernel's environment, beside the notebook.

It runs in a process of its own, so the notebook's state and a cell that runs meanwhile are left alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

#: Under this name the front end asks; `labextension/src/card/replaying.ts` does.
TARGET = "snapml.replay"


def listen(shell: Any) -> None:
    """Answer the button, where there is a kernel that can be asked."""
    manager = _manager(shell)
    if manager is not None:
        manager.register_target(TARGET, _asked)


def listen_no_more(shell: Any) -> None:
    """Take it out again."""
    manager = _manager(shell)
    if manager is not None:
        manager.targets.pop(TARGET, None)


def _manager(shell: Any) -> Any:
    return getattr(getattr(shell, "kernel", None), "comm_manager", None)


def _asked(comm: Any, message: dict[str, Any]) -> None:
    from ..public.current import workspace

    def answered(answer: dict[str, str | None]) -> None:
        comm.send(answer)
        comm.close()

    start_replay(workspace(), str(message["content"]["data"].get("run_id", "")), answered)


def start_replay(
    used: Workspace | RemoteWorkspace, run_id: str, answered: Callable[[dict[str, str | None]], None]
) -> None:
    """Replay a run in a process of its own. `answered` is called by a thread, with `verdict` and `because` or with `error`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "snapml_jupyter.cli", "replay", "--json", "--workspace", used.location, "--", run_id],
        env={**os.environ, "SNAPML_ACTOR": used.actor},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    threading.Thread(target=_answer, args=(process, answered), name="snapml-replay-button", daemon=True).start()


def _answer(process: subprocess.Popen[str], answered: Callable[[dict[str, str | None]], None]) -> None:
    """Wait for the verdict and tell it."""
    printed, complaints = process.communicate()
    answered(_verdict(printed) or {"error": _sentence(complaints)})


def _verdict(printed: str) -> dict[str, str | None] | None:
    try:
        report = json.loads(printed)
        causes = [*report["causes"], report["reason"]]
        return {"verdict": report["verdict"], "because": next((cause for cause in causes if cause), None)}
    except (ValueError, KeyError, TypeError):
        return None


def _sentence(complaints: str) -> str:
    """The error as the command line said it."""
    last = complaints.strip().rpartition("\n")[2]
    try:
        return str(json.loads(last)["message"])
    except (ValueError, KeyError, TypeError):
        return last or "The replay ended without an answer."
