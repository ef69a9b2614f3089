"""MLflow's scoring protocol over real HTTP: the JSON forms, CSV, health, and errors in its shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from snapml_jupyter import __version__
from snapml_jupyter.serving.deploying import deploy, undeploy

ROWS = [
    {"amount": 1.0, "city": "Oslo", "n": 3, "vip": True},
    {"amount": None, "city": "Rome", "n": 4, "vip": False},
]
COLUMNS = list(ROWS[0])
VALUES = [list(row.values()) for row in ROWS]
BY_COLUMN = {name: [row[name] for row in ROWS] for name in COLUMNS}
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}


@pytest.fixture
def client(served: Any, connect: Callable[..., Any]) -> Any:
    return connect(served.port, served.api_key)


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": COLUMNS, "data": VALUES}},
        {"dataframe_split": {"columns": COLUMNS[::-1], "index": [7, 8], "data": [row[::-1] for row in VALUES]}},
        {"dataframe_records": ROWS},
        {"dataframe_records": [ROWS[0], {key: value for key, value in ROWS[1].items() if key != "amount"}]},
        {"instances": ROWS},
        {"instances": VALUES},
        {"inputs": BY_COLUMN},
        {"inputs": {name: [[value] for value in values] for name, values in BY_COLUMN.items()}},
        {"inputs": ROWS},
        {"inputs": VALUES, "params": {"temperature": 0.1}, "signature_name": "serving_default"},
    ],
)
def test_every_json_form_is_answered(client: Any, body: dict[str, Any]) -> None:
    assert client.post("/invocations", body, JSON) == (200, {"predictions": ["yes", "no"]})


def test_nan_is_taken_for_missing_as_mlflows_client_writes_it(client: Any) -> None:
    body = json.dumps({"inputs": {**BY_COLUMN, "amount": [1.0, float("nan")], "city": ["Oslo", "NaN Infinity"]}})
    assert client.post("/invocations", body.encode(), JSON) == (200, {"predictions": ["yes", "no"]})


def test_one_row_of_inputs_needs_no_lists(client: Any) -> None:
    assert client.post("/invocations", {"inputs": ROWS[0]}, JSON) == (200, {"predictions": ["yes"]})


@pytest.mark.parametrize(
    "body",
    [
        "amount,city,n,vip\n1.0,Oslo,3,True\n,Rome,4,False\n",
        '\ufeffvip,n,city,amount\r\ntrue,3.0,"Oslo",1\r\nFALSE,4,Rome,NaN',
    ],
)
def test_csv_is_read_as_pandas_writes_it(client: Any, body: str) -> None:
    sent = {"Content-Type": "text/csv; charset=utf-8"}
    assert client.post("/invocations", body.encode(), sent) == (200, {"predictions": ["yes", "no"]})


def test_the_key_says_which_endpoint(served: Any, connect: Callable[..., Any]) -> None:
    _, _, metrics = connect(served.port, served.other_key).request("GET", "/metrics")
    before = metrics.count('snapml_requests_total{endpoint="other"')
    assert connect(served.port, served.other_key).post("/invocations", {"instances": ROWS}, JSON)[0] == 200
    _, _, metrics = connect(served.port, served.other_key).request("GET", "/metrics")
    assert metrics.count('snapml_requests_total{endpoint="other"') >= max(before, 1)


def without(key: str) -> dict[str, Any]:
    return {"dataframe_records": [{name: value for name, value in row.items() if name != key} for row in ROWS]}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "not JSON"),
        (b'{"instances": [NaN}', "not JSON"),
        (b'{"inputs": {"city": ["\\ud800 NaN"]}}', "not JSON"),
        (b'{"inputs": {"amount": [Infinity], "city": ["x"], "n": [1], "vip": [true]}}', "column 'amount': inf came"),
        (b'{"inputs": {"amount": [1], "city": ["x"], "n": [NaN], "vip": [true]}}', "column 'n': null came"),
        ([], "exactly one of the input fields.*Received a list"),
        ({}, "exactly one of the input fields"),
        ({"rows": ROWS}, r"Received fields \['rows'\]"),
        ({"instances": ROWS, "inputs": ROWS}, "exactly one"),
        ({"instances": []}, "no rows"),
        ({"inputs": {}}, "no rows"),
        ({"instances": 5}, "'instances' must be a list"),
        ({"inputs": "x"}, "'inputs' must be a list"),
        ({"dataframe_records": {"a": 1}}, "'dataframe_records' must be a list"),
        ({"dataframe_records": [5]}, "Row 1 is 5, not an object"),
        ({"dataframe_split": []}, "'columns' and 'data'"),
        ({"dataframe_split": {"columns": COLUMNS}}, "'columns' and 'data'"),
        ({"dataframe_split": {"columns": COLUMNS, "data": VALUES, "x": 1}}, "'columns' and 'data'"),
        ({"dataframe_split": {"columns": [1, 2, 3, 4], "data": VALUES}}, "list of column names"),
        ({"dataframe_split": {"columns": COLUMNS, "data": 5}}, "list of values for each row"),
        ({"dataframe_split": {"columns": COLUMNS, "data": [VALUES[0], VALUES[1][:3]]}}, "Row 2 of .* is 3 values"),
        ({"dataframe_split": {"columns": [*COLUMNS[:3], "n"], "data": VALUES}}, "'n' is there more than once"),
        ({"dataframe_split": {"columns": [*COLUMNS[:3], "vp"], "data": VALUES}}, "'vp'.*Did you mean 'vip'"),
        ({"instances": [VALUES[0], [1]]}, "Row 2 of 'instances' is 1 values"),
        ({"instances": [1, 2]}, "Row 1 of 'instances' is a int"),
        (without("city"), "lacks the column 'city'"),
        ({"dataframe_records": [ROWS[0], without("n")["dataframe_records"][1]]}, "Row 2, column 'n': null came"),
        ({"dataframe_records": [{**ROWS[0], "x": 1}]}, "column 'x', which the model does not know"),
        ({"inputs": {**BY_COLUMN, "vip": [True]}}, "differ in length"),
        ({"inputs": {**BY_COLUMN, "n": [1, "2"]}}, "Row 2, column 'n'.*without quotes"),
        ({"instances": ROWS, "params": 5}, "'params' must be an object"),
    ],
)
def test_what_is_wrong_is_said_in_mlflows_shape(client: Any, body: Any, says: str) -> None:
    import re

    status, answer = client.post("/invocations", body, JSON)
    assert (status, list(answer), answer.get("error_code")) == (400, ["error_code", "message"], "BAD_REQUEST")
    assert re.search(says, answer["message"]), answer["message"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "The CSV is empty"),
        (b"amount,city,n,vip\n", "no rows"),
        (b"\xff\xfe", "not CSV in UTF-8"),
        (b'amount,city,n,vip\n1,"Oslo,3,True\n', "not CSV"),
        (b"amount,city,n,vip\n1,Oslo,3\n", "Row 1 of the CSV is 3 values"),
        (b"amount,city,n,vip\n1,Oslo,3,True\n1,Oslo,x,True\n", "Row 2, column 'n': \"x\" came"),
        (b"amount,city,n,vip\n1,Oslo,1_0,True\n", "Row 1, column 'n'"),
        (b"amount,city,n,vip\n1,Oslo,3.5,True\n", "Row 1, column 'n': 3.5 came"),
        (b"amount,city,n,vip\n1,Oslo,3,maybe\n", "Row 1, column 'vip'"),
        (b"amount,city,n,vip\ninf,Oslo,3,True\n", "Row 1, column 'amount': inf came"),
        (b"amount,city,n,vip\n1,Oslo,,True\n", "Row 1, column 'n': null came"),
        (b"amount,city,n\n1,Oslo,3\n", "lacks the column 'vip'"),
        (b"amount,city,n,n\n1,Oslo,3,4\n", "'n' is there more than once"),
    ],
)
def test_what_is_wrong_with_csv_is_said(client: Any, body: bytes, says: str) -> None:
    status, answer = client.post("/invocations", body, CSV)
    assert (status, answer["error_code"]) == (400, "BAD_REQUEST")
    assert says in answer["message"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; format=pandas", "text/csv; charset=latin-1"],
)
def test_other_content_types_are_415(client: Any, content_type: str) -> None:
    status, answer = client.post("/invocations", {"instances": ROWS}, {"Content-Type": content_type})
    assert (status, list(answer)) == (415, ["error_code", "message"])


def test_limits_keys_and_methods_are_refused_in_mlflows_shape(
    served: Any, client: Any, connect: Callable[..., Any]
) -> None:
    status, answer = client.post("/invocations", {"instances": ROWS * 1501}, JSON)
    assert (status, "at most 3000" in answer["message"]) == (413, True)
    assert client.post("/invocations", b" " * (2**20 + 1), JSON)[0] == 413
    assert client.get("/invocations")[0] == 405
    status, answer = connect(served.port, None).post("/invocations", {"instances": ROWS}, JSON)
    assert (status, answer["error_code"]) == (401, "UNAUTHENTICATED")
    assert connect(served.port, None).get("/ping")[0] == 401


def test_health_and_version(client: Any) -> None:
    connection = client.connection
    for path, body in (("/ping", b"\n"), ("/health", b"\n"), ("/version", __version__.encode())):
        connection.request("GET", path, headers={"Authorization": f"Bearer {client.api_key}"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, body)


def test_ping_is_404_without_a_model(
    served: Any, tiny_models_of: Any, connect: Callable[..., Any], eventually: Callable[..., None]
) -> None:
    import http.client

    key = deploy(served.workspace, tiny_models_of(served.workspace).add("short-lived")).api_key

    def ping() -> int:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
        connection.request("GET", "/ping", headers={"Authorization": f"Bearer {key}"})
        status = connection.getresponse().status
        connection.close()
        return status

    assert ping() == 200
    undeploy(served.workspace, "short-lived")
    eventually(lambda: ping() in (401, 404))


def test_mlflows_client_works(served: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its requests carry no header of ours; the key comes from a netrc file, as for every program that uses requests."""
    scoring = pytest.importorskip("mlflow.pyfunc.scoring_server.client", reason="mlflow is not installed")
    import pandas as pd

    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login key password {served.api_key}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client = scoring.ScoringServerClient("127.0.0.1", served.port)
    client.ping()
    assert client.get_version() == __version__
    answer = json.loads(client.invoke(pd.DataFrame(ROWS)).to_json())
    assert answer["predictions"] == ["yes", "no"]
