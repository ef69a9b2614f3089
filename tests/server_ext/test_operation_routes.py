"""Operations, whoami and the OpenAPI document through a Jupyter server, with the shape of every failure."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User

from snapml_jupyter.domain.errors import error_types
from snapml_jupyter.operations import list_operations
from snapml_jupyter.server_ext.handler import STATUS
from snapml_jupyter.store.workspace import Workspace
from snapml_jupyter.version import __version__

Call = Callable[..., Awaitable[tuple[int, Any]]]
Fetch = Callable[..., Awaitable[Any]]


async def test_an_operation_answers_with_its_record(call: Call, served_folder: Path) -> None:
    code, status = await call("governance.get_status")
    assert code == 200
    assert status["location"] == str(served_folder)
    assert status["version"] == __version__
    assert status["n_runs"] == 0


async def test_arguments_reach_the_operation(call: Call, served_folder: Path) -> None:
    workspace = Workspace(served_folder, actor="ada")
    for number in range(3):
        with workspace.transaction() as tx:
            tx.event("run.started", f"r{number}")
    code, events = await call("governance.list_events", after=1, limit=1)
    assert code == 200
    assert [event["subject"] for event in events] == ["r1"]


async def test_an_empty_body_means_no_arguments(jp_fetch: Fetch) -> None:
    answer = await jp_fetch("snapml", "api", "governance.get_status", method="POST", body=b"")
    assert answer.code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_an_unknown_operation_is_404_and_names_the_closest(call: Call) -> None:
    code, answer = await call("governance.get_statuss")
    assert (code, answer["error"]) == (404, "not_found")
    assert "Did you mean 'governance.get_status'?" in answer["message"]


async def test_an_unknown_argument_is_400_and_named(call: Call) -> None:
    code, answer = await call("governance.list_events", befor=3)
    assert (code, answer["error"]) == (400, "invalid_input")
    assert "'befor'" in answer["message"]


async def test_an_argument_of_the_wrong_type_is_400_and_named(call: Call) -> None:
    code, answer = await call("governance.list_events", after="soon")
    assert (code, answer["error"]) == (400, "invalid_input")
    assert "argument 'after'" in answer["message"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff\xfe", b'"text"'])
async def test_a_body_that_is_no_json_object_is_400(jp_fetch: Fetch, body: bytes) -> None:
    answer = await jp_fetch("snapml", "api", "governance.get_status", method="POST", body=body, raise_error=False)
    assert answer.code == 400
    assert json.loads(answer.body)["error"] == "invalid_input"


async def test_an_address_that_does_not_exist_answers_json(jp_fetch: Fetch) -> None:
    answer = await jp_fetch("snapml", "nothing", "here", raise_error=False)
    assert answer.code == 404
    assert json.loads(answer.body) == {
        "error": "not_found",
        "message": "There is no such address below /snapml. GET /snapml/api/openapi.json lists what there is.",
    }


async def test_a_verb_that_is_not_taken_answers_json(jp_fetch: Fetch) -> None:
    answer = await jp_fetch("snapml", "api", "whoami", method="DELETE", raise_error=False)
    assert answer.code == 405
    assert json.loads(answer.body)["error"] == "invalid_input"


async def test_whoami_names_actor_workspace_and_version(jp_fetch: Fetch, served_folder: Path) -> None:
    answer = await jp_fetch("snapml", "api", "whoami")
    assert json.loads(answer.body) == {"actor": "ada", "workspace": str(served_folder), "version": __version__}


async def test_the_openapi_document_lists_every_operation(jp_fetch: Fetch, jp_base_url: str) -> None:
    document = json.loads((await jp_fetch("snapml", "api", "openapi.json")).body)
    assert set(document["paths"]) == {f"/snapml/api/{declared.name}" for declared in list_operations()}
    assert document["info"]["version"] == __version__
    assert document["servers"] == [{"url": jp_base_url}]


def test_every_error_code_has_a_status() -> None:
    assert set(STATUS) == set(error_types())


class TestLimits:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        jp_server_config["SnapMLExtension"]["max_body_bytes"] = 1000
        return jp_server_config

    async def test_a_body_above_the_limit_is_413_and_says_the_limit(self, call: Call) -> None:
        code, answer = await call("governance.list_audit_entries", subject="x" * 2000)
        assert (code, answer["error"]) == (413, "invalid_input")
        assert "the limit is 1,000" in answer["message"]


class TestBrokenWorkspace:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
        (tmp_path / "file").write_text("not a folder")
        jp_server_config["SnapMLExtension"]["workspace"] = str(tmp_path / "file" / "workspace")
        return jp_server_config

    async def test_jupyter_starts_and_the_answer_says_what_is_wrong(self, jp_fetch: Fetch) -> None:
        assert (await jp_fetch("api")).code == 200
        answer = await jp_fetch("snapml", "api", "whoami", raise_error=False)
        assert answer.code == 503
        assert json.loads(answer.body)["error"] == "unavailable"
        assert "cannot be made" in json.loads(answer.body)["message"]


class ReadOnly(Authorizer):
    """Lets everybody look and nobody change anything."""

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        return action == "read" and resource == "snapml"


class TestReadOnlyUser:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        jp_server_config["ServerApp"]["authorizer_class"] = ReadOnly
        return jp_server_config

    async def test_may_read_twice_and_in_any_order(self, call: Call) -> None:
        assert (await call("governance.get_status"))[0] == 200
        assert (await call("governance.list_events"))[0] == 200

    async def test_may_not_run_an_operation_that_changes_something(self, call: Call) -> None:
        writing = next(d for d in list_operations() if not d.permission.endswith(":read") and d.audited)
        assert (await call("governance.get_status"))[0] == 200
        code, answer = await call(writing.name)
        assert (code, answer["error"]) == (403, "permission_denied")
        assert "may not write" in answer["message"]

    async def test_may_not_send_blobs_or_predict(self, jp_fetch: Fetch) -> None:
        put = await jp_fetch("snapml", "blobs", "0" * 64, method="PUT", body=b"x", raise_error=False)
        predict = await jp_fetch("snapml", "endpoints", "e", "predict", method="POST", body=b"{}", raise_error=False)
        assert (put.code, predict.code) == (403, 403)


class KnownPerson(IdentityProvider):
    """As on a Hub: the server knows who it is."""

    async def get_user(self, handler: Any) -> User | None:
        return User(username="rita") if await super().get_user(handler) else None


class TestKnownPerson:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        jp_server_config["ServerApp"]["identity_provider_class"] = KnownPerson
        return jp_server_config

    async def test_acts_under_their_own_name(self, jp_fetch: Fetch) -> None:
        assert json.loads((await jp_fetch("snapml", "api", "whoami")).body)["actor"] == "rita"
