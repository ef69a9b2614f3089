"""The OpenAPI document of an endpoint: valid by the public validator, and true of what the endpoint really answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def client(served: Any, connect: Callable[..., Any]) -> Any:
    return connect(served.port, served.api_key)


@pytest.fixture
def document(client: Any) -> dict[str, Any]:
    status, document = client.get("/endpoints/tiny/openapi.json")
    assert status == 200
    return dict(document)


def check(document: dict[str, Any], schema: str, value: Any) -> None:
    import jsonschema

    whole = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validator = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")
    validator.validate(document, cls=validator.OpenAPIV31SpecValidator)


def test_it_says_what_the_signature_says(document: dict[str, Any]) -> None:
    row = document["components"]["schemas"]["Row"]
    assert {name: column["type"] for name, column in row["properties"].items()} == {
        "amount": ["number", "null"],
        "city": "string",
        "n": "integer",
        "vip": "boolean",
    }
    assert row["required"] == ["amount", "city", "n", "vip"]
    assert (document["info"]["title"], document["info"]["version"]) == ("tiny", "1")


def test_the_examples_are_answered_as_the_document_says(client: Any, document: dict[str, Any]) -> None:
    n_tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answer = operation["responses"].get("200") or operation["responses"]["202"]
            told = answer["content"].get("application/json")
            if method == "get":
                status, _, found = client.request("GET", path)
                assert status == 200
                assert told is None or found == told["example"]
                continue
            media = operation["requestBody"]["content"]["application/json"]
            asked = media["schema"]["$ref"].rpartition("/")[2]
            examples = [media["example"]] if "example" in media else [e["value"] for e in media["examples"].values()]
            for example in examples:
                check(document, asked, example)
                status, found = client.post(path, example, {"Content-Type": "application/json"})
                assert status in (200, 202), (path, found)
                check(document, told["schema"]["$ref"].rpartition("/")[2], found)
                if "example" in told:
                    check(document, told["schema"]["$ref"].rpartition("/")[2], told["example"])
                n_tried += 1
    assert n_tried == 8


def test_a_wrong_row_is_wrong_for_the_document_too(document: dict[str, Any], row: dict[str, Any]) -> None:
    import jsonschema

    check(document, "Row", row)
    for wrong in ({**row, "x": 1}, {**row, "n": "3"}, {"city": "Oslo"}, {**row, "city": None}):
        with pytest.raises(jsonschema.ValidationError):
            check(document, "Row", wrong)


def test_only_the_endpoints_key_reads_it(served: Any, connect: Callable[..., Any]) -> None:
    assert connect(served.port, None).get("/endpoints/tiny/openapi.json")[0] == 401
    assert connect(served.port, served.other_key).get("/endpoints/tiny/openapi.json")[0] == 403
