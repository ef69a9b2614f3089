"""Testing a live endpoint: its contract, its latency and the memory of its workers."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

from ..domain.checks import Check, CheckStatus, EndpointTest, all_passed
from ..domain.endpoint import EndpointInfo
from ..domain.errors import InvalidInputError, UnavailableError
from ..figures import size
from ..operations import operation
from ..serving.api_keys import create_key, revoke_key
from ..serving.deploying import get_endpoint
from ..serving.reports import list_workers
from ..store.workspace import Workspace
from .contract import Case, Contract, cases
from .timings import quantile

#: Single rows that the latency is measured on, after some that warm the workers up.
LATENCY_REQUESTS, _WARM_UP = 300, 30
_TIMEOUT_SECONDS = 30.0
#: How long an endpoint that says 429 or 503 is asked again.
_PATIENCE_SECONDS = 5.0


@operation(permission="endpoints:test")
def check_endpoint(
    workspace: Workspace, name: str, p99_ms: float | None = None, memory_bytes: int | None = None
) -> EndpointTest:
    """Try everything that the endpoint's signature promises, with a key of its own that is revoked at the end.

    `p99_ms` bounds the latency of single rows over HTTP, `memory_bytes` that of each worker. The requests carry ids that
    begin with `snapml-test-`; like a client's they are counted and logged.
    Raises NotFoundError, and UnavailableError when nothing is live or the host is stopped.
    """
    if p99_ms is not None and not p99_ms > 0:
        raise InvalidInputError(f"The latency budget is {p99_ms:g} ms, expected more than 0.")
    info = get_endpoint(workspace, name)
    contract, url = _contract(workspace, info)
    started_at = time.monotonic()
    before = {worker.pid for worker in list_workers(workspace.folder)}
    issued = create_key(workspace, name, "endpoint test")
    try:
        client = _Client(url, issued.api_key)
        checks = [_try(client, case) for case in cases(contract)]
        if p99_ms is not None:
            checks.append(_latency(client, contract, p99_ms))
        client.close()
    finally:
        revoke_key(workspace, issued.key.key_id)
    after = {worker.pid for worker in list_workers(workspace.folder)}
    checks.append(_survival(before, after))
    if memory_bytes is not None:
        checks.append(_memory(after, memory_bytes))
    assert info.live is not None
    return EndpointTest(
        endpoint=name,
        model_ref=info.live.model_ref,
        url=url,
        passed=all_passed(checks),
        checks=checks,
        checked_at=workspace.now(),
        duration_seconds=time.monotonic() - started_at,
    )


class _Client:
    """Requests over one kept connection; asked again while the endpoint is busy."""

    def __init__(self, url: str, api_key: str) -> None:
        self._netloc = urlsplit(url).netloc
        self._key = api_key
        self._number = 0
        self._connection = http.client.HTTPConnection(self._netloc, timeout=_TIMEOUT_SECONDS)

    def send(self, case: Case) -> tuple[int, Any]:
        """Status and parsed body. Raises OSError or HTTPException when the connection fails."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            status, pause, answer = self._once(case)
            if status not in (429, 503) or time.monotonic() + pause > deadline:
                return status, answer
            time.sleep(pause)

    def _once(self, case: Case) -> tuple[int, float, Any]:
        self._number += 1
        headers = {"Content-Type": "application/json", "X-Request-Id": f"snapml-test-{self._number}"}
        if case.key is not None:
            headers["Authorization"] = f"Bearer {case.key or self._key}"
        self._connection.request(case.method, case.path, case.body, headers)
        response = self._connection.getresponse()
        content = response.read()
        pause = response.getheader("Retry-After", "")
        return response.status, float(pause) if pause.isdigit() else 0.2, _parsed(content)

    def close(self) -> None:
        self._connection.close()


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def _contract(workspace: Workspace, info: EndpointInfo) -> tuple[Contract, str]:
    if info.url is None:
        raise UnavailableError(
            f"Endpoint '{info.name}' does not answer: the host is not running. Start it: snapml host start"
        )
    if info.live is None:
        raise UnavailableError(f"Endpoint '{info.name}' has nothing live. Deploy a version: %snap_deploy MODEL")
    from ..export.inputs import GraphInputs
    from ..export.parity import open_session

    graph = open_session(workspace.blobs.read(info.live.onnx_digest))
    inputs = GraphInputs(graph.get_modelmeta().custom_metadata_map)
    contract = Contract(
        endpoint=info.name,
        model_refs=[one.model_ref for one in (info.live, info.challenger) if one is not None],
        signature=info.live.signature,
        used=frozenset(column.name for column in inputs.graph_columns if column.input is not None),
    )
    return contract, info.url


def _try(client: _Client, case: Case) -> Check:
    started_at = time.perf_counter()
    try:
        status, answer = client.send(case)
        wrong = case.judge(status, answer)
        said = f"{case.method} {case.path} answered {status}"
    except (OSError, http.client.HTTPException) as error:
        client.close()  # the next request opens a new connection
        wrong, said = f"{case.method} {case.path} was not answered: {type(error).__name__} {error}", ""
    return Check(
        name=case.name,
        status=CheckStatus.failed if wrong else CheckStatus.passed,
        message=wrong or said,
        seconds=time.perf_counter() - started_at,
    )


def _latency(client: _Client, contract: Contract, most_ms: float) -> Check:
    case = Case(name="latency.p99", path=contract.path, body=contract.body(), judge=lambda status, answer: None)
    began_at = time.perf_counter()
    timings = []
    for number in range(-_WARM_UP, LATENCY_REQUESTS):
        started_at = time.perf_counter()
        try:
            status, answer = client.send(case)
        except (OSError, http.client.HTTPException) as error:
            status, answer = 0, f"{type(error).__name__} {error}"
        if status != 200:
            message = f"a request was answered with {status}: {str(answer)[:200]}"
            return Check(name=case.name, status=CheckStatus.failed, message=message, limit=most_ms / 1000)
        if number >= 0:
            timings.append(time.perf_counter() - started_at)
    ordered = sorted(timings)
    p50, p99 = quantile(ordered, 0.5), quantile(ordered, 0.99)
    return Check(
        name=case.name,
        status=CheckStatus.passed if p99 * 1000 <= most_ms else CheckStatus.failed,
        message=f"{p99 * 1000:.3g} ms (median {p50 * 1000:.3g} ms) over {len(timings)} single rows, one after the other; "
        f"allowed {most_ms:g} ms",
        seconds=time.perf_counter() - began_at,
        value=p99,
        limit=most_ms / 1000,
    )


def _survival(before: set[int], after: set[int]) -> Check:
    gone = before - after
    return Check(
        name="after.workers",
        status=CheckStatus.failed if gone else CheckStatus.passed,
        message=f"{len(gone)} of {len(before)} workers died or were replaced meanwhile: snapml host logs"
        if gone
        else f"the {len(before)} workers that there were still run",
    )


def _memory(pids: set[int], most_bytes: int) -> Check:
    """Resident memory of the largest worker, as the system counts it: shared libraries included."""
    import psutil

    found = []
    for pid in pids:
        try:
            found.append(psutil.Process(pid).memory_info().rss)
        except psutil.Error:
            continue  # replaced just now
    if not found:
        return Check(name="memory.workers", status=CheckStatus.failed, message="no worker is running", limit=most_bytes)
    largest = max(found)
    return Check(
        name="memory.workers",
        status=CheckStatus.passed if largest <= most_bytes else CheckStatus.failed,
        message=f"the largest of {len(found)} workers has {size(largest)}, allowed {size(most_bytes)}",
        value=largest,
        limit=most_bytes,
    )
