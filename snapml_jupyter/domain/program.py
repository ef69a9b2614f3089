"""What a recorded cell needs to run again: its program, and what it left behind to compare with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from .run import ParamValue


class PartKind(str, Enum):
    """What a part of a program is."""

    imports = "imports"
    definition = "definition"
    value = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramPart:
    """Source that gives `names` their values: an import, a function or class, or a small value.

    `cell` is the execution count of the cell it was found in.
    """

    kind: PartKind
    names: list[str]
    code: str
    cell: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramTable:
    """A table that the cell reads: where it lies (`df`, `splits.0`), its dataset version, and what the value was.

    `kind` is frame, series, array, polars, polars-series or arrow; `order` the memory order ("C" or "F") where it is one
    block; `dtype` and `n_dims` of an array; `name` of a series, as a literal.
    """

    place: str
    dataset_ref: str
    kind: str
    dtype: str | None = None
    n_dims: int | None = None
    order: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramFile:
    """A file or module that the cell reads, by its path from the program's folder."""

    path: str
    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValue:
    """What the cell reads and could not be kept: a name or a file, what it is, why not, and the line that reads it."""

    name: str
    type: str
    reason: str
    line: int | None = None

    def __str__(self) -> str:
        where = f" (line {self.line})" if self.line else ""
        return f"'{self.name}'{where}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """All that is needed to run a recorded cell in an empty folder.

    `body` is the cell without the magic's line. The values of `state_names` lie in the blob `state_digest`, objects by
    value; those that definitions read as they are executed also in `early_digest`. `random` is the state of the random
    generators named in `generators` as the cell began (base 64), `entropy` what generators made without a seed are seeded with, `settings` the
    options of libraries as JSON. `folder` is the working folder below the program's root, so that paths with `..` mean
    the same; `folders` were there as the cell began, and it writes into them.
    """

    run_id: str
    body: str
    kernel: str = "kernel"
    execution_count: int | None = None
    parts: list[ProgramPart] = field(default_factory=list)
    tables: list[ProgramTable] = field(default_factory=list)
    state_names: list[str] = field(default_factory=list)
    state_digest: str | None = None
    state_bytes: int = 0
    early_digest: str | None = None
    random: str | None = None
    generators: list[str] = field(default_factory=list)
    entropy: str | None = None
    settings: str = "{}"
    files: list[ProgramFile] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    folder: str = ""
    missing: list[MissingValue] = field(default_factory=list)
    given: dict[str, ParamValue] = field(default_factory=dict)
    seed: int | None = None
    threads: dict[str, int] = field(default_factory=dict)
    git_diff_digest: str | None = None

    def digests(self) -> list[str]:
        """Every blob that the program needs."""
        single = (self.state_digest, self.early_digest, self.git_diff_digest)
        return list(dict.fromkeys([*(d for d in single if d), *(file.digest for file in self.files)]))

    @property
    def source(self) -> str:
        """The program as source to read: what it needs, then the cell; what is kept by value or missing as comments."""
        plain = [part.code for part in self.parts if part.kind is not PartKind.definition]
        definitions = [part.code for part in self.parts if part.kind is PartKind.definition]
        places = {table.place for table in self.tables}
        said = [f"# {table.place} = {table.dataset_ref}" for table in self.tables]
        said += [f"# {name}: kept by value" for name in self.state_names if name not in places]
        said += [f"# {file.path}: kept ({file.size_bytes:,} bytes)" for file in self.files]
        if self.seed is not None:
            said.append(f"# seed: {self.seed}")
        elif self.generators:
            said.append(f"# seed: none was given; the state of {', '.join(self.generators)} is kept")
        said += [f"# not captured: {missing}" for missing in self.missing]
        blocks = ["\n".join(plain), *definitions, "\n".join(said), self.body.strip("\n")]
        return "\n\n".join(block for block in blocks if block) + "\n"


class Verdict(str, Enum):
    """How a replay compares with the original."""

    identical = "identical"
    equivalent = "equivalent"
    different = "different"
    not_replayable = "not_replayable"

    @property
    def is_good(self) -> bool:
        """Whether the original's result stands."""
        return self in (Verdict.identical, Verdict.equivalent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not the same: where (`metric auc`, `model.coef_`), both sides as text, and how far apart.

    `relative` is the largest difference relative to the larger side; None where that means nothing.
    """

    what: str
    original: str
    replay: str
    relative: float | None = None
    within_tolerance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """A replay and its verdict. `compared` counts what the verdict rests on; `causes` are the likely ones, best first.

    `run_id` is None when no run could be made (the recorded environment could not be built).
    """

    verdict: Verdict
    original_run_id: str
    run_id: str | None
    created_at: datetime
    differences: list[Difference] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    missing: list[MissingValue] = field(default_factory=list)
    compared: dict[str, int] = field(default_factory=dict)
    not_compared: list[str] = field(default_factory=list)
    reason: str = ""
    tolerance: float = 1e-9
    environment: str = "current"
    data: dict[str, str] = field(default_factory=dict)
    params: dict[str, ParamValue] = field(default_factory=dict)
    duration_seconds: float | None = None

    @property
    def run(self) -> str | None:
        """The id of the replay's own run."""
        return self.run_id
