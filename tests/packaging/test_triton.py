"""The Triton repository: a configuration that protocol buffers' own parser reads, and tensors as the graph has them.

`parse` knows Triton's ModelConfig as far as we write it, so that protocol buffers' own parser reads `config.pbtxt` and refuses the rest.

Field numbers and types after github.com/triton-inference-server/common, protobuf/model_config.proto (the same as in
tritonclient 2.73.0).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from snapml_jupyter.domain.errors import ConflictError
from snapml_jupyter.packaging.exporting import export_deployment, gather
from snapml_jupyter.packaging.triton import config, triton_files

_FIELD = descriptor_pb2.FieldDescriptorProto
_KINDS = {"string": _FIELD.TYPE_STRING, "int32": _FIELD.TYPE_INT32, "int64": _FIELD.TYPE_INT64}
_MESSAGES = {
    "ModelTensorReshape": [("shape", 1, "int64", True)],
    "ModelInput": [
        ("name", 1, "string", False),
        ("data_type", 2, "DataType", False),
        ("dims", 4, "int64", True),
        ("reshape", 5, "ModelTensorReshape", False),
    ],
    "ModelOutput": [
        ("name", 1, "string", False),
        ("data_type", 2, "DataType", False),
        ("dims", 3, "int64", True),
        ("label_filename", 4, "string", False),
        ("reshape", 5, "ModelTensorReshape", False),
    ],
    "Specific": [("versions", 1, "int64", True)],
    "ModelVersionPolicy": [("specific", 3, "Specific", False)],
    "ModelInstanceGroup": [("kind", 4, "Kind", False), ("count", 2, "int32", False)],
    "ModelDynamicBatching": [],
    "ModelConfig": [
        ("name", 1, "string", False),
        ("version_policy", 3, "ModelVersionPolicy", False),
        ("max_batch_size", 4, "int32", False),
        ("input", 5, "ModelInput", True),
        ("output", 6, "ModelOutput", True),
        ("instance_group", 7, "ModelInstanceGroup", True),
        ("dynamic_batching", 11, "ModelDynamicBatching", False),
        ("backend", 17, "string", False),
    ],
}
_ENUMS = {
    "DataType": {"TYPE_INVALID": 0, "TYPE_BOOL": 1, "TYPE_INT64": 9, "TYPE_FP32": 11, "TYPE_FP64": 12, "TYPE_STRING": 13},
    "Kind": {"KIND_AUTO": 0, "KIND_GPU": 1, "KIND_CPU": 2},
}  # fmt: skip


def parse(text: str) -> Any:
    """The configuration as a message. Raises text_format.ParseError for what is not one."""
    return text_format.Parse(text, _model_config()())


def _model_config() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="model_config.proto", package="inference", syntax="proto3")
    for name, values in _ENUMS.items():
        enum = file.enum_type.add(name=name)
        for value, number in values.items():
            enum.value.add(name=value, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
            added = message.field.add(name=field, number=number, label=label)
            if kind in _KINDS:
                added.type = _KINDS[kind]
            else:
                added.type = _FIELD.TYPE_ENUM if kind in _ENUMS else _FIELD.TYPE_MESSAGE
                added.type_name = f".inference.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("inference.ModelConfig"))


ONNX_TYPES = {"tensor(bool)": 1, "tensor(int64)": 9, "tensor(float)": 11, "tensor(double)": 12, "tensor(string)": 13}


def test_the_repository_describes_the_graph_that_it_holds(taken: Any, tmp_path: Path) -> None:
    export_deployment(taken.workspace, "trips", "triton", tmp_path)
    found = parse((tmp_path / "trips/config.pbtxt").read_text())
    assert (found.name, found.backend, list(found.version_policy.specific.versions)) == ("trips", "onnxruntime", [1])
    session = onnxruntime.InferenceSession(tmp_path / "trips/1/model.onnx", providers=["CPUExecutionProvider"])
    for tensors, described in ((session.get_inputs(), found.input), (session.get_outputs(), found.output)):
        assert [one.name for one in tensors] == [one.name for one in described]
        for tensor, one in zip(tensors, described, strict=True):
            assert one.data_type == ONNX_TYPES[tensor.type]
            # What the model gets is the batch dimension and `reshape` where there is one, else `dims`.
            assert list(one.reshape.shape if one.HasField("reshape") else one.dims) == tensor.shape[1:]
            assert np.prod(one.dims) == np.prod(tensor.shape[1:] or [1])
    labelled = {one.name: one.label_filename for one in found.output}
    assert labelled == {"label": "", "probabilities": "labels.txt"}
    assert (tmp_path / "trips/labels.txt").read_text() == "late\non time\n"


def test_a_canary_is_another_version_of_the_model(taken: Any) -> None:
    files = triton_files(gather(taken.workspace, taken.with_canary()))
    assert {"trips/1/model.onnx", "trips/2/model.onnx"} <= set(files)
    assert list(parse(files["trips/config.pbtxt"].decode()).version_policy.specific.versions) == [1, 2]


def test_versions_with_other_tensors_are_refused(taken: Any) -> None:
    leaving = gather(taken.workspace, taken.with_canary())
    price = gather(taken.workspace, replace(taken.with_canary(), deployments=[taken.live("Price_2")]))
    with pytest.raises(ConflictError, match="take or give different columns"):
        config("trips", [leaving.main, price.main])


def test_names_with_quotes_and_other_letters_come_back(taken: Any) -> None:
    leaving = gather(taken.workspace, taken.with_canary())
    assert parse(config('a"b\\c\nø', [leaving.main])).name == 'a"b\\c\nø'
    with pytest.raises(text_format.ParseError):
        parse('name: "x" platfrom: "y"')
