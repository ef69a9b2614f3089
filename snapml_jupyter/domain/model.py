"""What a model version is: an immutable, numbered model with its signature and lineage."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from .checks import GateSummary


class Stage(str, Enum):
    """Where a version stands in governance."""

    none = "none"
    staging = "staging"
    production = "production"
    archived = "archived"


#: Which stage may follow which. Archived versions come back through staging.
STAGE_MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.none: frozenset({Stage.staging, Stage.production, Stage.archived}),
    Stage.staging: frozenset({Stage.none, Stage.production, Stage.archived}),
    Stage.production: frozenset({Stage.staging, Stage.archived}),
    Stage.archived: frozenset({Stage.staging}),
}


class Task(str, Enum):
    """What the model answers."""

    classification = "classification"
    regression = "regression"
    other = "other"


class ModelFormat(str, Enum):
    """How the fitted object is kept. `pickle` runs code when loaded; `skops` does not."""

    skops = "skops"
    pickle = "pickle"

    @property
    def is_safe(self) -> bool:
        """Whether loading never runs code chosen by the writer."""
        return self is ModelFormat.skops


class ColumnKind(str, Enum):
    """The types a client sends. `string` includes categories; `datetime` is ISO text."""

    boolean = "boolean"
    integer = "integer"
    float = "float"
    string = "string"
    datetime = "datetime"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureColumn:
    """One raw input column, with a real value from training as example.

    `nullable` says whether training rows had missing values here, so whether a request may.
    """

    name: str
    kind: ColumnKind
    nullable: bool
    example: bool | int | float | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Names and types of what goes in and what comes out.

    `labels` are the classes in the order of the probabilities (None for regression), as JSON scalars.
    """

    task: Task
    inputs: list[SignatureColumn]
    labels: list[bool | int | float | str] | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """Proof that the exported graph answers like the model, on `n_rows` real rows.

    `max_difference` is the largest absolute difference of probabilities (or predictions, relative above 1).
    `worst_rows` are positions in the training data, `worst_differences` how much each differs. `accepted_by` is who let
    the graph be kept although it did not pass.
    """

    n_rows: int
    max_difference: float
    label_agreement: float
    tolerance: float
    passed: bool
    source_ref: str | None = None
    worst_rows: list[int] = field(default_factory=list)
    worst_differences: list[float] = field(default_factory=list)
    accepted_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One registered version: `ref` is `name:N`; `model_digest` names the stored object, `onnx_digest` its export."""

    ref: str
    name: str
    number: int
    run_id: str
    stage: Stage
    aliases: list[str]
    signature: Signature
    metrics: dict[str, float]
    format: ModelFormat
    estimator: str
    model_digest: str
    size_bytes: int
    created_at: datetime
    created_by: str
    written_by: str
    dataset_refs: list[str] = field(default_factory=list)
    onnx_digest: str | None = None
    parity: Parity | None = None
    #: The newest judgement by gates, None when there was none.
    gate: GateSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedModel:
    """A version's ONNX graph in a file, with the proof that it answers like the model."""

    ref: str
    path: str
    onnx_digest: str
    signature: Signature
    parity: Parity


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredModel:
    """A model name in a list, with its newest version and the champion if one is set."""

    name: str
    n_versions: int
    latest: ModelVersion
    champion: ModelVersion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunModel:
    """The fitted object a run kept, before it is registered under any name."""

    run_id: str
    variable: str
    estimator: str
    format: ModelFormat
    model_digest: str
    size_bytes: int
    signature: Signature
    written_by: str
    training_ref: str | None = None
