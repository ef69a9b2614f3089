"""A real kernel, as a notebook has it, with a workspace of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from snapml_jupyter.store.workspace import Workspace

CARD = "application/vnd.snapml.run+json"


@dataclass
class Outcome:
    """What one cell gave: the reply and everything that was shown, in order."""

    reply: dict[str, Any] = field(default_factory=dict)
    stdout: str = ""
    stderr: str = ""
    results: list[dict[str, Any]] = field(default_factory=list)
    displays: list[dict[str, Any]] = field(default_factory=list)
    #: The same as they stood at each change, with the time since the cell was sent.
    changes: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    traceback: str = ""
    _by_id: dict[str, int] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return str(self.reply["status"])

    @property
    def text(self) -> str:
        """The last expression's value as text."""
        return str(self.results[-1]["text/plain"]) if self.results else ""

    @property
    def card(self) -> str:
        """The result card as text."""
        cards = [shown for shown in self.displays if CARD in shown]
        return str(cards[-1]["text/plain"]) if cards else ""

    def hear(self, kind: str, content: dict[str, Any], seconds: float) -> None:
        """A display is added, changed or cleared, as a notebook does it."""
        if kind == "clear_output":
            self.displays.clear()
            self._by_id.clear()
            return
        self.changes.append((seconds, kind, content["data"]))
        display_id = content.get("transient", {}).get("display_id")
        if kind == "display_data":
            self.displays.append(content["data"])
            if display_id is not None:
                self._by_id[display_id] = len(self.displays) - 1
        elif display_id in self._by_id:
            self.displays[self._by_id[display_id]] = content["data"]


class Kernel:
    """A running kernel; `run` executes a cell as a front end does, with a cell id."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.workspace_folder = folder / "workspace"
        self.manager = KernelManager()
        self.manager.start_kernel(
            cwd=str(folder),
            env={
                **os.environ,
                "SNAPML_WORKSPACE": str(self.workspace_folder),
                "SNAPML_ACTOR": "ada",
                "IPYTHONDIR": str(folder / "ipython"),
                "JPY_SESSION_NAME": str(folder / "flights.ipynb"),
                **environment,
            },
        )
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    @property
    def workspace(self) -> Workspace:
        """What the kernel wrote, read from this process."""
        return Workspace(self.workspace_folder, actor="ada")

    def send(self, code: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
        """Queue a cell, as a notebook does when none is given; gives the request."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message: dict[str, Any] = self.client.session.msg("execute_request", {**content, "stop_on_error": True})
        message["metadata"] = {"cellId": "cell-1"} if metadata is None else metadata
        self.client.shell_channel.send(message)
        return message

    def run(
        self,
        code: str,
        *,
        on_stdout: Callable[[str], None] | None = None,
        timeout: float = 120,
        metadata: dict[str, Any] | None = None,
    ) -> Outcome:
        began = time.monotonic()
        message = self.send(code, metadata)
        outcome, until = Outcome(), time.monotonic() + timeout
        while True:
            heard = self._next(until)
            if heard["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            kind, content = heard["msg_type"], heard["content"]
            if kind == "stream":
                setattr(outcome, content["name"], getattr(outcome, content["name"]) + content["text"])
                if on_stdout is not None and content["name"] == "stdout":
                    on_stdout(outcome.stdout)
            elif kind == "execute_result":
                outcome.results.append(content["data"])
            elif kind in ("display_data", "update_display_data", "clear_output"):
                outcome.hear(kind, content, time.monotonic() - began)
            elif kind == "error":
                outcome.traceback += "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle":
                break
        while True:
            reply = self.client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                outcome.reply = reply["content"]
                return outcome

    def value(self, expression: str) -> Any:
        """A value of the notebook, through its repr."""
        import ast

        outcome = self.run(f"print(repr({expression}))")
        assert outcome.status == "ok", outcome.traceback
        return ast.literal_eval(outcome.stdout.strip())

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def _next(self, until: float) -> dict[str, Any]:
        while True:
            try:
                message: dict[str, Any] = self.client.get_iopub_msg(timeout=1)
                return message
            except Empty:
                assert time.monotonic() < until, "the kernel said nothing more"
                assert self.manager.is_alive(), "the kernel died"


@pytest.fixture(scope="module")
def start_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Kernel]]:
    started: list[Kernel] = []

    def start(**environment: str) -> Kernel:
        started.append(Kernel(tmp_path_factory.mktemp("notebook"), **environment))
        return started[-1]

    yield start
    for kernel in started:
        kernel.stop()


@pytest.fixture(scope="module")
def kernel(start_kernel: Callable[..., Kernel]) -> Kernel:
    """A kernel with the extension loaded and a frame `df` of 200 rows."""
    running = start_kernel()
    outcome = running.run(
        "%load_ext snapml_jupyter\n"
        "import numpy as np, pandas as pd\n"
        "rng = np.random.default_rng(0)\n"
        "df = pd.DataFrame({'a': rng.normal(size=200), 'b': rng.choice(list('xyz'), 200)})\n"
        "df['late'] = (df['a'] + rng.normal(size=200)) > 0\n"
    )
    assert outcome.status == "ok", outcome.traceback
    return running
