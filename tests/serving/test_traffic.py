"""Two versions behind one endpoint, limits and keys, over real HTTP: canary, shadow, rollback, scopes, expiry, CORS."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from snapml_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from snapml_jupyter.domain.guards import read_guards
from snapml_jupyter.domain.traffic import Arm, EndpointSettings, RolloutPlan, RolloutState, Scope
from snapml_jupyter.serving.api_keys import change_key, create_key, get_usage, revoke_key, rotate_key
from snapml_jupyter.serving.deploying import deploy, get_endpoint, undeploy
from snapml_jupyter.serving.host_process import get_host_status, stop_host
from snapml_jupyter.serving.traffic import change_endpoint, get_traffic, promote, roll_back, set_traffic
from snapml_jupyter.serving.traffic_history import get_traffic_history
from snapml_jupyter.store import alerts
from snapml_jupyter.store.audit import list_entries
from snapml_jupyter.store.workspace import Workspace

ROW = {"amount": 0.2, "city": "Rome", "n": 3, "vip": True}


class Arena:
    """A host with two workers; `tiny:1` says yes to ROW, `tiny:2` no, `tiny:3` as `tiny:1`."""

    def __init__(self, workspace: Workspace, models: Any) -> None:
        self.workspace = workspace
        self.refs = [models.add(), models.add(bias=-5.0), models.add(), models.add(content=models.broken_graph())]
        self.api_key = deploy(workspace, "tiny:1").api_key or ""
        self.port = get_host_status(workspace).port or 0

    def reset(self) -> None:
        """`tiny:1` alone, without limits."""
        endpoint = get_endpoint(self.workspace, "tiny")
        while endpoint.challenger or endpoint.shadow:
            endpoint = roll_back(self.workspace, "tiny")
        deploy(self.workspace, "tiny:1")
        change_endpoint(self.workspace, "tiny", EndpointSettings())


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, tiny_models_of: Any, host_settings: dict[str, str]
) -> Iterator[Arena]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**host_settings, "SNAPML_WORKERS": "2"}.items():
            patch.setenv(name, value)
        workspace = Workspace(tmp_path_factory.mktemp("traffic"), actor="ada")
        try:
            yield Arena(workspace, tiny_models_of(workspace))
        finally:
            stop_host(workspace)


@pytest.fixture
def arena(shared: Arena) -> Arena:
    shared.reset()
    return shared


@pytest.fixture
def ask(arena: Arena, connect: Callable[..., Any]) -> Callable[..., tuple[int, dict[str, str], Any]]:
    def send(
        api_key: str | None = None, headers: dict[str, str] | None = None, path: str = "/endpoints/tiny/predict"
    ) -> tuple[int, dict[str, str], Any]:
        client = connect(arena.port, arena.api_key if api_key is None else api_key)
        found: tuple[int, dict[str, str], Any] = client.request("POST", path, {"rows": [ROW]}, headers)
        client.connection.close()
        return found

    return send


def models(ask: Any, n: int, **options: Any) -> list[str]:
    found = []
    for _ in range(n):
        status, _, answer = ask(**options)
        assert status == 200, answer
        found.append(answer["model"])
    return found


def test_a_canary_answers_its_share_and_the_traffic_says_so(arena: Arena, ask: Any) -> None:
    outcome = deploy(arena.workspace, "tiny:2", arm=Arm.challenger, share=0.5)
    assert outcome.deployment.arm is Arm.challenger
    assert set(models(ask, 40)) == {"tiny:1", "tiny:2"}
    set_traffic(arena.workspace, "tiny", {"1": 1.0, "2": 0.0})
    assert set(models(ask, 20)) == {"tiny:1"}
    set_traffic(arena.workspace, "tiny", {"2": 0.25})
    found = get_traffic(arena.workspace, "tiny")
    assert {(each.model_ref, each.share_fraction) for each in found.arms} == {("tiny:1", 0.75), ("tiny:2", 0.25)}
    with pytest.raises(InvalidInputError, match="add up to 1"):
        set_traffic(arena.workspace, "tiny", {"1": 0.5, "2": 0.6})
    with pytest.raises(InvalidInputError, match="not live"):
        set_traffic(arena.workspace, "tiny", {"7": 0.5})
    assert promote(arena.workspace, "tiny").live.model_ref == "tiny:2"  # type: ignore[union-attr]  # it is live
    assert set(models(ask, 10)) == {"tiny:2"}
    assert roll_back(arena.workspace, "tiny").live.model_ref == "tiny:1"  # type: ignore[union-attr]
    assert set(models(ask, 10)) == {"tiny:1"}
    with pytest.raises(ConflictError, match="one live version"):
        set_traffic(arena.workspace, "tiny", {"1": 1.0})


def test_a_version_can_be_asked_for_and_a_client_stays_with_one(arena: Arena, ask: Any, connect: Any) -> None:
    deploy(arena.workspace, "tiny:2", arm=Arm.challenger, share=0.5)
    assert connect(arena.port, arena.api_key).get("/v2/models/tiny/versions/2")[0] == 200
    change_endpoint(arena.workspace, "tiny", EndpointSettings(sticky="x-client"))
    met = {name: set(models(ask, 6, headers={"X-Client": name})) for name in ("a", "b", "c", "d", "e", "f", "g", "h")}
    assert all(len(each) == 1 for each in met.values())
    assert len(set.union(*met.values())) == 2


def test_a_shadow_answers_nobody_and_is_compared(arena: Arena, ask: Any, eventually: Any) -> None:
    deploy(arena.workspace, "tiny:2", arm=Arm.shadow)
    assert set(models(ask, 20)) == {"tiny:1"}

    def compared() -> bool:
        return any(
            each.model_ref == "tiny:2" and each.n_rows >= 20 for each in get_traffic(arena.workspace, "tiny").agreements
        )

    eventually(compared)
    (found,) = [each for each in get_traffic(arena.workspace, "tiny").agreements if each.model_ref == "tiny:2"]
    assert found.n_equal == 0 and found.largest_difference > 0.5
    assert (found.worst[0].champion, found.worst[0].other) == ("yes", "no")


def test_a_canary_that_disagrees_is_rolled_back_by_itself_with_the_reason(
    arena: Arena, ask: Any, eventually: Any
) -> None:
    plan = RolloutPlan(steps=[0.5, 1.0], every_seconds=60.0, guards=read_guards("agreement>95%, error_rate<5%"))
    deploy(arena.workspace, "tiny:2", arm=Arm.challenger, plan=plan)

    def ended() -> bool:
        models(ask, 10)
        rollout = get_traffic(arena.workspace, "tiny").rollout
        return rollout is not None and rollout.model_ref == "tiny:2" and rollout.state is RolloutState.rolled_back

    eventually(ended, 60)
    eventually(lambda: set(models(ask, 10)) == {"tiny:1"})
    rollout = get_traffic(arena.workspace, "tiny").rollout
    assert rollout is not None and "agreement>95%" in (rollout.reason or "")
    assert any(
        a.rule == "rollout" and "tiny:2 broke" in a.message for a in alerts.list_alerts(arena.workspace.database)
    )
    entries = [e for e in list_entries(arena.workspace.database) if e.operation == "serving.roll_back"]
    assert any(e.actor == "host" and "agreement" in str(e.details) for e in entries)


def test_a_canary_that_keeps_its_guards_becomes_the_champion(arena: Arena, ask: Any, eventually: Any) -> None:
    plan = RolloutPlan(
        steps=[0.25, 0.5, 1.0], every_seconds=0.5, min_requests=10, guards=read_guards("agreement>90%, error_rate<20%")
    )
    deploy(arena.workspace, "tiny:3", arm=Arm.challenger, plan=plan)

    def promoted() -> bool:
        models(ask, 10)
        rollout = get_traffic(arena.workspace, "tiny").rollout
        return rollout is not None and rollout.model_ref == "tiny:3" and rollout.state is RolloutState.promoted

    eventually(promoted, 60)
    endpoint = get_endpoint(arena.workspace, "tiny")
    assert endpoint.live is not None and endpoint.live.model_ref == "tiny:3" and endpoint.challenger is None
    steps = [e for e in list_entries(arena.workspace.database) if e.operation == "serving.take_rollout_step"]
    assert steps and steps[-1].actor == "host"


def test_what_cannot_be_a_canary_is_refused_and_nothing_changes(arena: Arena) -> None:
    with pytest.raises(ConflictError, match="champion of 'tiny' already"):
        deploy(arena.workspace, "tiny:1", arm=Arm.challenger)
    with pytest.raises(InvalidInputError, match="between 0% and 100%"):
        deploy(arena.workspace, "tiny:2", arm=Arm.challenger, share=1.0)
    plan = RolloutPlan(steps=[0.5, 0.25], every_seconds=1.0, guards=[])
    with pytest.raises(InvalidInputError, match="rise from above 0%"):
        deploy(arena.workspace, "tiny:2", arm=Arm.challenger, plan=plan)
    assert get_endpoint(arena.workspace, "tiny").challenger is None


def test_an_endpoints_rate_holds_over_both_workers_and_says_when_to_come_back(arena: Arena, ask: Any) -> None:
    change_endpoint(arena.workspace, "tiny", EndpointSettings(rate_per_second=5.0))
    started = time.monotonic()
    answers = [ask() for _ in range(40)]
    seconds = time.monotonic() - started
    passed = sum(status == 200 for status, _, _ in answers)
    assert passed <= 5 + 5 * seconds + 2
    refused = next(found for found in answers if found[0] == 429)
    assert int(refused[1]["retry-after"]) >= 1 and "5 requests a second" in refused[2]["error"]


def test_the_quota_of_an_endpoint_counts_all_its_keys(arena: Arena, ask: Any) -> None:
    other = create_key(arena.workspace, "tiny", "another client")
    ask()
    before = get_usage(arena.workspace, "tiny").n_today
    assert before
    change_endpoint(arena.workspace, "tiny", EndpointSettings(quota_per_day=before + 2))
    answers = [ask(key) for key in (None, other.api_key, None, other.api_key)]
    assert [status for status, _, _ in answers] == [200, 200, 429, 429]
    assert f"{before + 2:,} requests a day" in answers[-1][2]["error"]
    assert get_usage(arena.workspace, "tiny").n_today == before + 2


def test_keys_have_scopes_limits_and_an_end(arena: Arena, ask: Any) -> None:
    workspace = arena.workspace
    reader = create_key(workspace, "tiny", "labels", [Scope.feedback])
    status, _, answer = ask(reader.api_key)
    assert status == 403 and "scopes are feedback" in answer["error"]
    few = create_key(workspace, "tiny", "few", quota_per_day=3)
    assert [ask(few.api_key)[0] for _ in range(5)] == [200, 200, 200, 429, 429]
    used = {each.key_id: each.n_today for each in get_usage(workspace, "tiny").keys}
    assert (used[few.key.key_id], used[reader.key.key_id]) == (3, 0)
    with pytest.raises(InvalidInputError, match="client"):
        create_key(workspace, "tiny", " ")
    short = create_key(workspace, "tiny", "short", expires_in_seconds=1.0)
    time.sleep(1.1)
    status, _, answer = ask(short.api_key)
    assert status == 401 and "expired" in answer["error"]
    old = create_key(workspace, "tiny", "billing")
    new = rotate_key(workspace, old.key.key_id, overlap_seconds=3.0)
    assert (ask(old.api_key)[0], ask(new.api_key)[0]) == (200, 200)
    time.sleep(3.1)
    assert (ask(old.api_key)[0], ask(new.api_key)[0]) == (401, 200)
    changed = change_key(workspace, new.key.key_id, rate_per_second=0.001)
    assert changed.rate_per_second == 0.001
    assert [ask(new.api_key)[0] for _ in range(2)] == [200, 429]
    revoke_key(workspace, new.key.key_id)
    assert ask(new.api_key)[0] == 401
    with pytest.raises(ConflictError, match="was revoked"):
        rotate_key(workspace, new.key.key_id)
    with pytest.raises(InvalidInputError, match="quota_per_day must be above 0"):
        create_key(workspace, "tiny", "none", quota_per_day=0)
    kept = str([tuple(row) for row in workspace.database.rows("SELECT * FROM events")])
    for secret in (reader, few, short, old, new):
        assert secret.api_key not in kept


def test_pages_of_allowed_origins_may_ask(arena: Arena, ask: Any, connect: Any) -> None:
    change_endpoint(arena.workspace, "tiny", EndpointSettings(cors_origins=["https://shop.example"]))
    _, headers, _ = ask(headers={"Origin": "https://shop.example"})
    assert headers["access-control-allow-origin"] == "https://shop.example"
    _, headers, _ = ask(headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in headers
    page = connect(arena.port, None)
    page.connection.request("OPTIONS", "/endpoints/tiny/predict", headers={"Origin": "https://shop.example"})
    answer = page.connection.getresponse()
    assert (answer.status, answer.read()) == (204, b"")
    assert "authorization" in (answer.getheader("access-control-allow-headers") or "")
    page.connection.request("OPTIONS", "/endpoints/tiny/predict", headers={"Origin": "https://evil.example"})
    answer = page.connection.getresponse()
    answer.read()
    assert answer.status == 403


def test_settings_that_make_no_sense_are_named(arena: Arena) -> None:
    for settings, says in (
        (EndpointSettings(rate_per_second=0.0), "rate_per_second"),
        (EndpointSettings(quota_per_day=0), "quota_per_day"),
        (EndpointSettings(sample_fraction=1.5), "sample_fraction"),
        (EndpointSettings(cors_origins=["shop"]), "cors_origins"),
        (EndpointSettings(sticky="a b"), "sticky"),
    ):
        with pytest.raises(InvalidInputError, match=says):
            change_endpoint(arena.workspace, "tiny", settings)
    with pytest.raises(NotFoundError, match="amuont"):
        change_endpoint(arena.workspace, "tiny", EndpointSettings(sensitive=["amuont"]))


def test_smaller_limits_of_an_endpoint_hold(arena: Arena, ask: Any, connect: Any) -> None:
    change_endpoint(arena.workspace, "tiny", EndpointSettings(max_rows=2, max_body_bytes=400))
    client = connect(arena.port, arena.api_key)
    assert client.post("/endpoints/tiny/predict", {"rows": [ROW] * 2})[0] == 200
    status, answer = client.post("/endpoints/tiny/predict", {"rows": [ROW] * 3})
    assert status == 413 and "at most 2 rows" in answer["error"]
    assert client.post("/endpoints/tiny/predict", {"rows": [ROW] * 30})[0] == 413


def test_sensitive_columns_and_unsampled_requests_are_not_logged(arena: Arena, ask: Any, eventually: Any) -> None:
    from snapml_jupyter.monitoring.logged_rows import read_rows

    workspace = arena.workspace
    change_endpoint(workspace, "tiny", EndpointSettings(sensitive=["city"]))
    assert ask(headers={"X-Request-Id": "secret-city"})[0] == 200

    def tables() -> list[Any]:
        rows = workspace.database.rows("SELECT digest FROM prediction_batches")
        return [read_rows(workspace.blobs.read(row[0]), "batch") for row in rows]

    def logged() -> list[Any]:
        return [table for table in tables() if "secret-city" in table.column("request_id").to_pylist()]

    eventually(logged)
    assert "in.city" not in logged()[0].column_names and "in.amount" in logged()[0].column_names
    change_endpoint(workspace, "tiny", EndpointSettings(sample_fraction=0.0))
    ask(headers={"X-Request-Id": "not-logged"})
    change_endpoint(workspace, "tiny", EndpointSettings())
    ask(headers={"X-Request-Id": "logged-again"})
    eventually(lambda: any("logged-again" in table.column("request_id").to_pylist() for table in tables()))
    assert not any("not-logged" in table.column("request_id").to_pylist() for table in tables())


def test_a_removed_endpoint_ends_its_rollout(arena: Arena) -> None:
    plan = RolloutPlan(steps=[0.5, 1.0], every_seconds=600.0, guards=[])
    deploy(arena.workspace, "tiny:2", "brief", arm=Arm.challenger, plan=plan)  # nobody to stand beside: the champion
    assert get_endpoint(arena.workspace, "brief").challenger is None
    deploy(arena.workspace, "tiny:3", "brief", arm=Arm.challenger, plan=plan)
    undeploy(arena.workspace, "brief")
    row = arena.workspace.database.row("SELECT state FROM rollouts WHERE endpoint = 'brief'")
    assert row is not None and row["state"] == "stopped"


def test_other_machines_reach_public_endpoints_only(arena: Arena, ask: Any, connect: Any, eventually: Any) -> None:
    import psutil

    addresses = [
        found.address
        for each in psutil.net_if_addrs().values()
        for found in each
        if found.family == socket.AF_INET and not found.address.startswith("127.")
    ]
    if not addresses:
        pytest.skip("this machine has no address but its own loopback")
    other = deploy(arena.workspace, "tiny:1", "inside")
    change_endpoint(arena.workspace, "tiny", EndpointSettings(is_public=True))

    def reached() -> bool:
        client = connect(arena.port, arena.api_key)
        client.connection.host = addresses[0]
        try:
            status: int = client.post("/endpoints/tiny/predict", {"rows": [ROW]})[0]
        except OSError:
            return False
        return status == 200

    eventually(reached, 60)
    assert ask()[0] == 200  # and from here as before
    client = connect(arena.port, other.api_key)
    assert client.post("/endpoints/inside/predict", {"rows": [ROW]})[0] == 200
    client.connection.close()
    client.connection.host = addresses[0]
    status, answer = client.post("/endpoints/inside/predict", {"rows": [ROW]})
    assert status == 403 and "not public" in answer["error"]
    undeploy(arena.workspace, "inside")


def test_settings_come_with_a_deployment(arena: Arena) -> None:
    deploy(arena.workspace, "tiny:1", changes={"rate_per_second": 50, "max_workers": 3})
    settings = get_endpoint(arena.workspace, "tiny").settings
    assert (settings.rate_per_second, settings.max_workers, settings.is_public) == (50.0, 3, False)
    with pytest.raises(NotFoundError, match="rate_per_second"):
        deploy(arena.workspace, "tiny:1", changes={"rate_per_secnd": 50})
    with pytest.raises(InvalidInputError, match="min_workers"):
        deploy(arena.workspace, "tiny:1", changes={"min_workers": 5})


def test_both_versions_are_in_the_history(arena: Arena, ask: Any, eventually: Any) -> None:
    def counted() -> dict[str, int]:
        found = get_traffic_history(arena.workspace, "tiny", seconds=60.0)
        return {line.model_ref: line.n_requests for line in found.versions if line.arm}

    deploy(arena.workspace, "tiny:2", arm=Arm.challenger, share=0.5)
    answered = models(ask, 40)
    eventually(lambda: all(counted().get(ref, 0) >= answered.count(ref) for ref in ("tiny:1", "tiny:2")))
    found = get_traffic_history(arena.workspace, "tiny", seconds=60.0)
    assert found.is_host_running
    for line in found.versions[:2]:
        assert max(value or 0.0 for value in line.requests_per_second) > 0
        assert all(value is None or 0 < value < 1000 for value in line.p99_ms)
