"""Recorded cells run again in a real clean process, and what the verdict says about them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pytest

from snapml_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from snapml_jupyter.domain.program import Verdict
from snapml_jupyter.domain.run import RunStatus
from snapml_jupyter.replay.exporting import export_run
from snapml_jupyter.replay.replaying import replay
from snapml_jupyter.runs.programs import list_replays
from snapml_jupyter.runs.queries import get_run, list_runs
from snapml_jupyter.runs.recording import create_run, finish_run
from snapml_jupyter.store.workspace import Workspace

#: Reads {"name": [cells]} and runs each notebook in the same shell after a reset; the last cell is recorded under its name.
RECORDER = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("%load_ext snapml_jupyter")
sys.path.insert(0, os.getcwd())
for name, cells in json.load(sys.stdin).items():
    shell.reset(new_session=True)
    shell.run_cell("%load_ext snapml_jupyter")
    for cell in cells[:-1]:
        shell.run_cell(cell, store_history=True)
    shell.run_cell(f"%%snap_train {name}\\n{cells[-1]}", store_history=True)
"""


class Recorder:
    """Records notebooks into a workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "notebooks"
        self.work.mkdir()
        self.workspace = Workspace(folder / "workspace", actor="ada")

    def record(self, notebooks: dict[str, list[str]], **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", RECORDER],
            input=json.dumps(notebooks),
            capture_output=True,
            text=True,
            cwd=self.work,
            timeout=300,
            env={
                **os.environ,
                "SNAPML_WORKSPACE": self.workspace.location,
                "SNAPML_ACTOR": "ada",
                "IPYTHONDIR": str(self.folder / "ipython"),
                **environment,
            },
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


DATA = """
import numpy as np, pandas as pd
rng = np.random.default_rng()
df = pd.DataFrame({"a": rng.normal(size=120), "b": rng.normal(size=120)})
df["y"] = (df.a + df.b > 0).astype(int)
"""
FOREST = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
rate = 0.5
forest = RandomForestClassifier(n_estimators=trees).fit(ready(df), df["y"])
accuracy = accuracy_score(df["y"], forest.predict(ready(df)))
noise = np.random.default_rng().normal(size=3) + np.random.rand(3) + rng.normal(size=3)
print("accuracy", accuracy * rate)
forest.predict_proba(ready(df))[:3]
"""
GOOD = {
    "forest": [DATA, "trees = 7\ndef ready(d):\n    return d[['a', 'b']]", "df['a'] = df['a'] * 2", FOREST],
    "module": ["from feats import double\nimport pandas as pd", "d = pd.read_csv('numbers.csv')\nr = double(d['v'].sum())"],
    "shapes": [
        "import numpy as np\nT = np.random.rand(3, 4, 5)\nF = np.asfortranarray(np.random.rand(30, 4))\nS = np.array(['u', 'v'])",
        "r = (T.sum(axis=0), F.T @ F, F.sum(axis=1), S.tolist(), F.flags.f_contiguous)",
    ],
    "frames": [
        "import pandas as pd\nx = pd.Series([1.5, None], index=['p', 'q'], name='x')\nw = {'t': pd.DataFrame({'c': pd.Categorical(['u', 'v'])})}",
        "r = (x.sum(), x.name, w['t'].c.cat.codes.tolist())",
    ],
    "closure": [
        "def outer(k):\n    def inner(v):\n        return v * k + SHIFT\n    return inner",
        "SHIFT = 2\nf = outer(3)\nclass A:\n    rate = 1\n    def go(self, v):\n        return f(v) * self.rate",
        "A.rate = 10\na = A()\nSHIFT = 5",
        "r = a.go(4)",
    ],
    "magics": ["n = 3", "%time m = n * 2\n!echo hello\nimport asyncio\nawait asyncio.sleep(0)\nr = m + 1"],
    "settings": [
        "import numpy as np, pandas as pd, warnings\nnp.set_printoptions(precision=2)\nwarnings.simplefilter('error')",
        "print(np.array([1 / 3]))\ntry:\n    warnings.warn('w')\n    r = 'shown'\nexcept UserWarning:\n    r = 'raised'",
    ],
    "times": ["import time", "t = time.time()\ntime.sleep(0.01)\nspent = time.time() - t\nrun.log_metric('spent', spent)\nprint(f'took {spent:.5f} s')\nr = 1"],
    "measured": [
        "import time\ndef bench(n):\n    t = time.perf_counter()\n    s = sum(range(n))\n    return s, time.perf_counter() - t",
        "rows = []\nfor n in (10, 20):\n    s, took = bench(n)\n    rows.append((n, s, took))\npair = bench(5)\nsame, spent = pair\n"
        "said = {'sum': s, 'lasted': took}\nprint(f'{s} in {took:.6f} s')",
    ],
    "stamped": ["from email.utils import formatdate", "import time\nstamp = 'made ' + formatdate(localtime=True)\nprint(stamp)"],
    "dice": ["import random", "r = random.Random().random()\nrandom.seed()\nq = random.random()"],
    "folder": [
        "import os\nPLACE = os.path.join('images', 'chapter')\nos.makedirs(PLACE, exist_ok=True)",
        "os.makedirs('made')\nopen(os.path.join(PLACE, 'a.txt'), 'w').write('a')\nopen('made/b.txt', 'w').write('b')\n"
        "r = sorted(os.listdir('images') + os.listdir('made'))",
    ],
    "timed": ["m = 1", "%%time\nm = m + 1\n%time k = m * 2\nk + m"],
    "fails": ["def bad(v):\n    return 1 / v", "bad(0)"],
    "made-when": [
        "import datetime\nclass Fit:\n    def __init__(self):\n        self.at = datetime.datetime.now()\n"
        "    def __str__(self):\n        return f'made at {self.at:%H:%M:%S}'",
        "before = Fit()\nsaid = str(before)",
        "fit = Fit()\nprint(before, said, fit)\nr = [before, said, fit]",
    ],
}  # fmt: skip
NOT_GOOD = {
    "bytes": (["import os", "r = os.urandom(8).hex()"], Verdict.different),
    "metric": (["import os", "run.log_metric('m', int.from_bytes(os.urandom(4), 'big'))"], Verdict.different),
    "printed": (["import uuid", "print(uuid.uuid4())"], Verdict.different),
    "connection": (["import sqlite3\nc = sqlite3.connect(':memory:')", "r = 1\nc.execute('select 1')"], Verdict.not_replayable),
    "generator": (["g = (v for v in range(3))", "r = next(g)"], Verdict.not_replayable),
    "nothing": (["x = 1", "pass"], Verdict.not_replayable),
    "helper": (
        ["import os, time\ndef bench():\n    t = time.time()\n    return os.urandom(4).hex(), time.time() - t", "pair = bench()\nscore, took = pair"],
        Verdict.different,
    ),
    "input": (["import builtins\nbuiltins.input = lambda prompt='': 'ada'", "name = input('who? ')"], Verdict.not_replayable),
}  # fmt: skip


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    made = Recorder(tmp_path_factory.mktemp("replay"))
    (made.work / "feats.py").write_text("FACTOR = 2\ndef double(v): return v * FACTOR\n")
    (made.work / "numbers.csv").write_text("v\n1\n2.5\n")
    slow = [
        "import os, time\nfast = os.environ.get('FAST')",
        "import os\ntime.sleep(0 if os.environ.get('FAST') else 300)\nr = 1",
    ]
    made.record({**GOOD, **{name: cells for name, (cells, _) in NOT_GOOD.items()}, "slow": slow}, FAST="1")
    # What the notebook's folder held then is not there any more.
    for path in made.work.glob("*.*"):
        path.unlink()
    return made


