"""What clients of the endpoint port see: the plain protocol, Open Inference v2, keys, limits, metrics. Real HTTP."""

from __future__ import annotations

import base64
import math
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from snapml_jupyter import __version__


@pytest.fixture
def client(served: Any, connect: Callable[..., Any]) -> Any:
    return connect(served.port, served.api_key)


@pytest.fixture
def stranger(served: Any, connect: Callable[..., Any]) -> Any:
    return connect(served.port, None)


def sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score))


def infer_body(**changes: Any) -> dict[str, Any]:
    inputs = {
        "amount": {"name": "amount", "shape": [2, 1], "datatype": "FP64", "data": [1.0, None]},
        "city": {"name": "city", "shape": [2, 1], "datatype": "BYTES", "data": ["Oslo", "Rome"]},
        "n": {"name": "n", "shape": [2, 1], "datatype": "INT64", "data": [1, 2]},
        "vip": {"name": "vip", "shape": [2, 1], "datatype": "BOOL", "data": [True, False]},
    }
    for name, change in changes.items():
        inputs[name] = {**inputs[name], **change}
    return {"inputs": list(inputs.values())}


# ---- the plain protocol


def test_rows_are_answered_with_labels_and_probabilities(client: Any, row: dict[str, Any]) -> None:
    status, headers, answer = client.request(
        "POST", "/endpoints/tiny/predict", {"rows": [row, {**row, "amount": None, "city": "Rome"}]}
    )
    assert status == 200
    assert (answer["endpoint"], answer["model"]) == ("tiny", "tiny:1")
    assert answer["request_id"] == headers["x-request-id"]
    first, second = answer["predictions"]
    assert first["label"] == "yes"
    assert first["probabilities"] == pytest.approx({"no": 1 - sigmoid(2), "yes": sigmoid(2)})
    assert second == {"label": "no", "probabilities": {"no": 0.5, "yes": 0.5}}


