"""Verdicts over a folder of notebooks: each runs in a kernel of its own, every training cell under %%snap_train.

Then each recorded run is replayed, and asked by other means whether the verdict is true: a witness in the kernel and in
the replay's process hashes every variable the cell assigns.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

from verdicts import line_of

HERE = Path(__file__).resolve().parent
_TRAINS = re.compile(
    r"\.(?:partial_)?fit\w*\(|(?<![\w.])train(?!_test_split|_\w*split)\w*\(|\.train\w*\(.+\)|cross_val\w*\(|\.backward\(|learning_curves?\("
    r"|validation_curve\(|permutation_test_score\(|\.cv\(|\.step\(\)|(?m:^\s*for (?:epoch|iteration)\b)"
)


def notebook_files(folder: Path, match: str) -> list[Path]:
    """The notebooks of the folder whose path contains `match`, in an order of chance that is always the same."""
    found = [p for p in folder.rglob("*.ipynb") if match in str(p) and ".ipynb_checkpoints" not in p.parts]
    return sorted(found, key=lambda path: hashlib.sha256(path.name.encode()).digest())


def trains(source: str) -> bool:
    """Whether the cell trains something, by its look."""
    code = re.sub(r"(?m)#.*$", "", source)
    return bool(_TRAINS.search(code)) and not code.lstrip().startswith(("%%bash", "%%html", "%%writefile", "%%sh"))


def code_cells(path: Path) -> list[str]:
    """The sources of the notebook's code cells."""
    content = json.loads(path.read_text())
    cells = content["cells"] if "cells" in content else content["worksheets"][0]["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    sources = [cell.get("source", cell.get("input", "")) for cell in code]
    return [source if isinstance(source, str) else "".join(source) for source in sources]


def judge_notebook(path: Path, seconds: float) -> Iterator[dict[str, Any]]:
    """One record for every training cell of the notebook; a cell may take so many seconds, a notebook eight times that."""
    sources = [source for source in code_cells(path) if source.strip()]
    if not any(trains(source) for source in sources):
        return
    root = Path(tempfile.mkdtemp(prefix="replay-notebook-"))
    try:
        place = root / "notebook"
        place.mkdir()
        for beside in path.parent.iterdir():
            if beside.is_file() and beside.suffix not in (".ipynb", ".gz") and beside.stat().st_size < 20_000_000:
                shutil.copy(beside, place)
        records = _record(path, sources, place, root, seconds)
        for record in records:
            yield _replayed(record, root) if record["verdict"] == "recorded" else record
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _record(path: Path, sources: list[str], place: Path, root: Path, seconds: float) -> list[dict[str, Any]]:
    from jupyter_client import KernelManager

    variables = {
        **os.environ,
        "SNAPML_WORKSPACE": str(root / "workspace"),
        "SNAPML_ACTOR": "ada",
        "PYTHONPATH": _path_with_witness(),
        "PYTHONWARNINGS": "ignore",
    }
    variables.pop("MPLBACKEND", None)
    manager = KernelManager(kernel_name="python3")
    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel(cwd=str(place), env=variables)
    client = manager.client()
    client.start_channels()
    records: list[dict[str, Any]] = []
    until = time.monotonic() + 8 * seconds
    try:
        client.wait_for_ready(timeout=60)
        _run(client, manager, "%load_ext snapml_jupyter", 60)
        for number, source in enumerate(sources):
            recorded = trains(source)
            name = f"cell{number}"
            left = max(5.0, min(seconds, until - time.monotonic()))
            began = time.monotonic()
            error = _run(client, manager, f"%%snap_train {name}\n{source}" if recorded else source, left)
            if not recorded:
                continue
            record = {
                "name": f"{path.stem}[{number}]",
                "run": name,
                "expected": "",
                "verdict": "does not run" if error else "recorded",
                "reason": error,
                "source": source,
                "seconds": time.monotonic() - began,
            }
            records.append(record)
            witness = root / f"{name}.original"
            _run(
                client, manager, f"__import__('sitecustomize').write(get_ipython().user_ns, {str(witness)!r})", 60, True
            )
            if time.monotonic() > until:
                break
    except (RuntimeError, TimeoutError) as error:
        records.append({"name": path.stem, "expected": "", "verdict": "broken", "reason": str(error)[:300]})
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return records


def _run(client: Any, manager: Any, code: str, seconds: float, is_silent: bool = False) -> str:
    """Run the code; the error it ended with, in short, or nothing."""
    message_id = client.execute(code, silent=is_silent, store_history=not is_silent, allow_stdin=False)
    until, error, is_interrupted = time.monotonic() + seconds, "", False
    while True:
        try:
            message = client.get_iopub_msg(timeout=1.0)
        except Empty:
            if not manager.is_alive():
                raise RuntimeError("the kernel died") from None
            if time.monotonic() > until:
                if is_interrupted:
                    raise TimeoutError("the kernel does not answer") from None
                manager.interrupt_kernel()
                is_interrupted, until, error = True, time.monotonic() + 30, "it takes too long"
            continue
        if message["parent_header"].get("msg_id") != message_id:
            continue
        if message["msg_type"] == "error" and not error:
            error = f"{message['content']['ename']}: {message['content']['evalue']}"[:200]
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return error


def _path_with_witness() -> str:
    return os.pathsep.join([str(HERE / "witness"), *filter(None, [os.environ.get("PYTHONPATH")])])


def _replayed(record: dict[str, Any], root: Path) -> dict[str, Any]:
    from snapml_jupyter.replay.replaying import replay
    from snapml_jupyter.store.workspace import open_workspace

    workspace = open_workspace(str(root / "workspace"), actor="ada")
    witness = root / f"{record['run']}.replay"
    os.environ["SNAPML_WITNESS"] = str(witness)
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = _path_with_witness()
    began = time.perf_counter()
    try:
        report = replay(workspace, record["run"], timeout_seconds=max(60.0, 10 * record["seconds"]))
    except Exception as error:  # a case that breaks the runner is a result
        return {**record, "verdict": "broken", "reason": f"{type(error).__name__}: {error}"[:300]}
    finally:
        del os.environ["SNAPML_WITNESS"]
        os.environ["PYTHONPATH"] = before
    return {
        **record,
        **line_of(report, time.perf_counter() - began),
        "witness": _disagreeing(record["source"], root / f"{record['run']}.original", witness),
    }


def _disagreeing(source: str, original: Path, replay: Path) -> list[str]:
    """Variables that the cell assigns or reads and the witness saw twice, with other content."""
    if not (original.exists() and replay.exists()):
        return ["the witness saw nothing"]
    seen = [json.loads(path.read_text()) for path in (original, replay)]
    try:
        plain = re.sub(r"(?m)^\s*[%!].*$", "pass", source)
        names = {node.id for node in ast.walk(ast.parse(plain)) if isinstance(node, ast.Name)}
    except SyntaxError:
        return []
    return sorted(name for name in names & seen[0].keys() & seen[1].keys() if seen[0][name] != seen[1][name])
