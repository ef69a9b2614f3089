"""A run's program as files that run without SnapML: a script, a notebook, or an archive with both.

Beside `churn.py` lies `churn_files/`: the values and tables the cell reads, the files and modules, and a small loader. All
of it is data and plain Python; only what was pickled is a pickle.
"""

from __future__ import annotations

import ast
import base64
import json
import pickle
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.errors import ConflictError, InvalidInputError
from ..domain.program import PartKind, Program
from ..domain.run import Environment, Run
from ..runs.programs import get_program
from ..runs.queries import find_environment, get_run
from .tables import load_table

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

SUFFIXES = (".py", ".ipynb", ".zip")
_PACKAGE = Path(__file__).resolve().parent.parent


def export_run(workspace: Workspace | RemoteWorkspace, ref: str, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write the program of a run to a `.py`, `.ipynb` or `.zip` file; returns the path.

    Raises InvalidInputError for another suffix, ConflictError when it exists and `overwrite` is not said, NotFoundError
    for a run without a program.
    """
    target = Path(path).expanduser().resolve()
    if target.suffix not in SUFFIXES:
        raise InvalidInputError(f"'{target.name}' ends in none of {', '.join(SUFFIXES)}.")
    if not target.parent.is_dir():
        raise InvalidInputError(f"There is no folder {target.parent}.")
    stem = re.sub(r"\W", "_", target.stem)
    files = target.with_name(f"{stem}_files")
    for existing in (target, files) if target.suffix != ".zip" else (target,):
        if existing.exists() and not overwrite:
            raise ConflictError(f"{existing} exists already. Say overwrite (--overwrite) to replace it.")
    run = get_run(workspace, ref)
    program = get_program(workspace, run.run_id)
    environment = find_environment(workspace, run)
    with tempfile.TemporaryDirectory(prefix="snapml-export-") as made:
        folder = Path(made) / stem
        folder.mkdir()
        if _needs_files(program):
            _write_files(workspace, program, folder / f"{stem}_files")
        (folder / f"{stem}.py").write_text(script(run, program, environment, stem), encoding="utf-8")
        (folder / f"{stem}.ipynb").write_text(notebook(run, program, environment, stem), encoding="utf-8")
        (folder / "requirements.txt").write_text(requirements(environment), encoding="utf-8")
        if target.suffix == ".zip":
            _zip(folder, target)
        else:
            if files.exists():
                shutil.rmtree(files)
            if (folder / files.name).exists():
                shutil.copytree(folder / files.name, files)
            shutil.copy(folder / f"{stem}{target.suffix}", target)
    return target


def script(run: Run, program: Program, environment: Environment | None, stem: str) -> str:
    """The program as Python."""
    body = _as_python(program.body)
    lines = ["\n".join(f"# {line}".rstrip() for line in _about(run, program, environment))]
    loads = _needs_files(program)
    if loads:
        lines.append(
            "import sys\nfrom pathlib import Path\n\n"
            f"sys.path.insert(0, str(Path(__file__).resolve().parent))\nimport {stem}_files as kept\n\n"
            f"kept.enter({program.folder!r})"
        )
    if "get_ipython()" in body:
        lines.append(
            "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\nfrom IPython import get_ipython\n\n"
            'InteractiveShell.instance(user_module=sys.modules["__main__"], user_ns=globals())'
        )
    lines += _setup(program, loads)
    if _awaits(body):
        lines.append(f"# The recorded cell awaits at its top level.\nkept.run_async({body!r}, globals())")
    else:
        lines.append(f"# The recorded cell.\n{body}")
    return "\n\n".join(line.strip("\n") for line in lines if line.strip()) + "\n"


def notebook(run: Run, program: Program, environment: Environment | None, stem: str) -> str:
    """The program as a notebook, with the cell as it was written."""
    loads = _needs_files(program)
    about = _about(run, program, environment)
    cells = [_cell("markdown", f"# {run.name}\n\n" + "\n\n".join(about))]
    if loads:
        enter = f'import sys\n\nsys.path.insert(0, "")\nimport {stem}_files as kept\n\nkept.enter({program.folder!r})'
        cells.append(_cell("code", enter))
    cells += [_cell("code", block) for block in _setup(program, loads) if block.strip()]
    cells.append(_cell("code", program.body.strip("\n")))
    content = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def requirements(environment: Environment | None) -> str:
    """The recorded versions, as pip reads them."""
    if environment is None:
        return ""
    lines = [f"# Python {environment.python_version}"]
    lines += [f"{name}=={version}" for name, version in environment.packages.items() if name != "snapml-jupyter"]
    return "\n".join(lines) + "\n"


def _setup(program: Program, loads: bool) -> list[str]:
    imports = [part.code for part in program.parts if part.kind is PartKind.imports]
    values = [part.code for part in program.parts if part.kind is PartKind.value]
    definitions = [part.code for part in program.parts if part.kind is PartKind.definition]
    blocks = ["\n".join(imports), "\n".join(values)]
    if program.early_digest is not None:
        blocks.append("kept.early(globals())")
    blocks += definitions
    if program.state_digest is not None or program.tables:
        names = ", ".join(dict.fromkeys([*program.state_names, *(table.place for table in program.tables)]))
        blocks.append(f"# As earlier cells had made them: {names}\nkept.restore(globals())")
    if re.search(r"\brun\.", program.body):
        blocks.append("run = kept.Run()")
    if loads:
        blocks.append("kept.conditions()")
    return blocks


def _about(run: Run, program: Program, environment: Environment | None) -> list[str]:
    lines = [f"The recorded cell of run {run.name} ({run.run_id}) by {run.actor}, {run.started_at:%Y-%m-%d %H:%M} UTC."]
    if environment is not None:
        main = [
            f"{n} {environment.packages[n]}"
            for n in ("numpy", "pandas", "scikit-learn", "torch")
            if n in environment.packages
        ]
        lines.append(f"It ran on Python {environment.python_version}" + (f" with {', '.join(main)}." if main else "."))
    if run.metrics:
        lines.append("It measured " + ", ".join(f"{name} {value!r}" for name, value in run.metrics.items()) + ".")
    lines += [f"Not captured: {each}." for each in program.missing]
    return lines


def _needs_files(program: Program) -> bool:
    return True  # the state of the random generators is always kept


def _write_files(workspace: Workspace | RemoteWorkspace, program: Program, folder: Path) -> None:
    from .working_folder import fill

    folder.mkdir()
    for source, name in (
        ("replay/exported_loader.py", "__init__.py"),
        ("capture/conditions.py", "conditions.py"),
        ("capture/imports.py", "imports.py"),
        ("capture/state.py", "state.py"),
        ("capture/rebuilding.py", "rebuilding.py"),
    ):
        shutil.copy(_PACKAGE / source, folder / name)
    for digest, name in ((program.state_digest, "state.pkl"), (program.early_digest, "early.pkl")):
        if digest is not None:
            (folder / name).write_bytes(workspace.blobs.read(digest))
    if program.random:
        (folder / "random.pkl").write_bytes(base64.b64decode(program.random))
    said = {"settings": json.loads(program.settings), "entropy": program.entropy}
    (folder / "conditions.json").write_text(json.dumps(said, indent=1))
    if program.tables:
        (folder / "tables").mkdir()
        for table in program.tables:
            name = re.sub(r"[^\w.\-]", "_", table.place)
            (folder / "tables" / f"{name}.pkl").write_bytes(pickle.dumps(load_table(workspace, table), protocol=5))
    if program.files or program.folders:
        fill(workspace, program, folder)


def _as_python(body: str) -> str:
    try:
        ast.parse(body)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        return str(TransformerManager().transform_cell(body)).strip("\n")  # type: ignore[no-untyped-call]  # IPython has no types here
    return body.strip("\n")


def _awaits(body: str) -> bool:
    try:
        compile(body, "<cell>", "exec", dont_inherit=True)
    except SyntaxError:
        return True
    return False


def _cell(kind: str, source: str) -> dict[str, object]:
    cell: dict[str, object] = {
        "cell_type": kind,
        "metadata": {},
        "source": source.strip("\n").splitlines(keepends=True),
    }
    if kind == "code":
        cell.update(execution_count=None, outputs=[])
    return cell


def _zip(folder: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.new")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() or not any(file.iterdir()):
                archive.write(file, f"{folder.name}/{file.relative_to(folder).as_posix()}")
    temporary.replace(target)
