"""The tables a cell reads, kept as dataset versions in the state in which it reads them: before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..domain.dataset import DatasetSource, SourceKind
from ..domain.errors import InvalidInputError, SnapMLError
from ..domain.names import check_name
from .frames import dataset_name, is_table, tables_in, unchanging
from .reads import names_read

if TYPE_CHECKING:
    from ..domain.dataset import DatasetVersion
    from ..domain.program import Program
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

#: Values of IPython's own that hold every earlier output; reading them is not reading data.
_HISTORIES = {"In", "Out", "_ih", "_oh", "_dh"}


@dataclass(frozen=True, slots=True)
class CellTable:
    """A table that the cell reads: the variable, the dataset it is kept as, and the value."""

    variable: str
    dataset: str
    value: Any


@dataclass(frozen=True, slots=True)
class KeptInput:
    """A kept table. `content` is a copy that the cell's changes do not reach, where that is free; else None."""

    variable: str
    version: DatasetVersion
    content: Any


def find_tables(code: str, namespace: Mapping[str, Any], named: Mapping[str, str]) -> list[CellTable]:
    """The tables that the (transformed) cell reads; `named` is `--data`: dataset name to variable.

    Raises InvalidInputError for a variable in `named` that does not exist or is no table.
    """
    chosen = {variable: check_name("dataset", dataset) for dataset, variable in named.items()}
    for dataset, variable in named.items():
        if variable not in namespace:
            raise InvalidInputError(
                f"--data {dataset}={variable}: there is no variable '{variable}'. Run the cell that makes it first."
            )
        if not any(True for _ in tables_in(variable, namespace[variable])):
            raise InvalidInputError(
                f"--data {dataset}={variable}: '{variable}' is a {type(namespace[variable]).__name__}, not a table. Give a "
                "pandas, polars or Arrow table or a two-dimensional array."
            )
    found: list[CellTable] = []
    seen: set[int] = set()
    for variable in dict.fromkeys([*chosen, *names_read(code, namespace)]):
        if variable in _HISTORIES:
            continue
        for place, value in tables_in(variable, namespace[variable]):
            if id(value) not in seen:  # one table under two names is one input, by the first
                seen.add(id(value))
                dataset = dataset_name(chosen.get(variable, variable) + place[len(variable) :])
                found.append(CellTable(place, dataset, value))
    return found


def keep_table(workspace: Workspace | RemoteWorkspace, run_id: str, table: CellTable) -> KeptInput:
    """Keep one table and tie it to the run. Raises CannotKeepError, naming the variable, for what cannot be kept."""
    from ..datasets.snapshot import snapshot
    from ..runs.recording import record_input

    assert is_table(table.value)
    source = DatasetSource(kind=SourceKind.FRAME, name=table.variable, detail=f"run {run_id}")
    version = snapshot(workspace, table.dataset, table.value, run_id=run_id, source=source)
    record_input(workspace, run_id, table.variable, version.ref)
    return KeptInput(table.variable, version, unchanging(table.value))


def known_inputs(
    workspace: Workspace | RemoteWorkspace, run_id: str, program: Program, namespace: Mapping[str, Any]
) -> list[KeptInput]:
    """The tables of a replay, which are versions already, tied to its run."""
    from ..datasets.versions import get_version
    from ..runs.recording import record_input

    kept = []
    for table in program.tables:
        record_input(workspace, run_id, table.place, table.dataset_ref)
        value = namespace.get(table.place)
        content = unchanging(value) if value is not None else None
        kept.append(KeptInput(table.place, get_version(workspace, table.dataset_ref), content))
    return kept


def why_not_kept(variable: str, error: BaseException) -> str:
    """The sentence for the card when a table could not be kept."""
    reason = str(error) if isinstance(error, SnapMLError) else f"{type(error).__name__}: {error}"
    return f"'{variable}' was read but is not kept as a dataset version. {reason}"
