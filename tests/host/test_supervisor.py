"""Keeping child processes alive, with real processes."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from snapml_jupyter.host.supervisor import Child, end_all, how_it_ended, restart_delay_seconds, stop_on_signal


def sleeper(code: str = "import time; time.sleep(60)") -> Callable[[int], subprocess.Popen[bytes]]:
    return lambda pulse: subprocess.Popen([sys.executable, "-c", code, str(pulse)], pass_fds=(pulse,))


def test_patience_doubles_with_deaths_and_has_a_bound() -> None:
    delays = [restart_delay_seconds(n) for n in range(1, 12)]
    assert delays[0] == 0.1
    assert all(b == min(2 * a, 10.0) for a, b in itertools.pairwise(delays))
    assert delays[-1] == 10.0


def test_a_dead_child_is_started_again_after_its_delay(eventually: Callable[..., None]) -> None:
    child = Child("sleeper", sleeper())
    child.look(time.monotonic())
    first = child.pid
    child.send(signal.SIGKILL)
    told: list[str] = []
    eventually(lambda: (said := child.look(time.monotonic())) and told.append(said) is None)
    assert "SIGKILL" in told[0]
    assert child.pid is None
    child.look(child.start_again_at - 0.01)
    assert child.pid is None, "not before its time"
    child.look(child.start_again_at)
    assert child.pid not in (None, first)
    child.end(10)


def test_old_deaths_are_forgotten() -> None:
    child = Child("failing", sleeper("raise SystemExit(3)"), deaths=[0.0, 1.0])
    child.look(1000.0)
    assert child.process is not None
    child.process.wait()
    said = child.look(1000.5)
    assert said is not None
    assert "exit status 3" in said
    assert child.deaths == [1000.5]


def test_after_a_life_of_some_seconds_the_next_one_starts_at_once() -> None:
    child = Child("mortal", sleeper("raise SystemExit(3)"), deaths=[999.0, 999.5])
    for lived, delay in ((1.0, 0.4), (5.0, 0.1)):
        child.look(child.start_again_at if child.start_again_at > 0 else 1000.0)
        assert child.process is not None
        child.process.wait()
        ended = child.started_at + lived
        assert child.look(ended) is not None
        assert child.start_again_at - ended == pytest.approx(delay)


def test_one_that_ignores_sigterm_is_killed(eventually: Callable[..., None]) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    child = Child("deaf", lambda _: process)
    child.look(0.0)
    end_all([child], 0.3)
    assert child.pid is None
    assert process.returncode == -signal.SIGKILL
    process.stdout.close()


def test_silence_is_measured_from_the_last_sign_of_life(eventually: Callable[..., None]) -> None:
    child = Child("worker", sleeper("import os, sys; os.write(int(sys.argv[1]), b'.'); input()"))
    child.look(10.0)
    eventually(lambda: child.silent_seconds(14.0) == 0.0)
    assert child.silent_seconds(15.0) == 1.0
    child.end(10)
    assert child.silent_seconds(20.0) == 6.0, "a closed pipe says nothing"


def test_exit_statuses_are_told_in_words() -> None:
    assert [how_it_ended(code) for code in (0, 3, -9, -250)] == [
        "exit status 0",
        "exit status 3",
        "SIGKILL",
        "signal 250",
    ]


def test_a_signal_that_comes_while_the_event_is_held_is_not_waited_for_for_ever() -> None:
    stopping = threading.Event()
    before = signal.getsignal(signal.SIGUSR1)
    try:
        stop_on_signal(signal.SIGUSR1, stopping)
        with stopping._cond:  # as inside of wait()
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.05)
        assert stopping.wait(5.0)
    finally:
        signal.signal(signal.SIGUSR1, before)