def test_a_whole_number_may_be_written_as_a_float(client: Any, row: dict[str, Any]) -> None:
    assert client.post("/endpoints/tiny/predict", {"rows": [{**row, "n": 3.0, "amount": 1}]})[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b"[" * 100_000, 400, "must be|not JSON"),
        (b'{"rows":[{"amount":NaN}]}', 400, "send null for a missing value"),
        (b"[]", 400, "'rows' is a list"),
        (b'{"rows": 3}', 400, "'rows' is a list"),
        (b'{"rows": []}', 400, "no rows"),
        (b'{"rows": [], "x": 1}', 400, "'x' beside 'rows'"),
        (b'{"rows": [5]}', 400, "Row 1 is 5, not an object"),
    ],
)
def test_a_body_that_is_no_rows_is_refused_with_a_sentence(client: Any, body: bytes, status: int, says: str) -> None:
    found, answer = client.post("/endpoints/tiny/predict", body)
    assert found == status
    assert list(answer) == ["error"]
    assert re.search(says, answer["error"]), answer["error"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount": "1"}, "Row 2, column 'amount'.*Numbers are sent without quotes"),
        ({"n": 3.5}, "Row 2, column 'n': 3.5 came, expected a whole number"),
        ({"n": None}, "Row 2, column 'n': null came.*trained without missing values"),
        ({"n": 2**70}, "Row 2, column 'n'"),
        ({"vip": 1}, "Row 2, column 'vip': 1 came, expected true or false"),
        ({"city": 5}, "Row 2, column 'city': 5 came, expected text"),
        ({"citty": "Oslo"}, "Row 2 has the column 'citty', which the model does not know. Did you mean 'city'"),
        ({"city": ...}, "Row 2 lacks the column 'city'"),
    ],
)
def test_a_wrong_value_is_named_by_row_and_column(
    client: Any, row: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    wrong = {name: value for name, value in {**row, **change}.items() if value is not ...}
    status, answer = client.post("/endpoints/tiny/predict", {"rows": [row, wrong]})
    assert status == 400
    assert re.search(says, answer["error"]), answer["error"]


def test_too_many_rows_and_too_large_bodies_are_413(client: Any, row: dict[str, Any]) -> None:
    status, answer = client.post("/endpoints/tiny/predict", {"rows": [row] * 3001})
    assert (status, "3001 rows" in answer["error"], "at most 3000" in answer["error"]) == (413, True, True)
    status, answer = client.post("/endpoints/tiny/predict", b" " * (2**20 + 1))
    assert (status, "larger than 1 MiB" in answer["error"]) == (413, True)
    assert client.post("/endpoints/tiny/predict", {"rows": [row]})[0] == 200, "the connection is still good"


def test_a_chunked_body_is_limited_too(served: Any, client: Any) -> None:
    head = (
        "POST /endpoints/tiny/predict HTTP/1.1\r\nhost: x\r\n"
        f"authorization: Bearer {served.api_key}\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as raw:
        raw.sendall(head.encode() + piece * 20 + b"0\r\n\r\n")
        assert b"413" in raw.recv(4096).split(b"\r\n")[0]


def test_a_large_request_is_answered_in_order(client: Any, row: dict[str, Any]) -> None:
    rows = [{**row, "amount": i / 1000} for i in range(3000)]
    status, answer = client.post("/endpoints/tiny/predict", {"rows": rows})
    assert status == 200
    found = [p["probabilities"]["yes"] for p in answer["predictions"]]
    assert found == pytest.approx([sigmoid(i / 1000 + 1) for i in range(3000)])


def test_the_request_id_is_echoed_or_made(client: Any, row: dict[str, Any]) -> None:
    _, headers, answer = client.request("POST", "/endpoints/tiny/predict", {"rows": [row]}, {"x-request-id": "mine-1"})
    assert headers["x-request-id"] == answer["request_id"] == "mine-1"
    made = {client.request("POST", "/endpoints/tiny/predict", {"rows": [row]})[1]["x-request-id"] for _ in range(3)}
    assert len(made) == 3
    _, headers, _ = client.request("GET", "/v2/health/live", None, {"x-request-id": "x" * 500})
    assert len(headers["x-request-id"]) < 100


def test_feedback_is_accepted_and_checked(client: Any) -> None:
    good = {"labels": [{"request_id": "a", "row": 0, "label": "yes"}, {"request_id": "b", "label": "no"}]}
    status, answer = client.post("/endpoints/tiny/feedback", good)
    assert (status, answer["n_labels"]) == (202, 2)
    for body in (
        {"labels": []},
        {"labels": [{"row": 0}]},
        {"labels": [{"request_id": "a", "row": -1, "label": 1}]},
        {"labels": [{"request_id": "a", "label": 2**70}]},
        [],
    ):
        status, answer = client.post("/endpoints/tiny/feedback", body)
        assert (status, list(answer)) == (400, ["error"])


def test_wrong_methods_and_paths_say_what_is_right(client: Any) -> None:
    status, headers, answer = client.request("GET", "/endpoints/tiny/predict")
    assert (status, headers["allow"]) == (405, "POST")
    assert "Use POST" in answer["error"]
    status, answer = client.get("/predict")
    assert (status, "POST /endpoints/tiny/predict" in answer["error"]) == (404, True)


# ---- keys


def test_everything_but_health_needs_a_key(stranger: Any, row: dict[str, Any]) -> None:
    for path in ("/v2/health/live", "/v2/health/ready", "/livez"):
        assert stranger.get(path)[0] == 200
    for method, path in [
        ("POST", "/endpoints/tiny/predict"),
        ("POST", "/endpoints/none/predict"),
        ("POST", "/endpoints/tiny/feedback"),
        ("GET", "/v2"),
        ("GET", "/v2/models/tiny"),
        ("GET", "/v2/models/tiny/ready"),
        ("POST", "/v2/models/tiny/infer"),
        ("GET", "/metrics"),
        ("GET", "/anything"),
    ]:
        status, headers, answer = stranger.request(method, path, {"rows": [row]} if method == "POST" else None)
        assert (status, headers["www-authenticate"]) == (401, "Bearer"), path
        assert "tiny" not in answer["error"], "nothing is told to strangers"


@pytest.mark.parametrize("header", ["Bearer snapml_wrong", "Bearer ", "Bearer", "Basic abc", "", "snapml"])
def test_a_wrong_key_is_401(stranger: Any, row: dict[str, Any], header: str) -> None:
    status, _, _ = stranger.request("POST", "/endpoints/tiny/predict", {"rows": [row]}, {"Authorization": header})
    assert status == 401


def test_the_key_may_be_the_password_of_basic_authentication(served: Any, stranger: Any) -> None:
    for password, status in ((served.api_key, 200), ("snapml_wrong", 401), ("", 401)):
        sent = base64.b64encode(f"anyone:{password}".encode()).decode()
        assert stranger.request("GET", "/v2", None, {"Authorization": f"Basic {sent}"})[0] == status


def test_the_key_of_another_endpoint_is_403_and_an_unknown_endpoint_404(
    served: Any, connect: Callable[..., Any], row: dict[str, Any]
) -> None:
    other = connect(served.port, served.other_key)
    assert other.post("/endpoints/other/predict", {"rows": [row]})[0] == 200
    for path in ("/endpoints/tiny/predict", "/v2/models/tiny/infer"):
        status, answer = other.post(path, {"rows": [row]})
        assert (status, "'other', not for 'tiny'" in answer["error"]) == (403, True)
    status, answer = other.post("/endpoints/othr/predict", {"rows": [row]})
    assert (status, "Your key is for 'other'" in answer["error"], "tiny" in answer["error"]) == (404, True, False)


def test_keys_are_nowhere_on_disk(served: Any) -> None:
    for path in served.workspace.folder.rglob("*"):
        if path.is_file():
            assert served.api_key.encode() not in path.read_bytes(), path


# ---- Open Inference Protocol v2


def test_server_and_model_metadata_have_the_protocols_shape(client: Any) -> None:
    assert client.get("/v2")[1] == {
        "name": "snapml-jupyter",
        "version": __version__,
        "extensions": ["binary_tensor_data"],
    }
    assert client.get("/v2/health/live")[1] == {"live": True}
    assert client.get("/v2/health/ready")[1] == {"ready": True, "live": True}
    assert client.get("/v2/models/tiny/ready")[1] == {"name": "tiny", "ready": True}
    _, metadata = client.get("/v2/models/tiny")
    assert client.get("/v2/models/tiny/versions/1")[1] == metadata
    assert (metadata["name"], metadata["versions"], metadata["platform"]) == ("tiny", ["1"], "onnx_onnxv1")
    assert metadata["inputs"] == [
        {"name": "amount", "datatype": "FP64", "shape": [-1, 1]},
        {"name": "city", "datatype": "BYTES", "shape": [-1, 1]},
        {"name": "n", "datatype": "INT64", "shape": [-1, 1]},
        {"name": "vip", "datatype": "BOOL", "shape": [-1, 1]},
    ]
    assert metadata["outputs"] == [
        {"name": "label", "datatype": "BYTES", "shape": [-1, 1]},
        {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]},
    ]


def test_infer_answers_tensors(client: Any) -> None:
    status, answer = client.post("/v2/models/tiny/infer", {"id": "r1", **infer_body()})
    assert status == 200
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("tiny", "1", "r1")
    label, probabilities = answer["outputs"]
    assert label == {"name": "label", "datatype": "BYTES", "shape": [2, 1], "data": ["yes", "no"]}
    assert (probabilities["shape"], probabilities["datatype"]) == ([2, 2], "FP64")
    assert probabilities["data"] == pytest.approx([1 - sigmoid(2), sigmoid(2), 0.5, 0.5])


def test_infer_takes_nested_and_flat_data_other_number_types_and_a_choice_of_outputs(client: Any) -> None:
    body = infer_body(
        amount={"data": [[1], [2]], "datatype": "FP32"},
        n={"shape": [2], "datatype": "UINT8"},
        city={"data": [["Oslo"], ["Rome"]]},
    )
    status, answer = client.post("/v2/models/tiny/versions/1/infer", {**body, "outputs": [{"name": "label"}]})
    assert status == 200
    assert [output["name"] for output in answer["outputs"]] == ["label"]
    assert "id" not in answer


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "inputs"),
        ({"inputs": []}, "no inputs"),
        (b"{", "not an inference request"),
        (infer_body(amount={"name": "amont"}), "no input 'amont'"),
        (infer_body(amount={"datatype": "FP16"}), "FP16 has no JSON form"),
        (infer_body(amount={"datatype": "BYTES"}), "needs FP64"),
        (infer_body(amount={"shape": [2, 2]}), "shape"),
        (infer_body(amount={"shape": [3, 1]}), "same number"),
        (infer_body(amount={"data": [1.0]}), "1 values"),
        (infer_body(amount={"data": "x"}), "amount"),
        (infer_body(amount={"data": [[1, 2], [3]]}), "amount"),
        (infer_body(city={"data": ["Oslo", None]}), "Row 2, column 'city': null came"),
        (infer_body(n={"data": [1, 2.5]}), "Row 2, column 'n'"),
        (infer_body(n={"parameters": {"binary_data_size": 8}}), "binary"),
        ({**infer_body(), "outputs": [{"name": "logits"}]}, "no output 'logits'"),
        ({"inputs": infer_body()["inputs"][:2]}, "lacks the column 'n'"),
        ({"inputs": infer_body()["inputs"] + infer_body()["inputs"][:1]}, "same name"),
    ],
)
def test_infer_refuses_with_the_protocols_error_shape(client: Any, body: Any, says: str) -> None:
    status, answer = client.post("/v2/models/tiny/infer", body)
    assert status == 400
    assert list(answer) == ["error"]
    assert says in answer["error"]


