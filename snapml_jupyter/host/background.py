"""The host's heavy half, in a process of its own: takes in the inbox, runs the monitors, records the traffic.

`python -m snapml_jupyter.host.background FOLDER`. What it imports and how long it computes cannot stall the
supervision of the workers. It ends with its host.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sqlite3
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from ..domain.errors import SnapMLError
from ..serving.reports import list_workers, say
from ..store.rollouts import list_running
from ..store.workspace import Workspace
from .inbox import take_in
from .supervisor import stop_on_signal
from .traffic_record import TrafficRecord

#: Pauses between two looks, in seconds.
INBOX_SECONDS = 0.25
MONITOR_SECONDS = 1.0
ROLLOUT_SECONDS = 1.0
TRAFFIC_SECONDS = 1.0
_AFTER_FAILURE_SECONDS = 5.0


def main(arguments: list[str] | None = None) -> None:
    """Work until SIGTERM or until the host is gone."""
    parser = argparse.ArgumentParser(prog="python -m snapml_jupyter.host.background", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder
    parent = os.getppid()
    stopping = threading.Event()
    stop_on_signal(signal.SIGTERM, stopping)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with (folder / "host" / "background.lock").open("w") as lock:
        while not stopping.is_set() and os.getppid() == parent:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:  # that of a host that was killed is about to notice
                time.sleep(0.05)
        workspace = Workspace(folder, actor="host")
        threading.Thread(target=_monitor, args=(workspace, stopping), name="monitors", daemon=True).start()
        threading.Thread(target=_judge, args=(workspace, stopping), name="rollouts", daemon=True).start()
        recording = threading.Thread(target=_record, args=(workspace, stopping), name="traffic", daemon=True)
        recording.start()
        while not stopping.is_set() and os.getppid() == parent:
            _take_in(workspace, stopping)
            stopping.wait(INBOX_SECONDS)
        if stopping.is_set():
            _take_in(workspace, stopping)  # what the workers wrote as they ended
            recording.join()


def _take_in(workspace: Workspace, stopping: threading.Event) -> None:
    try:
        take_in(workspace, _take_feedback)
    except (SnapMLError, OSError, sqlite3.Error) as error:
        # A full disk or a locked database passes; the files stay in the inbox until it has.
        say(f"inbox: {error}")
        stopping.wait(_AFTER_FAILURE_SECONDS)


def _take_feedback(workspace: Workspace, endpoint: str, labels: list[dict[str, Any]]) -> None:
    from ..store.monitors import insert_feedback

    insert_feedback(workspace, endpoint, labels)  # the monitors join them on their next look


def _monitor(workspace: Workspace, stopping: threading.Event) -> None:
    from ..monitoring.windows import run_monitors

    while not stopping.wait(MONITOR_SECONDS):
        try:
            run_monitors(workspace)
        except Exception:  # one monitor's failure must not end the others or the inbox; it is in the host's log
            say(traceback.format_exc())
            stopping.wait(_AFTER_FAILURE_SECONDS)


def _record(workspace: Workspace, stopping: threading.Event) -> None:
    record = TrafficRecord(workspace.folder)
    is_over = False
    while not is_over:
        try:
            record.look(list_workers(workspace.folder), time.time())
            if is_over := stopping.wait(TRAFFIC_SECONDS):
                record.write()
        except OSError as error:  # a full disk; what was counted waits
            say(f"traffic: {error}")
            is_over = stopping.wait(_AFTER_FAILURE_SECONDS)


def _judge(workspace: Workspace, stopping: threading.Event) -> None:
    judge: Any = None
    while not stopping.wait(ROLLOUT_SECONDS):
        try:
            if judge is None:
                if not list_running(workspace.database):
                    continue  # statistics are loaded with the first rollout
                from .canary import Judge

                judge = Judge(workspace)
            judge.look()
        except Exception:  # as for the monitors
            say(traceback.format_exc())
            stopping.wait(_AFTER_FAILURE_SECONDS)


if __name__ == "__main__":
    main()