@pytest.mark.parametrize("name", list(GOOD))
def test_a_cell_gives_the_same_again(recorder: Recorder, name: str) -> None:
    report = replay(recorder.workspace, name)
    assert report.verdict is Verdict.identical, (report.reason, report.differences, report.causes)
    assert report.compared
    assert not report.missing


@pytest.mark.parametrize("name", list(NOT_GOOD))
def test_no_cell_gets_a_better_verdict_than_it_deserves(recorder: Recorder, name: str) -> None:
    report = replay(recorder.workspace, name)
    assert report.verdict is NOT_GOOD[name][1], report


def test_the_report_says_what_differs_by_how_much_and_why(recorder: Recorder) -> None:
    report = replay(recorder.workspace, "metric")
    first = report.differences[0]
    assert first.what == "metric m"
    assert first.relative is not None
    assert first.relative > 0
    assert report.causes[0] == "unseeded randomness: os.urandom"


def test_what_was_not_captured_is_named_with_run_and_report(recorder: Recorder) -> None:
    report = replay(recorder.workspace, "connection")
    assert "'c' (line 3): a Connection cannot be kept" in report.reason  # line 1 is the magic's, as the user sees it
    assert get_run(recorder.workspace, "connection").tags["not_captured"] == "c"


def test_an_error_has_the_line_that_the_user_sees_in_the_replay_too(recorder: Recorder) -> None:
    report = replay(recorder.workspace, "fails")
    original, again = (get_run(recorder.workspace, run_id) for run_id in ("fails", report.run_id or ""))
    assert original.error is not None
    assert again.error is not None
    assert (original.error.line, again.error.line) == (2, 2)


def test_a_replay_is_a_run_of_its_own_tied_to_the_original(recorder: Recorder) -> None:
    original = get_run(recorder.workspace, "forest")
    report = replay(recorder.workspace, "forest")
    again = get_run(recorder.workspace, report.run_id or "")
    assert again.name == "forest-replay"
    assert again.source.kind == "replay"
    assert again.tags.items() >= {"replay_of": original.run_id, "verdict": "identical"}.items()
    assert again.metrics == original.metrics
    assert [i.dataset_ref for i in again.inputs] == [i.dataset_ref for i in original.inputs]
    assert again.has_model
    assert list_replays(recorder.workspace, original.run_id)[0] == report
    assert list_replays(recorder.workspace, again.run_id) == [report]
    assert replay(recorder.workspace, again.run_id).verdict is Verdict.identical  # a replay can be replayed


