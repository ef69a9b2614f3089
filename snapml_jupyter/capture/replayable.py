"""Keeping a recorded cell so that it can be replayed: before it runs what it needs, after it what it left."""

from __future__ import annotations

import ast
import base64
import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..domain.program import MissingValue, PartKind, Program, ProgramFile, ProgramTable
from ..runs.programs import record_program
from .cell_magics import magic_code
from .clock import clock_readings, reads_clock
from .conditions import (
    Entropy,
    changed_settings,
    dump_random_state,
    generators_kept,
    library_settings,
    restore_random_state,
)
from .definitions import ExecutedCell, is_history
from .frames import table_form
from .local_files import FileWatch, folders_in, local_modules, paths_in
from .now import Span
from .program import gather, literal
from .reads import names_read
from .taking_apart import take_outcome

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace
    from .inputs import CellTable, KeptInput

#: A cell that runs for longer has its program kept then already: its kernel may be killed, and with it what it knows.
EARLY_SECONDS = 1.0
#: The name under which the cell's last expression is compared.
LAST_VALUE = "the cell's value"
_NUMERIC = {
    "numpy",
    "pandas",
    "sklearn",
    "scipy",
    "torch",
    "xgboost",
    "lightgbm",
    "statsmodels",
    "seaborn",
    "matplotlib",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCode:
    """The cell as the shell has it: `body` as written below the magic, the cells that ran before it, and where it ran.

    `program` is given when this is a replay: then nothing is gathered, and its own program is kept with the run. `spans`
    are when the original ran: values of earlier cells may say that time.
    """

    body: str = ""
    history: Sequence[ExecutedCell] = ()
    kernel: str = "kernel"
    execution_count: int | None = None
    program: Program | None = None
    spans: Sequence[Span] = ()


@dataclass(slots=True)
class Replayable:
    """One cell between `begin` and `end`."""

    workspace: Workspace | RemoteWorkspace
    run_id: str
    python_code: str
    namespace: MutableMapping[str, Any]
    cell: CellCode
    program: Program
    inputs: list[str]
    tables: set[str]
    names_before: frozenset[str]
    files: FileWatch
    entropy: Entropy
    settings_before: dict[str, Any] = field(default_factory=dict)
    begun: float = 0.0
    diff: threading.Thread | None = None
    diff_text: list[bytes] = field(default_factory=list)
    early: threading.Timer | None = None

    @classmethod
    def begin(
        cls,
        workspace: Workspace | RemoteWorkspace,
        run_id: str,
        python_code: str,
        namespace: MutableMapping[str, Any],
        cell: CellCode,
        tables: Sequence[tuple[CellTable, KeptInput]],
        *,
        seed: int | None,
        given: Mapping[str, Any],
        skip: frozenset[str],
    ) -> Replayable:
        """Keep what the cell needs, as it is now."""
        from ..runs.values import param_value

        _load_numpy_first(python_code)
        read = [name for name in names_read(python_code, namespace) if name not in skip and not is_history(name)]
        program = cell.program
        folder = Path.cwd()
        files = FileWatch(folder, skipped=_own_folders(workspace))
        if program is None:
            program = _gathered(workspace, run_id, python_code, namespace, cell, tables, skip, files)
            plain = {name: param_value(value) for name, value in given.items()}
            program = replace(program, seed=seed, given=plain, execution_count=cell.execution_count)
        return cls(
            workspace=workspace,
            run_id=run_id,
            python_code=python_code,
            namespace=namespace,
            cell=cell,
            program=program,
            inputs=read,
            tables={table.variable for table, _ in tables} | {table.place for table in program.tables},
            names_before=frozenset(namespace),
            files=files,
            entropy=Entropy(program.entropy),
        )

    def enter(self) -> None:
        """The cell begins: the very last thing before its first line."""
        self.settings_before = library_settings()
        self.begun = time.time()
        if self.cell.program is None:
            from ..runs.environment import thread_counts

            self.program = replace(
                self.program,
                threads=thread_counts(),
                settings=json.dumps(self.settings_before),
                entropy=self.entropy.base,
                random=base64.b64encode(dump_random_state()).decode(),
                generators=generators_kept(),
            )
            self.files.start()
            self._ask_for_diff()
            self.early = threading.Timer(EARLY_SECONDS, self._keep_early)
            self.early.daemon = True
            self.early.start()
        elif program_random := self.program.random:
            import pickle

            restore_random_state(pickle.loads(base64.b64decode(program_random)))
        self.entropy.start()

    def _keep_early(self) -> None:
        """Keep the program with the files that were read so far; `end` replaces it. It fails there as well, and is said."""
        with contextlib.suppress(Exception):
            record_program(self.workspace, self.run_id, self._with_files(self.program))

    def _ask_for_diff(self) -> None:
        """The repository's changes, while the cell already runs."""
        from ..runs.environment import git_diff, git_state

        folder = Path.cwd()
        if git_state(folder).dirty:
            self.diff = threading.Thread(target=lambda: self.diff_text.append(git_diff(folder) or b""), daemon=True)
            self.diff.start()

    def leave(self) -> None:
        """The cell has ended, whatever happened."""
        self.entropy.stop()
        self.files.stop()
        if self.early is not None:
            self.early.cancel()
            self.early.join()

    def end(self, value: Any, fits: Sequence[Any]) -> list[MissingValue]:
        """Keep the program and what the cell left; gives what is missing from the program."""
        program = self.program
        if self.cell.program is None:
            program = self._with_files(program)
        outcome = self._outcome(value, fits)
        digest = None
        if outcome.leaves:
            digest = self.workspace.blobs.put(outcome.to_bytes())
        record_program(self.workspace, self.run_id, program, digest)
        self.program = program
        return list(program.missing)

    def _outcome(self, value: Any, fits: Sequence[Any]) -> Any:
        code = self.python_code
        assigned = assigned_names(code)
        new = [name for name in self.namespace if name not in self.names_before]
        names = [n for n in dict.fromkeys([*assigned, *new]) if n in self.namespace and not is_history(n)]
        values = {name: self.namespace[name] for name in names if name != "run" or "run" in assigned}
        held = {id(each) for each in values.values()}
        after = {
            n: self.namespace[n]
            for n in self.inputs
            if n in self.namespace and n not in values and not callable_only(self.namespace[n])
        }
        held |= {id(each) for each in after.values()}
        if value is not None:
            values[LAST_VALUE] = value
        loose = [estimator for estimator in fits if id(estimator) not in held]
        for number, estimator in enumerate(loose[-10:], 1):
            values[f"fitted estimator {number}"] = estimator
        definitions = [part.code for part in self.program.parts if part.kind is PartKind.definition]
        readings = clock_readings(code, definitions)
        clock = set(readings.names)
        for library, options in changed_settings(self.settings_before, library_settings()).items():
            values[f"settings of {library}"] = options
        outcome = take_outcome(
            {**values, **after}, clock, readings, [(self.begun, time.time()), *self.cell.spans], imported_names(code)
        )
        outcome.masks_durations = any(reads_clock(source) for source in (self.cell.body, code, *definitions))
        return outcome

    def _with_files(self, program: Program) -> Program:
        contents = dict(self.files.contents)
        missing = list(program.missing)
        for path, size in self.files.too_large.items():
            missing.append(
                MissingValue(name=path, type="file", reason=f"the file is larger than what is kept ({size:,} bytes)")
            )
        known = {file.path for file in program.files}
        folders = sorted(self.files.folders)
        n_up = max((Path(path).parts.count("..") for path in [*contents, *folders]), default=0)
        folder = "/".join(Path.cwd().parts[-n_up:]) if n_up else ""
        files = list(program.files)
        for path, content in contents.items():
            if path not in known:
                digest = self.workspace.blobs.put(content)
                files.append(ProgramFile(path=path, digest=digest, size_bytes=len(content)))
        diff = None
        if self.diff is not None:
            self.diff.join(1.0)
            if self.diff_text and self.diff_text[0]:
                diff = self.workspace.blobs.put(self.diff_text[0])
        return replace(program, files=files, folders=folders, folder=folder, missing=missing, git_diff_digest=diff)


def _gathered(
    workspace: Workspace | RemoteWorkspace,
    run_id: str,
    python_code: str,
    namespace: Mapping[str, Any],
    cell: CellCode,
    tables: Sequence[tuple[CellTable, KeptInput]],
    skip: frozenset[str],
    files: FileWatch,
) -> Program:
    kept: list[ProgramTable] = []
    by_id: dict[int, str] = {}
    for table, input_ in tables:
        form = table_form(table.value)
        if form is None:
            continue  # kept by value besides: nobody could say how to make it of the version again
        kind, dtype, n_dims, order = form
        name = literal(table.value.name) if kind == "series" else None
        if kind == "series" and name is None:
            continue
        by_id[id(table.value)] = table.variable
        kept.append(
            ProgramTable(
                place=table.variable,
                dataset_ref=input_.version.ref,
                kind=kind,
                dtype=dtype,
                n_dims=n_dims,
                order=order,
                name=name,
            )
        )
    found = gather(python_code, namespace, cell.history, by_id, skip)
    for path in paths_in(python_code, files.folder):
        files.keep(path)
    sources = [python_code, *(part.code for part in found.parts)]
    for source in sources:
        files.folders.update(folders_in(source, files.folder))
    for place, file in local_modules(found.modules, sources):
        files.contents[place] = file.read_bytes()
    return Program(
        run_id=run_id,
        body=cell.body,
        kernel=cell.kernel,
        parts=found.parts,
        tables=kept,
        state_names=found.state_names,
        state_digest=workspace.blobs.put(found.state) if found.state is not None else None,
        state_bytes=len(found.state or b""),
        early_digest=workspace.blobs.put(found.early) if found.early is not None else None,
        missing=found.missing,
    )


def imported_names(code: str) -> dict[str, str]:
    """What the cell's import statements at top level bind, and what each of them imports.

    >>> imported_names("import numpy as np; from tqdm.auto import tqdm")
    {'np': 'numpy', 'tqdm': 'tqdm.auto.tqdm'}
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return {}
    found: dict[str, str] = {}
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        if isinstance(node, ast.Import):
            found.update({a.asname or a.name.partition(".")[0]: a.name for a in node.names})
        elif isinstance(node, ast.ImportFrom):
            found.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
    return found


def assigned_names(code: str) -> list[str]:
    """Names that the cell's statements give a value at top level or as `global`, in order."""
    found: dict[str, None] = {}
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return []

    class Visitor(ast.NodeVisitor):
        depth = 0

        def visit_Name(self, node: ast.Name) -> None:
            if isinstance(node.ctx, ast.Store) and not self.depth:
                found[node.id] = None

        def visit_Call(self, node: ast.Call) -> None:
            self.generic_visit(node)
            inner = magic_code(node)
            if inner is not None and inner[1]:
                for statement in ast.parse(inner[0]).body:
                    self.visit(statement)

        def visit_Global(self, node: ast.Global) -> None:
            found.update(dict.fromkeys(node.names))

        def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
            if not self.depth:
                found.update({a.asname or a.name.partition(".")[0]: None for a in node.names if a.name != "*"})

        visit_ImportFrom = visit_Import

        def _inner(self, node: Any) -> None:
            if not self.depth and getattr(node, "name", None):
                found[node.name] = None
            self.depth += 1
            self.generic_visit(node)
            self.depth -= 1

        visit_FunctionDef = _inner
        visit_AsyncFunctionDef = _inner
        visit_ClassDef = _inner
        visit_Lambda = _inner
        visit_ListComp = _inner
        visit_SetComp = _inner
        visit_DictComp = _inner
        visit_GeneratorExp = _inner

    Visitor().visit(tree)
    return list(found)


def callable_only(value: Any) -> bool:
    """Modules, functions and classes: read by the cell, not changed by it."""
    import types

    return isinstance(value, (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type))


def _load_numpy_first(code: str) -> None:
    """A cell that is about to import NumPy gets generators whose state is known."""
    import sys

    if "numpy.random" in sys.modules:
        return
    for node in ast.walk(ast.parse(code)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        if any(name.partition(".")[0] in _NUMERIC for name in names):
            try:
                import numpy.random  # noqa: F401  for its generators' state
            except ImportError:
                return
            return


def _own_folders(workspace: Any) -> tuple[Path, ...]:
    folder = getattr(workspace, "folder", None)
    return (Path(folder),) if folder is not None else ()
