"""What is normal for a deployed model: rows of its training data, and what it answers on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..domain.endpoint import Deployment
from ..domain.errors import ExportError, InvalidInputError, NotFoundError
from ..domain.model import Signature
from ..profiles.columns import as_arrow_table
from ..store import monitors as kept
from ..store.workspace import Workspace
from .logged_rows import INPUT_PREFIX, PREDICTION, input_samples, prediction_sample, read_rows, write_rows
from .samples import ColumnSample

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Larger training data is sampled evenly down to this. A distance of 0.1 is far beyond what that costs in precision.
REFERENCE_ROWS = 50_000

#: Rows of one run of the graph; bounds the memory of wide one-hot encodings.
_CHUNK_ROWS = 10_000

#: Key of the Arrow metadata that says why there are no predictions.
_PROBLEM_KEY = b"snapml.problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A training dataset version as traffic. `problem` says why `prediction` is None."""

    reference_ref: str
    n_rows: int
    columns: dict[str, ColumnSample]
    prediction: ColumnSample | None
    problem: str | None = None


def reference_ref_of(workspace: Workspace, endpoint: str, deployment: int, named: str | None) -> str:
    """The dataset version to compare with: the one named for the monitor, else the deployed model's training data.

    Raises NotFoundError when the model's run recorded none.
    """
    found = named or kept.find_training_ref(workspace.database, endpoint, deployment)
    if found is None:
        raise NotFoundError(
            f"The model behind '{endpoint}' has no recorded training data to compare with. Name a dataset version: "
            f"%snap_monitor {endpoint} --reference DATASET@vN."
        )
    return found


def load_reference(workspace: Workspace, deployment: Deployment, named: str | None = None) -> Reference:
    """The reference of a deployment, from the kept sample when it was made before.

    Raises NotFoundError or DamagedContentError when the dataset version cannot be read.
    """
    from ..datasets.versions import get_version

    ref = reference_ref_of(workspace, deployment.endpoint, deployment.number, named)
    version = get_version(workspace, ref)
    digest = kept.find_reference_answers(workspace.database, deployment.onnx_digest, version.digest)
    if digest is None or not workspace.blobs.exists(digest):
        table = _make_rows(workspace, version.ref, deployment)
        digest = workspace.blobs.put(write_rows(table))
        kept.keep_reference_answers(workspace, deployment.onnx_digest, version.digest, digest)
    else:
        table = read_rows(workspace.blobs.read(digest), f"The reference of '{deployment.endpoint}'")
    problem = (table.schema.metadata or {}).get(_PROBLEM_KEY)
    return Reference(
        reference_ref=version.ref,
        n_rows=version.n_rows,
        columns=input_samples(table, deployment.signature),
        prediction=prediction_sample(table, deployment.signature),
        problem=problem.decode() if problem else None,
    )


def log_rows(content: bytes, frame: pd.DataFrame, signature: Signature) -> pa.Table:
    """The frame's rows as the prediction log would have them, answered by an exported graph.

    Raises ExportError when the graph cannot run, InvalidInputError when a row does not fit the signature.
    """
    import numpy as np
    import pyarrow as pa

    from ..export.frames import frame_to_columns
    from ..export.inputs import GraphInputs
    from ..export.parity import open_session

    try:
        session = open_session(content)
    except Exception as error:  # onnxruntime raises a class of its own for every kind of failure
        raise ExportError(f"onnxruntime cannot load the model: {error}") from error
    inputs = GraphInputs(session.get_modelmeta().custom_metadata_map)
    predictions: list[Any] = []
    probabilities: list[Any] = []
    for start in range(0, len(frame), _CHUNK_ROWS):
        feeds = inputs.columns_to_feeds(frame_to_columns(frame.iloc[start : start + _CHUNK_ROWS], signature))
        try:
            outputs = session.run(inputs.output_names, feeds)
        except Exception as error:  # see above
            raise ExportError(f"the model fails on its reference rows: {error}") from error
        answers = inputs.decode(outputs)
        predictions += answers.predictions
        if answers.probabilities is not None:
            probabilities.append(answers.probabilities)
    if signature.labels and all(isinstance(label, bool) for label in signature.labels):
        predictions = [bool(prediction) for prediction in predictions]
    table = input_rows(frame).append_column(PREDICTION, pa.array(predictions))
    if probabilities:
        shares = np.concatenate(probabilities).astype(np.float32)
        for place in range(shares.shape[1]):
            table = table.append_column(f"p_{place}", pa.array(shares[:, place]))
    return table


def input_rows(frame: pd.DataFrame) -> pa.Table:
    """The frame's columns as logged inputs."""
    table = as_arrow_table(frame)
    return table.rename_columns([INPUT_PREFIX + name for name in table.column_names]).replace_schema_metadata(None)


def _make_rows(workspace: Workspace, ref: str, deployment: Deployment) -> pa.Table:
    """Sampled training rows of the signature's columns, with the model's answers."""
    import numpy as np

    from ..datasets.dataset import open_dataset
    from ..datasets.versions import get_profile

    get_profile(workspace, ref)  # the whylogs profile of the reference is made here at the latest, and kept
    dataset = open_dataset(workspace, ref)
    known = {column.name for column in dataset.schema}
    wanted = [column.name for column in deployment.signature.inputs if column.name in known]
    if not wanted:
        raise InvalidInputError(
            f"{ref} has none of the columns that {deployment.model_ref} takes. Choose another reference: "
            f"%snap_monitor {deployment.endpoint} --reference DATASET@vN."
        )
    frame = dataset.to_pandas(columns=wanted)
    if len(frame) > REFERENCE_ROWS:
        frame = frame.iloc[np.linspace(0, len(frame) - 1, REFERENCE_ROWS).round().astype(np.int64)]
    try:
        return log_rows(workspace.blobs.read(deployment.onnx_digest), frame, deployment.signature)
    except (ExportError, InvalidInputError) as error:
        # Columns can be judged without predictions; the report says why the prediction is not.
        return input_rows(frame).replace_schema_metadata({_PROBLEM_KEY: str(error).encode()})
