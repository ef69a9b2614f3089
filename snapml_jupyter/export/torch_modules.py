"""torch modules: exported by torch's own exporter (dynamo), then put behind the named raw columns.

A module with one argument is given all columns as one float tensor [rows, columns]; with several, each argument is the
column of that name, [rows]: whole numbers as int64 (for embeddings), booleans as bool, everything else as floats.

Its outputs are numbers [rows] or [rows, 1]; or, with labels, scores [rows, classes], or one score for two classes.
Scores may be logits, log-probabilities or probabilities: which, is measured (see `measured_link`).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..domain.errors import ExportError, MissingDependencyError
from ..domain.model import ColumnKind, Signature, SignatureColumn
from .conversion import Conversion, Prediction
from .graph import OPSET
from .table import Piece, Table

if TYPE_CHECKING:
    import pandas as pd

#: Rows that the exporter sees, and that the meaning of the outputs is measured on.
_TRACED_ROWS = 4
_MEASURED_ROWS = 256

#: How near to one probabilities add up, in float32.
_NEAR = 1e-4


def predict_torch(conversion: Conversion, module: Any, table: Table) -> Prediction:
    """A torch.nn.Module, in evaluation mode. Raises ExportError, MissingDependencyError without torch or onnxscript."""
    _require("onnxscript")
    graph, signature, frame = conversion.graph, conversion.signature, conversion.frame
    assert signature is not None and frame is not None
    arguments = _arguments(conversion, module, table, signature)
    if any(parameter.device.type != "cpu" for parameter in module.parameters()):
        conversion.fail(module, table, "its weights are not on the CPU", "keep it as model.cpu()")
    sample = tensors(module, _repeated(frame, _TRACED_ROWS), signature)
    width, link = measured_link(module, frame, signature)
    part = _traced(conversion, module, table, sample)
    kind = _float_kind(module)
    inputs = {}
    for name, pieces in arguments.items():
        if len(arguments) == 1:
            inputs[name] = graph.concat([graph.cast(piece.tensor, kind) for piece in pieces])
        else:
            column = {column.name: column for column in signature.inputs}[name]
            own = graph.cast(pieces[0].tensor, _argument_kind(column, kind))
            inputs[name] = graph.op("Reshape", own, graph.constant(np.array([-1], dtype=np.int64)))
    conversion.has_foreign_part = True
    outputs = graph.include(part, inputs)
    shape = graph.constant(np.array([-1, width], dtype=np.int64))
    scores = graph.op("Reshape", graph.cast(outputs[0], "double"), shape)
    if signature.labels is None:
        return Prediction(values=scores)
    if link == "softmax":
        scores = graph.op("Softmax", scores, axis=1)
    elif link == "sigmoid":
        scores = graph.op("Sigmoid", scores)
    elif link == "exp":
        scores = graph.op("Exp", scores)
    return conversion.classification(signature.labels, conversion.two_columns(scores) if width == 1 else scores)


def torch_answering(module: Any, signature: Signature, frame: pd.DataFrame) -> Callable[[pd.DataFrame], Any]:
    """How to ask the module itself: numbers [rows, 1], or probabilities [rows, classes or 1]."""
    width, link = measured_link(module, frame, signature)

    def answer(rows: pd.DataFrame) -> Any:
        scores = _run(module, tensors(module, rows, signature)).reshape(len(rows), width)
        if signature.labels is None or link == "identity":
            return scores
        if link == "exp":
            return np.exp(scores)
        if link == "sigmoid":
            return 1 / (1 + np.exp(-scores))
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    return answer


def tensors(module: Any, frame: pd.DataFrame, signature: Signature) -> dict[str, Any]:
    """The module's arguments for a frame, by name."""
    torch = _torch()
    names = argument_names(module)
    kind = _float_kind(module)
    columns = {column.name: column for column in signature.inputs}
    found = {str(name): name for name in frame.columns}

    def tensor(column: SignatureColumn, wanted: str) -> Any:
        series = frame[found[column.name]]
        missing: Any = {} if wanted in ("int64", "bool") else {"na_value": np.nan}
        return torch.from_numpy(np.array(series.to_numpy(dtype="float64" if missing else wanted, **missing)))

    if len(names) == 1:
        matrix = torch.stack([tensor(column, "double") for column in signature.inputs], dim=1)
        return {names[0]: matrix.to(getattr(torch, kind))}
    given = {}
    for name in names:
        wanted = _argument_kind(columns[name], kind)
        own = tensor(columns[name], wanted)
        given[name] = own if wanted in ("int64", "bool") else own.to(getattr(torch, kind))
    return given


