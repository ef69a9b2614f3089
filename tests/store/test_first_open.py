"""Several processes may be the first to open a workspace: kernel, server, host and CLI often start together."""

from __future__ import annotations

import threading
from pathlib import Path

from snapml_jupyter.store.workspace import Workspace


def test_many_open_a_new_workspace_at_once(tmp_path: Path) -> None:
    for attempt in range(10):
        gate = threading.Barrier(6)
        failures: list[BaseException] = []

        def open_it(folder: Path, gate: threading.Barrier, failures: list[BaseException]) -> None:
            gate.wait()
            try:
                Workspace(folder, actor="ada").database.rows("SELECT * FROM runs")
            except BaseException as error:  # carried to the test's own thread
                failures.append(error)

        threads = [threading.Thread(target=open_it, args=(tmp_path / str(attempt), gate, failures)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
