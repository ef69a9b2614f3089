"""Raw tensors of the Open Inference Protocol, byte by byte and through the real tritonclient."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.serving.binary_tensors import read_tensor, write_tensor

NUMBERS = {
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}


# ---- the bytes


@pytest.mark.parametrize("datatype", NUMBERS)
def test_numbers_are_little_endian_and_come_back(datatype: str) -> None:
    raw = np.array([1, 2, 100], NUMBERS[datatype]).tobytes()
    assert read_tensor("n", datatype, memoryview(raw), 3) == [1, 2, 100]
    assert write_tensor(datatype, [1, 2, 100]) == raw


def test_the_specifications_bytes() -> None:
    assert write_tensor("INT64", [1]) == b"\x01" + bytes(7)
    assert write_tensor("BOOL", [True, False]) == b"\x01\x00"
    assert write_tensor("BYTES", ["Å", ""]) == b"\x02\x00\x00\x00\xc3\x85\x00\x00\x00\x00"
    assert read_tensor("x", "BOOL", memoryview(b"\x00\x01\x02"), 3) == [False, True, True]
    assert read_tensor("x", "BYTES", memoryview(b"\x02\x00\x00\x00\xc3\x85\x00\x00\x00\x00"), 2) == ["Å", ""]
    assert read_tensor("x", "FP16", memoryview(np.array([0.5, np.nan], "<f2").tobytes()), 2)[0] == 0.5


@pytest.mark.parametrize(
    ("datatype", "raw", "n_values", "says"),
    [
        ("FP16", bytes(16), 4, "16 bytes of binary data; 4 values of FP16 are 8 bytes"),
        ("INT64", bytes(7), 1, "7 bytes"),
        ("BYTES", b"\x05\x00\x00\x00abc", 1, "ends within value 1 of 1"),
        ("BYTES", b"\x01\x00\x00\x00a\x01\x00", 2, "ends within value 2 of 2"),
        ("BYTES", b"\xff\xff\xff\xffa", 1, "ends within value 1"),
        ("BYTES", b"\x01\x00\x00\x00ab", 1, "1 bytes of binary data after its 1 values"),
        ("BYTES", b"\x01\x00\x00\x00\xff", 1, "Row 1, column 'x': the bytes are not UTF-8"),
    ],
)
def test_bytes_that_are_not_the_tensor_are_refused(datatype: str, raw: bytes, n_values: int, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        read_tensor("x", datatype, memoryview(raw), n_values)


# ---- over HTTP, by hand

TENSORS = {
    "amount": ("FP64", [1.0, math.nan]),
    "city": ("BYTES", ["Oslo", "Rome"]),
    "n": ("INT64", [1, 2]),
    "vip": ("BOOL", [True, False]),
}


def binary_request(
    change: dict[str, Any] | None = None, tail: bytes = b"", **more: Any
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a request in which every input is binary; `change` replaces parts of the input 'amount'."""
    raw = {name: write_tensor(datatype, values) for name, (datatype, values) in TENSORS.items()}
    inputs: list[dict[str, Any]] = [
        {"name": name, "datatype": datatype, "shape": [2, 1], "parameters": {"binary_data_size": len(raw[name])}}
        for name, (datatype, _) in TENSORS.items()
    ]
    inputs[0].update(change or {})
    head = json.dumps({"inputs": inputs, **more}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"}
    return head + b"".join(raw.values()) + tail, headers


@pytest.fixture
def ask(served: Any) -> Iterator[Any]:
    """`ask(body, headers)` gives status, headers and bytes of an infer request."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)

    def request(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        sent = {"Authorization": f"Bearer {served.api_key}", **headers}
        connection.request("POST", "/v2/models/tiny/infer", body, sent)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    yield request
    connection.close()


def test_binary_in_and_json_out(ask: Any) -> None:
    status, headers, content = ask(*binary_request(id="b1"))
    assert (status, headers["content-type"]) == (200, "application/json")
    answer = json.loads(content)
    assert answer["id"] == "b1"
    assert answer["outputs"][0]["data"] == ["yes", "no"]
    assert answer["outputs"][1]["data"][2:] == [0.5, 0.5], "NaN is a missing value"


def test_binary_out_by_request_and_by_output(ask: Any) -> None:
    status, headers, content = ask(*binary_request(parameters={"binary_data_output": True}))
    length = int(headers["inference-header-content-length"])
    assert (status, headers["content-type"]) == (200, "application/octet-stream")
    label, probabilities = json.loads(content[:length])["outputs"]
    assert label == {
        "name": "label",
        "datatype": "BYTES",
        "shape": [2, 1],
        "parameters": {"binary_data_size": 13},
    }
    assert content[length : length + 13] == b"\x03\x00\x00\x00yes\x02\x00\x00\x00no"
    assert probabilities["parameters"] == {"binary_data_size": 32}
    assert np.frombuffer(content[length + 13 :]).tolist()[2:] == [0.5, 0.5]

    wanted = [{"name": "probabilities", "parameters": {"binary_data": True}}, {"name": "label"}]
    _, headers, content = ask(*binary_request(outputs=wanted))
    length = int(headers["inference-header-content-length"])
    first, second = json.loads(content[:length])["outputs"]
    assert (first["name"], first["parameters"], second["data"]) == (
        "probabilities",
        {"binary_data_size": 32},
        ["yes", "no"],
    )
    assert len(content) == length + 32

    wanted = [{"name": "label", "parameters": {"binary_data": False}}]
    _, headers, _ = ask(*binary_request(outputs=wanted, parameters={"binary_data_output": True}))
    assert headers["content-type"] == "application/json", "the output's own wish wins"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"datatype": "FP32"}, "2 values of FP32 are 8 bytes"),
        ({"data": [1, 2]}, "'data' and binary data"),
        ({"parameters": {}}, "no data"),
        ({"parameters": {"binary_data_size": "16"}}, "must be a number of bytes"),
        ({"parameters": {"binary_data_size": True}}, "must be a number of bytes"),
        ({"parameters": {"binary_data_size": -1}}, "must be a number of bytes"),
        ({"parameters": {"binary_data_size": 10**9}}, "bytes are left of the body"),
        ({"parameters": {"binary_data_size": 8}}, "8 bytes"),
        ({"parameters": {"shared_memory_region": "r"}}, "'shared_memory_region', which this server does not offer"),
        ({"shape": [4, 1]}, "4 values of FP64 are 32 bytes"),
        ({"datatype": "BYTES"}, "needs FP64"),
        ({"datatype": "BF16"}, "'BF16'"),
    ],
)
def test_what_does_not_add_up_is_refused(ask: Any, change: dict[str, Any], says: str) -> None:
    status, _, content = ask(*binary_request(change))
    assert status == 400
    assert says in json.loads(content)["error"]


def test_the_json_length_and_what_is_left_over_are_checked(ask: Any) -> None:
    body, headers = binary_request()
    for length in ("0", "-1", "x", "9" * 30, str(len(body) + 1), ""):
        status, _, content = ask(body, {**headers, "Inference-Header-Content-Length": length})
        assert (status, "Inference-Header-Content-Length is" in json.loads(content)["error"]) == (400, True), length
    status, _, content = ask(body, {**headers, "Inference-Header-Content-Length": "20"})
    assert (status, "not an inference request" in json.loads(content)["error"]) == (400, True)
    status, _, content = ask(*binary_request(tail=b"more"))
    assert (status, "4 bytes of binary data are left" in json.loads(content)["error"]) == (400, True)
    head = json.loads(body[: int(headers["Inference-Header-Content-Length"])])
    status, _, content = ask(json.dumps(head).encode(), {})
    assert (status, "no header Inference-Header-Content-Length" in json.loads(content)["error"]) == (400, True)


def test_a_wrong_value_in_a_tensor_is_named(ask: Any) -> None:
    raw = {name: write_tensor(datatype, values) for name, (datatype, values) in TENSORS.items()}
    raw["n"] = write_tensor("FP64", [1.0, 2.5])
    raw["amount"] = write_tensor("FP64", [1.0, math.inf])
    for wrong, says in (("n", "Row 2, column 'n': 2.5 came"), ("amount", "Row 2, column 'amount': inf came")):
        inputs = [
            {
                "name": name,
                "datatype": "FP64" if name == "n" == wrong else datatype,
                "shape": [2],
                "parameters": {"binary_data_size": 16 if name in ("n", "amount") else len(raw[name])},
            }
            for name, (datatype, _) in TENSORS.items()
        ]
        parts = dict(raw)
        if wrong == "amount":
            parts["n"] = write_tensor("INT64", [1, 2])
        else:
            parts["amount"] = write_tensor("FP64", [1.0, 2.0])
        head = json.dumps({"inputs": inputs}).encode()
        body = head + b"".join(parts.values())
        status, _, content = ask(body, {"Inference-Header-Content-Length": str(len(head))})
        assert status == 400
        assert says in json.loads(content)["error"]


# ---- the real client


@pytest.fixture
def triton(served: Any) -> Iterator[Any]:
    """tritonclient's module, a client, and the key as arguments of its calls."""
    client_module = pytest.importorskip("tritonclient.http", reason="tritonclient[http] is not installed")
    client = client_module.InferenceServerClient(f"127.0.0.1:{served.port}")
    yield client_module, client, {"headers": {"Authorization": f"Bearer {served.api_key}"}}
    client.close()


def triton_inputs(module: Any, *, binary: bool, types: dict[str, str] | None = None) -> list[Any]:
    from tritonclient.utils import triton_to_np_dtype

    inputs = []
    for name, (datatype, values) in TENSORS.items():
        chosen = (types or {}).get(name, datatype)
        if not binary:
            values = [0.0 if value != value else value for value in values]
        item = module.InferInput(name, [2, 1], chosen)
        array = np.array(values, triton_to_np_dtype(chosen)).reshape(2, 1)
        item.set_data_from_numpy(array, binary_data=binary)
        inputs.append(item)
    return inputs


def test_tritonclient_reads_the_metadata(triton: Any) -> None:
    _, client, key = triton
    assert client.is_server_live(**key)
    assert client.is_server_ready(**key)
    assert client.is_model_ready("tiny", **key)
    assert client.is_model_ready("tiny", "1", **key)
    assert not client.is_model_ready("tiny", "9", **key)
    assert "binary_tensor_data" in client.get_server_metadata(**key)["extensions"]
    metadata = client.get_model_metadata("tiny", "1", **key)
    assert [item["name"] for item in metadata["inputs"]] == list(TENSORS)


@pytest.mark.parametrize("binary", [True, False])
def test_tritonclient_infers(triton: Any, binary: bool) -> None:
    module, client, key = triton
    result = client.infer("tiny", triton_inputs(module, binary=binary), request_id="t1", **key)
    assert result.get_response()["id"] == "t1"
    assert result.as_numpy("label").ravel().tolist() == [b"yes", b"no"]
    assert result.as_numpy("probabilities").shape == (2, 2)
    assert result.as_numpy("probabilities")[1].tolist() == [0.5, 0.5]
    asked = [
        module.InferRequestedOutput("probabilities", binary_data=True),
        module.InferRequestedOutput("label", binary_data=False),
    ]
    result = client.infer("tiny", triton_inputs(module, binary=binary), outputs=asked, model_version="1", **key)
    assert result.as_numpy("label").ravel().tolist() == ["yes", "no"]
    assert result.as_numpy("probabilities")[1].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("datatype", [name for name in NUMBERS if not name.startswith("FP")])
def test_tritonclient_sends_every_whole_number_type(triton: Any, datatype: str) -> None:
    module, client, key = triton
    result = client.infer("tiny", triton_inputs(module, binary=True, types={"n": datatype}), **key)
    assert result.as_numpy("label").ravel().tolist() == [b"yes", b"no"]


@pytest.mark.parametrize("datatype", ["FP16", "FP32"])
def test_tritonclient_sends_shorter_floats(triton: Any, datatype: str) -> None:
    module, client, key = triton
    result = client.infer("tiny", triton_inputs(module, binary=True, types={"amount": datatype}), **key)
    assert result.as_numpy("probabilities")[1].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_tritonclient_may_compress_requests(triton: Any, algorithm: str) -> None:
    module, client, key = triton
    inputs = triton_inputs(module, binary=True)
    result = client.infer("tiny", inputs, request_compression_algorithm=algorithm, **key)
    assert result.as_numpy("label").ravel().tolist() == [b"yes", b"no"]


def test_tritonclient_shows_our_errors(triton: Any) -> None:
    from tritonclient.utils import InferenceServerException

    module, client, key = triton
    with pytest.raises(InferenceServerException, match="lacks the column 'vip'"):
        client.infer("tiny", triton_inputs(module, binary=True)[:3], **key)
    with pytest.raises(InferenceServerException, match="API key"):
        client.infer("tiny", triton_inputs(module, binary=True))


def test_a_compressed_body_is_limited_unpacked(served: Any) -> None:
    import zlib

    bomb = zlib.compress(bytes(50 * 2**20))
    for body, encoding, status in ((bomb, "deflate", b"413"), (b"{}", "gzip", b"400"), (b"{}", "br", b"415")):
        head = (
            f"POST /endpoints/tiny/predict HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {served.api_key}\r\n"
            f"content-encoding: {encoding}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as raw:
            raw.sendall(head.encode() + body)
            assert raw.recv(4096).split(b" ")[1] == status, encoding
