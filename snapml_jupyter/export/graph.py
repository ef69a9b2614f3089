"""Building one ONNX graph, node by node: names, constants, and the few operators that everything is made of.

Tensors are named by strings. Element kinds are "double", "float", "int64", "bool" and "string". Equal nodes are made
once, and nodes that no output needs are left out at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import EncodeError  # type: ignore[import-untyped]  # protobuf publishes no types
from onnx import TensorProto, helper, numpy_helper

from ..domain.errors import ExportError

#: Operator sets: the newest that skl2onnx is tested with and onnxruntime 1.20 runs.
OPSET = 20
_IR_VERSION = 10

ELEMENT_TYPES: dict[str, int] = {
    "double": TensorProto.DOUBLE,
    "float": TensorProto.FLOAT,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
    "string": TensorProto.STRING,
}


class Graph:
    """A graph under construction. `ml_opset` is the version of the operators for trees and encoders."""

    def __init__(self, ml_opset: int) -> None:
        self.ml_opset = ml_opset
        self._inputs: dict[str, onnx.ValueInfoProto] = {}
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._functions: dict[tuple[str, str], onnx.FunctionProto] = {}
        self._made: dict[tuple[Any, ...], list[str]] = {}
        self._domains: dict[str, int] = {"": OPSET}
        self._n_names = 0

    def input(self, name: str, kind: str) -> str:
        """A graph input of shape [rows, 1]."""
        self._inputs[name] = helper.make_tensor_value_info(name, ELEMENT_TYPES[kind], [None, 1])
        return name

    def constant(self, values: Any) -> str:
        """An array as a constant; text becomes a string tensor."""
        array = np.asarray(values)
        if array.dtype.kind in "OU":
            content = [str(item).encode() for item in array.ravel()]
            key: tuple[Any, ...] = ("string", array.shape, tuple(content))
            tensor = TensorProto(data_type=TensorProto.STRING, dims=array.shape, string_data=content)
        else:
            array = np.ascontiguousarray(array)
            key = (array.dtype.str, array.shape, array.tobytes())
            tensor = numpy_helper.from_array(array)
        if key not in self._made:
            tensor.name = self._name("constant")
            self._constants[tensor.name] = tensor
            self._made[key] = [tensor.name]
        return self._made[key][0]

    def op(self, op_type: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output, or find the equal one that is there. Returns the output's name."""
        tensors = {name: value for name, value in attributes.items() if isinstance(value, onnx.TensorProto)}
        plain = repr(sorted((n, v) for n, v in attributes.items() if n not in tensors))
        key = (op_type, domain, inputs, plain, *((n, v.SerializeToString()) for n, v in sorted(tensors.items())))
        if key not in self._made:
            output = self._name(op_type)
            self._nodes.append(helper.make_node(op_type, list(inputs), [output], domain=domain, **attributes))
            self._use_domain(domain)
            self._made[key] = [output]
        return self._made[key][0]

    def ml(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """Like `op`, from the domain of classical machine learning."""
        return self.op(op_type, *inputs, domain="ai.onnx.ml", **attributes)

    def large_ml(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """Like `ml`, without looking for an equal node: comparing forests would cost more than a second copy."""
        output = self._name(op_type)
        self._nodes.append(helper.make_node(op_type, list(inputs), [output], domain="ai.onnx.ml", **attributes))
        self._use_domain("ai.onnx.ml")
        return output

    def readers(self, tensor: str) -> list[onnx.NodeProto]:
        """The nodes that read a tensor."""
        return [node for node in self._nodes if tensor in node.input]

    def cast(self, tensor: str, kind: str) -> str:
        """Change the element kind."""
        return self.op("Cast", tensor, to=ELEMENT_TYPES[kind])

    def concat(self, tensors: Sequence[str]) -> str:
        """Put tensors of shape [rows, n] beside each other."""
        return tensors[0] if len(tensors) == 1 else self.op("Concat", *tensors, axis=1)

    def take_columns(self, tensor: str, positions: Iterable[int]) -> str:
        """Columns of a tensor [rows, n] by position."""
        return self.op("Gather", tensor, self.constant(np.array(list(positions), dtype=np.int64)), axis=1)

    def sum_columns(self, tensor: str) -> str:
        """Row sums, shape [rows, 1]."""
        return self.op("ReduceSum", tensor, self.constant(np.array([1], dtype=np.int64)), keepdims=1)

    def include(self, model: onnx.ModelProto, inputs: Mapping[str, str]) -> list[str]:
        """Copy another model's nodes in, its inputs replaced by tensors of this graph. Returns its outputs' names."""
        names = dict(inputs)

        def rename(name: str) -> str:
            if name and name not in names:
                names[name] = self._name("part")
            return names.get(name, "")

        for constant in model.graph.initializer:
            copy = onnx.TensorProto()
            copy.CopyFrom(constant)
            copy.name = rename(constant.name)
            copy.ClearField("metadata_props")
            self._constants[copy.name] = copy
        for node in model.graph.node:
            new = onnx.NodeProto()
            new.CopyFrom(node)
            new.ClearField("input")
            new.input.extend(rename(name) for name in node.input)
            new.ClearField("output")
            new.output.extend(rename(name) for name in node.output)
            new.name = ""
            # torch writes there where in whose files each line was.
            new.doc_string = ""
            new.ClearField("metadata_props")
            self._nodes.append(new)
        for function in model.functions:
            self._functions[function.domain, function.name] = function
        for imported in model.opset_import:
            self._use_domain(imported.domain, imported.version)
        return [rename(output.name) for output in model.graph.output]

    def finish(self, outputs: Sequence[tuple[str, str, str, int | None]], metadata: Mapping[str, str]) -> bytes:
        """The serialised model. `outputs` are (name, tensor, kind, number of columns or None for shape [rows])."""
        infos = []
        for name, tensor, kind, width in outputs:
            self._nodes.append(helper.make_node("Identity", [tensor], [name]))
            shape = [None] if width is None else [None, width]
            infos.append(helper.make_tensor_value_info(name, ELEMENT_TYPES[kind], shape))
        nodes = self._needed({info.name for info in infos})
        used = {name for node in nodes for name in _reads(node)}
        graph = helper.make_graph(
            nodes,
            "snapml",
            [info for name, info in self._inputs.items() if name in used],
            infos,
            initializer=[constant for name, constant in self._constants.items() if name in used],
        )
        domains = {node.domain for node in nodes} | {""}
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(d, v) for d, v in self._domains.items() if d in domains],
            ir_version=_IR_VERSION,
            producer_name="snapml-jupyter",
            functions=[function for function in self._functions.values() if function.domain in domains],
        )
        helper.set_model_props(model, dict(metadata))
        try:
            content: bytes = model.SerializeToString()
        except (ValueError, EncodeError) as error:
            raise ExportError(
                "The model is larger than the 2 GB that one ONNX graph may have. Train fewer or smaller trees "
                "(n_estimators, max_depth, min_samples_leaf), or HistGradientBoosting, which is far smaller."
            ) from error
        return content

    def inputs_needed_by(self, tensors: Iterable[str]) -> set[str]:
        """The graph inputs that these tensors are computed from."""
        nodes = self._needed(set(tensors))
        read = {name for node in nodes for name in _reads(node)} | set(tensors)
        return read & set(self._inputs)

    def _needed(self, wanted: set[str]) -> list[onnx.NodeProto]:
        kept = []
        wanted = set(wanted)
        for node in reversed(self._nodes):
            if wanted.intersection(node.output):
                wanted.update(_reads(node))
                kept.append(node)
        return kept[::-1]

    def _use_domain(self, domain: str, version: int | None = None) -> None:
        default = {"": OPSET, "ai.onnx.ml": self.ml_opset}.get(domain, 1)
        self._domains.setdefault(domain, default if domain in ("", "ai.onnx.ml") else version or default)

    def _name(self, hint: str) -> str:
        self._n_names += 1
        return f"snapml/{hint}_{self._n_names}"


def _reads(node: onnx.NodeProto) -> list[str]:
    """What a node reads, also inside its branches and loops."""
    names = list(node.input)
    for attribute in node.attribute:
        if attribute.HasField("g"):
            for inner in attribute.g.node:
                names.extend(_reads(inner))
    return names