def measured_link(module: Any, frame: pd.DataFrame, signature: Signature) -> tuple[int, str]:
    """Width of the outputs, and what makes probabilities of them: identity, exp, sigmoid or softmax.

    Probabilities are those outputs that stay between 0 and 1 (and add up to 1) on rows of the frame and on rows a
    thousand times as large, where logits would not. Raises ExportError for outputs that do not fit the signature.
    """
    rows = frame.head(_MEASURED_ROWS)
    given = tensors(module, rows, signature)
    scores = _run(module, given)
    scores = scores.reshape(len(rows), -1) if scores.size else scores
    n_labels = 0 if signature.labels is None else len(signature.labels)
    width = scores.shape[1]
    if (width != 1 and width != n_labels) or (width == 1 and n_labels > 2):
        what = f"{n_labels} labels" if n_labels else "no labels"
        raise ExportError(
            f"The model ({type(module).__name__}) cannot be exported: its outputs have {width} columns, and it was kept "
            f"with {what}. Instead: keep it with one label per column, in their order: "
            "run.log_model(model, example=df, labels=[...])."
        )
    if not n_labels:
        return width, "identity"
    seen = [scores]
    for factor in (1e3, -1e3):
        larger = {name: tensor * factor if tensor.is_floating_point() else tensor for name, tensor in given.items()}
        seen.append(_run(module, larger).reshape(len(rows), -1))
    together = np.vstack(seen)
    together = together[np.isfinite(together).all(axis=1)]
    if _are_shares(together, width):
        return width, "identity"
    if width > 1 and _are_shares(np.exp(np.minimum(np.vstack([scores]), 1.0)), width) and (scores <= _NEAR).all():
        return width, "exp"
    return width, "softmax" if width > 1 else "sigmoid"


def argument_names(module: Any) -> list[str]:
    """The arguments of `forward` that have no default. Raises ExportError for *arguments."""
    names = []
    for parameter in inspect.signature(module.forward).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ExportError(
                f"The model ({type(module).__name__}) cannot be exported: its forward takes *{parameter.name}. Instead: "
                "give forward one tensor of all columns, or one argument per column."
            )
        if parameter.default is parameter.empty:
            names.append(parameter.name)
    return names


def _arguments(conversion: Conversion, module: Any, table: Table, signature: Signature) -> dict[str, list[Piece]]:
    names = argument_names(module)
    pieces = {piece.sources[0]: piece for piece in table}
    unknown = [name for name in names if name not in pieces]
    if len(names) != 1 and (unknown or not names):
        conversion.fail(
            module,
            [],
            f"its forward takes {', '.join(names) or 'nothing'}, and there is no column '{(unknown or ['?'])[0]}'",
            "give forward one tensor of all columns, or arguments that are named like the columns",
        )
    used = list(pieces.values()) if len(names) == 1 else [pieces[name] for name in names]
    text = [piece for piece in used if piece.kind == "string"]
    if text:
        conversion.fail(
            module, text, "it needs numbers, but these are text", "encode them in the DataFrame, as numbers"
        )
    if any(piece.kind == "datetime" for piece in used):
        conversion.refuse_dates(module, used)
    return {names[0]: used} if len(names) == 1 else {name: [pieces[name]] for name in names}


