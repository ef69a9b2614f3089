"""Several processes record at once, and processes die while they record."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from snapml_jupyter.domain.errors import ConflictError, InvalidInputError
from snapml_jupyter.domain.run import RunStatus
from snapml_jupyter.runs import recording
from snapml_jupyter.runs.processes import is_gone, this_process
from snapml_jupyter.runs.queries import get_run, list_metric_points, list_runs
from snapml_jupyter.runs.tracking import active_run, start_run
from snapml_jupyter.store import events
from snapml_jupyter.store.journal_file import list_journals
from snapml_jupyter.store.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import sys
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace
workspace = Workspace(sys.argv[1], actor="ada")
sys.stdin.readline()  # all begin together
with start_run(workspace, "writer", capture_environment=False) as run:
    for value in range(3000):
        run.log_metric("loss", value)
"""

VICTIM = """
import sys
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace
run = start_run(Workspace(sys.argv[1], actor="ada"), "victim", capture_environment=False)
value = 0
while True:
    run.log_metric("loss", value)
    print(value, flush=True)
    value += 1
"""


def spawn(program: str, workspace: Workspace) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, str(workspace.folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_eight_processes_record_at_once_without_an_error(workspace: Workspace) -> None:
    writers = [spawn(WRITER, workspace) for _ in range(8)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, problems = writer.communicate(timeout=120)
        assert (writer.returncode, problems) == (0, "")
    runs = list_runs(workspace, name="writer")
    assert [run.status for run in runs] == [RunStatus.finished] * 8
    for run in runs:
        points = list_metric_points(workspace, run.run_id)
        assert [(p.step, p.value) for p in points] == [(n, float(n)) for n in range(3000)]


def test_a_killed_process_keeps_every_metric_and_its_run_shows_as_interrupted(workspace: Workspace) -> None:
    victim = spawn(VICTIM, workspace)
    assert victim.stdout is not None
    last = -1
    while last < 20:
        last = int(victim.stdout.readline())
    assert get_run(workspace, "victim").status is RunStatus.running
    victim.send_signal(signal.SIGKILL)
    rest = victim.stdout.read()
    victim.communicate(timeout=30)
    last = max([last, *(int(line) for line in rest.split())])
    run = get_run(workspace, "victim")
    assert run.status is RunStatus.interrupted
    assert run.finished_at is not None
    points = list_metric_points(workspace, run.run_id)
    # The kill may fall between the write and the line that tells of it.
    assert len(points) in (last + 1, last + 2)
    assert [p.value for p in points] == [float(n) for n in range(len(points))]
    told = [event for event in events.list_events(workspace.database, limit=5000) if event.kind == "run.finished"]
    list_runs(workspace)
    assert [event.details["status"] for event in told] == ["interrupted"]


TALKER = """
import sys
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace
workspace = Workspace(sys.argv[1], actor="ada")
with start_run(workspace, "parent", capture_environment=False) as run:
    print(run.run_id, flush=True)
    for line in sys.stdin:
        try:
            run.log_metric("loss", float(line))
            print("kept", flush=True)
        except Exception as error:
            print(type(error).__name__, error, flush=True)
"""


def test_what_a_living_process_logged_is_seen_at_once_and_its_run_can_be_ended_elsewhere(workspace: Workspace) -> None:
    talker = spawn(TALKER, workspace)
    assert talker.stdout is not None and talker.stdin is not None
    run_id = talker.stdout.readline().strip()

    def tell(value: float) -> str:
        assert talker.stdout is not None and talker.stdin is not None
        talker.stdin.write(f"{value}\n")
        talker.stdin.flush()
        return talker.stdout.readline().strip()

    for value in (1.0, 2.0):
        assert tell(value) == "kept"
        assert get_run(workspace, run_id).metrics == {"loss": value}
    recording.finish_run(workspace, run_id)
    assert tell(3.0).startswith("ConflictError Run parent")
    talker.communicate(timeout=30)
    assert [p.value for p in list_metric_points(workspace, run_id)] == [1.0, 2.0]
    list_runs(workspace)
    assert list_journals(workspace.folder) == []


def test_a_killed_run_is_resumed_where_it_stopped(workspace: Workspace) -> None:
    victim = spawn(VICTIM, workspace)
    assert victim.stdout is not None
    while int(victim.stdout.readline()) < 20:
        pass
    run_id = get_run(workspace, "victim").run_id
    with pytest.raises(ConflictError, match="still being recorded by process"):
        start_run(workspace, resume="victim")
    victim.send_signal(signal.SIGKILL)
    victim.communicate(timeout=30)
    n_before = len(list_metric_points(workspace, run_id))
    with start_run(workspace, resume="victim", tags={"resumed": "yes"}) as run:
        assert run.run_id == run_id
        assert get_run(workspace, run_id).status is RunStatus.running
        run.log_metric("loss", -1.0)
    points = list_metric_points(workspace, run_id)
    assert (points[-1].step, points[-1].value, len(points)) == (n_before, -1.0, n_before + 1)
    kept = get_run(workspace, run_id)
    assert (kept.status, kept.tags) == (RunStatus.finished, {"resumed": "yes"})
    with pytest.raises(InvalidInputError, match="give resume= alone"):
        start_run(workspace, "other", resume="victim")


FULL_DISK = """
import resource, signal, sys
from snapml_jupyter.runs import tracking
from snapml_jupyter.store.workspace import Workspace
workspace = Workspace(sys.argv[1], actor="ada")
run = tracking.start_run(workspace, "full", capture_environment=False)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most))  # what no file may pass: as if the disk were full
for value in range(5_000):
    run.log_metric("loss", value)
print("the training goes on")
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
"""


def test_a_full_disk_while_logging_warns_once_and_stops_nothing(workspace: Workspace) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(workspace.folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "the training goes on\n", done.stderr
    assert done.returncode == 0
    assert done.stderr.count("SnapMLWarning") == 1, done.stderr
    assert "cannot be recorded for now" in done.stderr
    points = list_metric_points(workspace, "full")
    assert [point.value for point in points] == [float(n) for n in range(5_000)]


def test_only_a_process_that_certainly_ended_is_gone() -> None:
    mine = this_process()
    assert mine.pid == os.getpid()
    assert not is_gone(mine)
    assert is_gone(replace(mine, created_at=mine.created_at - 3600))  # the pid belongs to someone else now
    assert not is_gone(replace(mine, host="another-machine", pid=2**22 + 1))
    assert is_gone(replace(mine, pid=2**22 + 1))


def test_a_run_that_was_taken_for_dead_may_still_end_itself(workspace: Workspace) -> None:
    gone = replace(this_process(), pid=2**22 + 1)
    run = recording.create_run(workspace, "slept", process=gone)
    assert get_run(workspace, "slept").status is RunStatus.interrupted
    recording.record_tags(workspace, run.run_id, {"still": "here"})
    assert recording.finish_run(workspace, run.run_id).status is RunStatus.finished
    assert get_run(workspace, "slept").status is RunStatus.finished


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_of_a_fork_logs_to_the_run_of_its_parent(workspace: Workspace) -> None:
    with start_run(workspace, "parent", capture_environment=False) as run:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                run.log_metric("from_child", 1.0)
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        run.log_metric("from_parent", 2.0)
    assert get_run(workspace, "parent").metrics == {"from_child": 1.0, "from_parent": 2.0}


def test_a_run_handed_to_worker_processes_takes_their_numbers(workspace: Workspace) -> None:
    with start_run(workspace, "parallel", capture_environment=False) as run:
        copy = pickle.loads(pickle.dumps(run))
        copy.log_metric("score", 1.0)
        assert copy.run_id == run.run_id
        assert active_run() is run
    assert get_run(workspace, "parallel").metrics == {"score": 1.0}


@pytest.mark.parametrize(
    ("last_line", "status"), [("", RunStatus.finished), ("raise ValueError('bad data')", RunStatus.failed)]
)
def test_a_script_that_ends_ends_its_run(workspace: Workspace, last_line: str, status: RunStatus) -> None:
    program = VICTIM.partition("value = 0")[0] + "run.log_metric('loss', 1)\n" + last_line
    script = spawn(program, workspace)
    script.communicate(timeout=60)
    run = get_run(workspace, "victim")
    assert run.status is status
    assert run.metrics == {"loss": 1.0}
    assert (run.error.message if run.error else None) == ("bad data" if last_line else None)
