"""One host per workspace, whatever is killed: real processes, real signals, real HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from snapml_jupyter.domain.errors import UnavailableError
from snapml_jupyter.serving.deploying import deploy, get_endpoint
from snapml_jupyter.serving.host_process import get_host_status, start_host, stop_host
from snapml_jupyter.serving.reports import HOST_MODULE, inbox_folder, list_processes, list_workers, log_path, state_path
from snapml_jupyter.store import endpoints, events
from snapml_jupyter.store.workspace import Workspace


def hosts_of(workspace: Workspace) -> list[int]:
    return list_processes(HOST_MODULE, workspace.folder)


def n_logged(workspace: Workspace) -> int:
    rows = workspace.database.rows("SELECT n_rows FROM prediction_batches")
    return sum(row["n_rows"] for row in rows)


def test_a_host_starts_answers_and_stops_and_says_so(hosted: Workspace) -> None:
    assert not get_host_status(hosted).running
    status = start_host(hosted)
    assert status.running
    assert status.n_workers == 1
    assert status.url == f"http://127.0.0.1:{status.port}"
    assert start_host(hosted).pid == status.pid, "starting again is no second host"
    stopped = stop_host(hosted)
    assert (stopped.running, stopped.port) == (False, status.port)
    assert stop_host(hosted) == stopped, "stopping again is fine"
    kinds = [event.kind for event in events.list_events(hosted.database)]
    assert kinds == ["host.started", "host.stopped"]


def test_two_starts_at_once_make_one_host(hosted: Workspace) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: start_host(hosted).pid, range(4)))
    assert len(set(found)) == 1
    assert hosts_of(hosted) == [found[0]]


def test_any_free_port_is_remembered(hosted: Workspace) -> None:
    port = start_host(hosted).port
    stop_host(hosted)
    assert start_host(hosted).port == port
    stop_host(hosted)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port or 0))
        other.listen()
        assert start_host(hosted).port not in (None, port), "another one when it is taken"


def test_a_taken_port_is_a_sentence_that_names_the_setting(
    hosted: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("SNAPML_PORT", str(port))
        with pytest.raises(UnavailableError, match=rf"Port {port} is taken by another program.*SNAPML_PORT"):
            start_host(hosted)
    assert start_host(hosted).port == port
    neighbour = Workspace(tmp_path / "neighbour")
    with pytest.raises(UnavailableError, match="is taken by another program"):
        start_host(neighbour)  # the workers' SO_REUSEPORT lets no other workspace in


def test_a_host_that_cannot_start_shows_its_log(hosted: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAPML_WORKERS", "many")
    with pytest.raises(UnavailableError, match=r"(?s)last lines of .*host.log.*SNAPML_WORKERS='many' is not a whole"):
        start_host(hosted)


def test_the_host_outlives_the_process_and_the_terminal_that_started_it(hosted: Workspace) -> None:
    code = (
        "from snapml_jupyter.store.workspace import Workspace\n"
        "from snapml_jupyter.serving.host_process import start_host\n"
        f"start_host(Workspace({str(hosted.folder)!r}))\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], start_new_session=True, check=False)
    status = get_host_status(hosted)
    assert status.running
    assert status.pid is not None
    os.kill(status.pid, signal.SIGHUP)
    time.sleep(0.2)
    assert get_host_status(hosted).running
    assert os.getsid(status.pid) == status.pid


def test_a_killed_worker_is_replaced_and_what_it_logged_is_kept(
    hosted: Workspace,
    tiny_models: Any,
    connect: Callable[..., Any],
    row: dict[str, Any],
    eventually: Callable[..., None],
) -> None:
    outcome = deploy(hosted, tiny_models.add())
    port = get_host_status(hosted).port
    for _ in range(3):
        assert connect(port, outcome.api_key).post("/endpoints/tiny/predict", {"rows": [row]})[0] == 200
    folder = inbox_folder(hosted.folder) / "tiny"
    eventually(lambda: n_logged(hosted) == 3 or any(folder.glob("*.msgpack")))
    (worker,) = list_workers(hosted.folder)
    os.kill(worker.pid, signal.SIGKILL)
    eventually(lambda: any(w.is_serving and w.pid != worker.pid for w in list_workers(hosted.folder)))
    assert connect(port, outcome.api_key).post("/endpoints/tiny/predict", {"rows": [row]})[0] == 200
    eventually(lambda: n_logged(hosted) == 4)
    assert "SIGKILL" in log_path(hosted.folder).read_text()


def test_a_worker_that_hangs_is_replaced(
    hosted: Workspace, eventually: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    start_host(hosted)
    (worker,) = list_workers(hosted.folder)
    os.kill(worker.pid, signal.SIGSTOP)
    eventually(lambda: any(w.is_serving and w.pid != worker.pid for w in list_workers(hosted.folder)), 40)
    assert "hangs and is replaced" in log_path(hosted.folder).read_text()


def test_connections_to_a_killed_worker_wait_for_the_next_one(
    hosted: Workspace, tiny_models: Any, connect: Callable[..., Any], row: dict[str, Any]
) -> None:
    outcome = deploy(hosted, tiny_models.add())
    status = get_host_status(hosted)
    (worker,) = list_workers(hosted.folder)
    os.kill(worker.pid, signal.SIGKILL)
    lost = 0
    until = time.monotonic() + 3.0
    while time.monotonic() < until:
        client = connect(status.port, outcome.api_key)
        try:
            assert client.post("/endpoints/tiny/predict", {"rows": [row]})[0] == 200
        except ConnectionResetError:
            lost += 1
        finally:
            client.connection.close()
    assert lost <= 1, "only what it had begun to answer is lost"
    (successor,) = list_workers(hosted.folder)
    assert successor.pid != worker.pid


def test_requests_are_answered_while_the_host_is_killed_and_another_takes_over(
    hosted: Workspace,
    tiny_models: Any,
    connect: Callable[..., Any],
    row: dict[str, Any],
    eventually: Callable[..., None],
) -> None:
    outcome = deploy(hosted, tiny_models.add())
    before = get_host_status(hosted)
    assert before.pid
    old_workers = {worker.pid for worker in list_workers(hosted.folder)}
    stop = threading.Event()
    answered = [0]
    refused: list[Any] = []

    def hammer() -> None:
        # One connection a request: a kept one is closed when its worker is replaced, which its client sees and repeats.
        while not stop.is_set():
            client = connect(before.port, outcome.api_key)
            try:
                status, answer = client.post("/endpoints/tiny/predict", {"rows": [row]})
            except OSError as error:
                refused.append(error)
                continue
            finally:
                client.connection.close()
            answered[0] += 1
            if status != 200:
                refused.append(answer)

    thread = threading.Thread(target=hammer)
    thread.start()
    try:
        os.kill(before.pid, signal.SIGKILL)
        eventually(lambda: get_host_status(hosted).pid not in (None, before.pid))
        eventually(lambda: not old_workers & {worker.pid for worker in list_workers(hosted.folder)})
    finally:
        stop.set()
        thread.join()
    assert get_host_status(hosted).port == before.port
    assert len(hosts_of(hosted)) == 1
    assert answered[0] > 50
    assert len(refused) <= 2, refused[:3]  # the kernel resets connections that wait in a closing socket's queue
    eventually(lambda: n_logged(hosted) == answered[0] - sum(not isinstance(r, OSError) for r in refused))


def test_a_deployment_that_was_starting_when_the_host_died_is_finished_by_the_next(
    hosted: Workspace, tiny_models: Any, eventually: Callable[..., None]
) -> None:
    deploy(hosted, tiny_models.add())
    ref = tiny_models.add()
    pid = get_host_status(hosted).pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    with hosted.transaction() as tx:
        endpoints.add_deployment(tx, "tiny", "tiny", 2)
    start_host(hosted)

    def live() -> bool:
        found = get_endpoint(hosted, "tiny").live
        return found is not None and found.model_ref == ref

    eventually(live)


def test_stopping_writes_out_what_was_predicted(
    hosted: Workspace,
    tiny_models: Any,
    connect: Callable[..., Any],
    row: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SNAPML_LOG_SECONDS", "60")
    outcome = deploy(hosted, tiny_models.add())
    client = connect(get_host_status(hosted).port, outcome.api_key)
    assert client.post("/endpoints/tiny/predict", {"rows": [row, row]})[0] == 200
    stop_host(hosted)
    assert n_logged(hosted) == 2
    assert not list(inbox_folder(hosted.folder).glob("*/*.msgpack"))


def test_stopping_takes_workers_that_a_killed_host_left_behind(
    hosted: Workspace, eventually: Callable[..., None]
) -> None:
    status = start_host(hosted)
    assert status.pid
    (worker,) = list_workers(hosted.folder)
    os.kill(status.pid, signal.SIGKILL)
    stop_host(hosted)
    assert list_workers(hosted.folder) == []
    # The kernel takes a process's command line away a moment before the process.
    eventually(lambda: not psutil.pid_exists(worker.pid) or psutil.Process(worker.pid).status() == psutil.STATUS_ZOMBIE)
    assert hosts_of(hosted) == []


def test_host_and_workers_end_when_the_workspace_is_gone(
    hosted: Workspace, eventually: Callable[..., None], tmp_path: Path
) -> None:
    status = start_host(hosted)
    (worker,) = list_workers(hosted.folder)
    hosted.folder.rename(tmp_path / "moved")
    eventually(lambda: all(not psutil.pid_exists(pid) for pid in (status.pid, worker.pid)))
    (tmp_path / "moved").rename(hosted.folder)
    assert not get_host_status(hosted).running
    assert state_path(hosted.folder).exists()