def _traced(conversion: Conversion, module: Any, table: Table, sample: dict[str, Any]) -> Any:
    """The exporter's own graph, any number of rows. Raises ExportError with its reason."""
    torch = _torch()
    rows = torch.export.Dim("rows")
    loud = logging.getLogger("torch.onnx")
    level = loud.level
    loud.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), evaluating(module):
            warnings.simplefilter("ignore")  # deprecations between torch and its own parts are not the user's
            program = torch.onnx.export(
                module,
                tuple(sample.values()),
                input_names=list(sample),
                dynamic_shapes=tuple({0: rows} for _ in sample),
                dynamo=True,
                opset_version=OPSET,
                external_data=False,
                verbose=False,
            )
    except (torch.onnx.OnnxExporterError, RuntimeError, TypeError, ValueError, AttributeError, KeyError) as error:
        reason = _first_cause(error)
        conversion.fail(
            module,
            table,
            f"torch cannot export it ({reason})",
            "use operations that torch.onnx.export(..., dynamo=True) takes, for any number of rows and without branches "
            "on values",
        )
    finally:
        loud.setLevel(level)
    assert program is not None
    part = program.model_proto
    if len(part.graph.output) != 1:
        conversion.fail(
            module, table, f"it has {len(part.graph.output)} outputs", "give back one tensor, the scores or the numbers"
        )
    if any(attribute.HasField("g") for node in part.graph.node for attribute in node.attribute):
        conversion.fail(module, table, "it has branches or loops inside", "use operations on whole tensors")
    return part


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """Without dropout and batch statistics, every part put back afterwards as it was."""
    before = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, was in before:
            part.training = was


def _run(module: Any, given: dict[str, Any]) -> Any:
    """The outputs in double. Raises ExportError when the module cannot take the columns."""
    torch = _torch()
    try:
        with torch.no_grad(), evaluating(module):
            output = module(*given.values())
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        shapes = ", ".join(f"{name} {list(tensor.shape)} {tensor.dtype}" for name, tensor in given.items())
        raise ExportError(
            f"The model ({type(module).__name__}) does not take its columns as tensors ({shapes}): "
            f"{_first_cause(error)}. Instead: keep it with the frame whose columns it was trained on, in that order."
        ) from error
    if isinstance(output, (tuple, list)) and len(output) == 1:
        output = output[0]
    if not isinstance(output, torch.Tensor):
        raise ExportError(
            f"The model ({type(module).__name__}) cannot be exported: it gives back a {type(output).__name__}. Instead: "
            "give back one tensor, the scores or the numbers."
        )
    return output.to(torch.float64).numpy()


def _are_shares(values: Any, width: int) -> bool:
    inside = bool(((values >= -_NEAR) & (values <= 1 + _NEAR)).all())
    return inside and (width == 1 or bool((np.abs(values.sum(axis=1) - 1) <= _NEAR).all()))


def _argument_kind(column: SignatureColumn, float_kind: str) -> str:
    if column.nullable or column.kind not in (ColumnKind.integer, ColumnKind.boolean):
        return float_kind
    return "int64" if column.kind is ColumnKind.integer else "bool"


def _float_kind(module: Any) -> str:
    """ "double" when the weights are, else "float"."""
    return "double" if any(str(p.dtype) == "torch.float64" for p in module.parameters()) else "float"


def _repeated(frame: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    repeated: pd.DataFrame = frame.take([row % len(frame) for row in range(n_rows)])
    return repeated


def _first_cause(error: BaseException) -> str:
    """The first line of what went wrong at the bottom of a chain of errors."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[0][:200].rstrip(".")


def _torch() -> Any:
    _require("torch")
    return importlib.import_module("torch")  # this way nobody's type checker depends on whether it is installed


def _require(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        raise MissingDependencyError(
            f"Exporting a torch module needs {name}. Install it: pip install 'snapml-jupyter[torch]'."
        )