def test_other_data_and_params(recorder: Recorder) -> None:
    from snapml_jupyter.datasets.dataset import open_dataset
    from snapml_jupyter.datasets.snapshot import snapshot

    frame = open_dataset(recorder.workspace, "df@v1").to_pandas()
    snapshot(recorder.workspace, "df", frame.iloc[:60])
    report = replay(recorder.workspace, "forest", data="df@latest", params={"trees": 3, "rate": 2})
    assert report.data == {"df": "df@v2"}
    assert report.verdict is Verdict.different
    assert report.causes[:2] == ["it was run on other data: df = df@v2", "it was given other params: trees=3, rate=2"]
    again = get_run(recorder.workspace, report.run_id or "")
    assert again.params["n_estimators"] == 3
    assert [i.dataset_ref for i in again.inputs] == ["df@v2"]
    with pytest.raises(InvalidInputError, match=r"What it reads: df = df@v1"):
        replay(recorder.workspace, "forest", data="flights")
    with pytest.raises(InvalidInputError, match=r"no param 'depth'.*What can be set: trees, rate"):
        replay(recorder.workspace, "forest", params={"depth": 3})


def test_code_of_another_actor_is_not_run_without_trust(recorder: Recorder) -> None:
    grace = recorder.workspace.acting_as("grace")
    with pytest.raises(PermissionDeniedError, match="ada recorded run closure: replaying it runs their code, as grace"):
        replay(grace, "closure")
    assert replay(grace, "closure", trust=True).verdict is Verdict.identical


def test_a_run_without_a_program_is_refused(workspace: Workspace) -> None:
    run = create_run(workspace, name="script")
    with pytest.raises(InvalidInputError, match="is running: it left no result"):
        replay(workspace, run.run_id)
    finish_run(workspace, run.run_id)
    with pytest.raises(NotFoundError, match="has no program to run again"):
        replay(workspace, run.run_id)


def test_a_replay_that_takes_too_long_is_stopped_and_leaves_nothing(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("FAST", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    report = replay(recorder.workspace, "slow", timeout_seconds=12)
    assert report.verdict is Verdict.not_replayable
    assert "took too long" in report.reason
    if report.run_id is not None:
        assert get_run(recorder.workspace, report.run_id).status is RunStatus.interrupted
    assert not list(tmp_path.iterdir())


def test_an_interrupted_replay_leaves_no_process_and_no_folder(recorder: Recorder, tmp_path: Path) -> None:
    code = f"from snapml_jupyter.store.workspace import Workspace\nfrom snapml_jupyter.replay.replaying import replay\nreplay(Workspace({recorder.workspace.location!r}, actor='ada'), 'slow')"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    environment.pop("FAST", None)
    n_before = len(list_runs(recorder.workspace, name="slow-replay"))
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
    until = time.monotonic() + 90
    while len(list_runs(recorder.workspace, name="slow-replay")) == n_before:
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) != 0
    assert process.stderr is not None
    process.stderr.close()
    assert not list(tmp_path.glob("snapml-replay-*"))
    assert list_runs(recorder.workspace, name="slow-replay")[0].status in (RunStatus.cancelled, RunStatus.interrupted)


@pytest.mark.parametrize("suffix", [".py", ".zip"])
def test_an_exported_program_runs_without_snapml(recorder: Recorder, tmp_path: Path, suffix: str) -> None:
    path = export_run(recorder.workspace, "forest", tmp_path / f"forest{suffix}")
    with pytest.raises(ConflictError, match="exists already"):
        export_run(recorder.workspace, "forest", path)
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path)
        path = tmp_path / "forest" / "forest.py"
        assert "scikit-learn==" in (tmp_path / "forest" / "requirements.txt").read_text()
        content = json.loads((tmp_path / "forest" / "forest.ipynb").read_text())
        assert any("RandomForestClassifier(n_estimators=trees)" in "".join(cell["source"]) for cell in content["cells"])
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "snapml_jupyter.py").write_text("raise ImportError('not here')")
    done = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "none")},
    )
    original = get_run(recorder.workspace, "forest")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"accuracy {original.metrics['accuracy_score'] * 0.5}"


def test_command_line(recorder: Recorder, tmp_path: Path) -> None:
    def snapml(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "snapml_jupyter.cli", *arguments, "--workspace", recorder.workspace.location],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "SNAPML_ACTOR": "ada"},
        )

    done = snapml("run", "replay", "closure")
    assert done.returncode == 0, done.stderr
    assert "verdict   identical" in done.stdout
    done = snapml("replay", "bytes", "--check", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["verdict"] == "different"
    done = snapml("export", "closure", "--notebook")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "closure.ipynb").exists()


def test_the_program_can_be_read(recorder: Recorder) -> None:
    from snapml_jupyter.runs.programs import get_program_source

    source = get_program_source(recorder.workspace, "forest")
    assert "trees = 7\n\ndef ready(d):\n    return d[['a', 'b']]\n\n# df = df@v1\n# rng: kept by value\n" in source
    assert source.endswith("forest.predict_proba(ready(df))[:3]\n")