def test_a_version_that_is_not_served_is_404(client: Any) -> None:
    for path in ("/v2/models/tiny/versions/9", "/v2/models/tiny/versions/9/ready"):
        status, answer = client.get(path)
        assert (status, "serves version 1" in answer["error"]) == (404, True)


# ---- metrics


def test_metrics_are_prometheus_text_of_the_keys_own_endpoint(client: Any, row: dict[str, Any]) -> None:
    client.post("/endpoints/tiny/predict", {"rows": [row]})
    status, headers, text = client.request("GET", "/metrics")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert text.endswith("\n")
    assert 'snapml_requests_total{endpoint="tiny",version="1",code="200"}' in text
    assert 'endpoint="other"' not in text
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) >= 0 for line in samples)
    buckets = [int(line.rsplit(" ", 1)[1]) for line in samples if "_bucket{" in line]
    assert buckets == sorted(buckets)


def test_prometheus_own_parser_reads_the_metrics(client: Any, row: dict[str, Any]) -> None:
    parser = pytest.importorskip("prometheus_client.parser", reason="prometheus_client is not installed")
    client.post("/endpoints/tiny/predict", {"rows": [row, row]})
    client.post("/endpoints/tiny/predict", b"{")
    _, _, text = client.request("GET", "/metrics")
    families = {family.name: family for family in parser.text_string_to_metric_families(text)}
    assert {name: family.type for name, family in families.items()} == {
        "snapml_requests": "counter",
        "snapml_rows": "counter",
        "snapml_request_duration_seconds": "histogram",
        "snapml_predictions_dropped": "counter",
    }
    assert all(family.documentation for family in families.values())
    assert text.count("# TYPE ") == text.count("# HELP ") == len(families)
    codes = {sample.labels["code"]: sample.value for sample in families["snapml_requests"].samples}
    assert {"200", "400"} <= set(codes)
    samples = families["snapml_request_duration_seconds"].samples
    assert all(sample.labels["endpoint"] == "tiny" and sample.labels["version"] == "1" for sample in samples)
    buckets = {float(s.labels["le"]): s.value for s in samples if s.name.endswith("_bucket")}
    (total,) = [sample.value for sample in samples if sample.name.endswith("_count")]
    assert list(buckets) == sorted(buckets)
    assert buckets[math.inf] == total == sum(codes.values())
    (seconds,) = [sample.value for sample in samples if sample.name.endswith("_sum")]
    assert 0 < seconds < total
