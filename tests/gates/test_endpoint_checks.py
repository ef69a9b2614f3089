"""The tests of an endpoint against a real host, and against answers that break the promise."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from snapml_jupyter.cli.main import main
from snapml_jupyter.domain.checks import CheckStatus
from snapml_jupyter.domain.errors import UnavailableError
from snapml_jupyter.gates import endpoint_checks
from snapml_jupyter.gates.contract import Contract, cases
from snapml_jupyter.serving.deploying import deploy, get_endpoint
from snapml_jupyter.serving.host_process import stop_host
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture(scope="module")
def tiny(
    tmp_path_factory: pytest.TempPathFactory, tiny_models_of: Any, host_settings: dict[str, str]
) -> Iterator[Workspace]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in host_settings.items():
            patch.setenv(name, value)
        workspace = Workspace(tmp_path_factory.mktemp("tested"), actor="ada")
        deploy(workspace, tiny_models_of(workspace).add())
        try:
            yield workspace
        finally:
            stop_host(workspace)


def test_a_sound_endpoint_passes_and_its_test_key_is_gone_afterwards(tiny: Workspace) -> None:
    found = endpoint_checks.check_endpoint(tiny, "tiny", p99_ms=20_000, memory_bytes=2_000_000_000)
    assert found.passed, [check for check in found.checks if check.status is CheckStatus.failed]
    names = {check.name for check in found.checks}
    assert names >= {"health.live", "metadata.inputs", "answers.null.amount", "answers.open_inference", "missing.city"}
    assert names >= {"wrong_type.n", "null.vip", "unknown_column", "limits.rows", "limits.body", "access.wrong_key"}
    assert names >= {"bad_body.empty_body", "after.answers", "after.workers", "latency.p99", "memory.workers"}
    assert found.model_ref == "tiny:1"
    key = get_endpoint(tiny, "tiny").keys[-1]
    assert key.client == "endpoint test"
    assert key.revoked_at is not None


def test_budgets_that_nothing_keeps_fail_the_command(tiny: Workspace, tmp_path: Any) -> None:
    junit = tmp_path / "endpoint.xml"
    words = ["test", "endpoint", "tiny", "--workspace", tiny.location]
    failed = CliRunner().invoke(main, [*words, "--p99", "0.001ms", "--memory", "1kB", "--junit", str(junit)])
    assert failed.exit_code == 1
    cases_found = ElementTree.fromstring(junit.read_bytes()).findall("testsuite/testcase")
    failures = {case.attrib["classname"] for case in cases_found if case.find("failure") is not None}
    assert failures == {"snapml.endpoint.latency", "snapml.endpoint.memory"}
    assert CliRunner().invoke(main, [*words, "--p99", "soon"]).exit_code == 2
    assert CliRunner().invoke(main, ["test", "endpoint", "nope", *words[3:]]).exit_code == 1


def test_an_endpoint_without_a_host_is_a_sentence(workspace: Workspace, tiny_models: Any, hosted: Workspace) -> None:
    deploy(hosted, tiny_models.add())
    stop_host(hosted)
    with pytest.raises(UnavailableError, match="snapml host start"):
        endpoint_checks.check_endpoint(hosted, "tiny")


class _Careless(http.server.BaseHTTPRequestHandler):
    """Answers everything with the same prediction, whatever was asked and by whom."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        content = json.dumps({"model": "tiny:1", "predictions": [{"label": "maybe"}]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answer

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_a_server_that_answers_everything_fails_every_check(tiny: Workspace) -> None:
    info = get_endpoint(tiny, "tiny")
    assert info.live is not None
    contract = Contract(
        endpoint="tiny",
        model_refs=["tiny:1"],
        signature=info.live.signature,
        used=frozenset(column.name for column in info.live.signature.inputs),
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Careless)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    client = endpoint_checks._Client(f"http://127.0.0.1:{server.server_port}/", "key")
    try:
        checks = [endpoint_checks._try(client, case) for case in cases(contract)]
    finally:
        client.close()
        server.shutdown()
        thread.join()
        server.server_close()
    assert [check.name for check in checks if check.status is not CheckStatus.failed] == []
