"""What a worker knows: which path leads to which loaded model, and which keys open it.

`Routes` is never changed, only replaced: a request takes the one there is and finishes with it, while a thread loads
new deployments beside it and then swaps. The thread asks SQLite for `PRAGMA data_version`, which costs microseconds,
and reads the tables only when that number moved.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..domain.endpoint import Deployment, DeploymentStatus
from ..domain.errors import SnapMLError
from ..domain.traffic import Arm, EndpointSettings
from ..store.api_keys import KeyGrant
from ..store.blobs import FileBlobs
from ..store.database import Database
from ..store.endpoints import Routing, read_routing
from .arms import Comparison, Copies, Split, column_places
from .batching import Batcher
from .limits import Limiter
from .logged_batch import LogTarget
from .metrics import TrafficCounter
from .reports import say, workers_folder
from .rows import RowDecoder
from .running import Running, running_path
from .session import ModelSession
from .usage import Usage, usage_path

#: How often a worker looks for changes, in seconds.
POLL_SECONDS = 0.1
#: How long a deployment that could not be loaded is left alone.
RETRY_SECONDS = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """One loaded deployment, ready to answer. `version` is the model version, as text."""

    deployment: Deployment
    version: str
    decoder: RowDecoder
    session: ModelSession
    batcher: Batcher
    target: LogTarget
    counter: TrafficCounter
    label_names: list[str] | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint as requests see it; `served` is its champion, None when that cannot be served, because of `failure`.

    `split` is None while the champion answers all; `copies` says where answered requests go a second time.
    """

    name: str
    served: Served | None
    failure: str | None = None
    settings: EndpointSettings = field(default_factory=EndpointSettings)
    limiter: Limiter | None = None
    split: Split | None = None
    sticky_header: bytes | None = None
    copies: tuple[Copies, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """What a valid key opens; `limiter` is None without limits."""

    grant: KeyGrant
    limiter: Limiter | None


@dataclass(frozen=True, slots=True)
class Routes:
    """Endpoints by name, and keys by their SHA-256 (hex)."""

    event_id: int = 0
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)


class RoutingTable:
    """The worker's current `routes` and the thread that keeps them so."""

    def __init__(
        self, folder: Path, in_flight: Collection[object], max_rows: int, on_change: Callable[[], None]
    ) -> None:
        self.routes = Routes()
        #: `endpoint/number` to "ready" or the reason it cannot be served.
        self.loaded: dict[str, str] = {}
        #: What is being loaded right now; if the process dies meanwhile, the host knows what killed it.
        self.loading: str | None = None
        self.counters: dict[tuple[str, str], TrafficCounter] = {}
        #: Of versions whose answers are compared with the champion's, by endpoint and version.
        self.comparisons: dict[tuple[str, str], Comparison] = {}
        self._usage = Usage(usage_path(folder))
        self._running = Running(running_path(workers_folder(folder), os.getpid()))
        self._limiters: dict[str, Limiter] = {}
        self._database = Database(folder / "snapml.db")
        self._blobs = FileBlobs(folder / "blobs")
        self._in_flight = in_flight
        self._max_rows = max_rows
        self._on_change = on_change
        self._served: dict[tuple[str, int], Served] = {}
        self._retry_at: dict[str, float] = {}
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-requests")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="routing", daemon=True)

    def start(self) -> None:
        """Load what there is, then keep watching from a thread."""
        # On this thread's connection, before the thread has its own: the first answer must not wait for the first poll.
        self._take(read_routing(self._database))
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopping.set()
        self._thread.join()

    def counter(self, endpoint: str, version: str) -> TrafficCounter:
        """The counts of one endpoint and version; they outlive a deployment, as a Prometheus counter must."""
        key = (endpoint, version)
        if key not in self.counters:
            self.counters[key] = TrafficCounter(endpoint, version)
        return self.counters[key]

    def _watch(self) -> None:
        seen = -1
        while not self._stopping.wait(POLL_SECONDS):
            try:
                version = self._database.data_version()
                if version != seen:
                    self._take(read_routing(self._database))
                    seen = version
            except (SnapMLError, sqlite3.Error) as error:
                # The database is locked or unreadable for the moment: what is loaded goes on being served.
                say(f"worker: routing not refreshed: {error}")

    def _take(self, routing: Routing) -> None:
        before = self.routes
        served: dict[tuple[str, int], Served] = {}
        loaded: dict[str, str] = {}
        live: dict[str, dict[Arm, tuple[Deployment, Served | None]]] = {}
        for deployment in routing.deployments:
            label = f"{deployment.endpoint}/{deployment.number}"
            ready = self._served.get((deployment.endpoint, deployment.number))
            if ready is None and time.monotonic() < self._retry_at.get(label, 0.0):
                loaded[label] = self.loaded[label]
            elif ready is None:
                try:
                    ready = self._load(deployment, label)
                except SnapMLError as error:
                    loaded[label] = str(error)
                    self._retry_at[label] = time.monotonic() + RETRY_SECONDS
                    say(f"worker: deployment {label} cannot be served: {error}")
            if ready is not None:
                if ready.deployment != deployment:  # another share or arm; what is loaded stays
                    ready = replace(ready, deployment=deployment)
                hidden = _hidden(ready, routing.settings.get(deployment.endpoint))
                if ready.target.hidden != hidden:
                    ready = replace(ready, target=replace(ready.target, hidden=hidden))
                served[(deployment.endpoint, deployment.number)] = ready
                loaded[label] = "ready"
            if deployment.status is DeploymentStatus.live:
                live.setdefault(deployment.endpoint, {})[deployment.arm] = (deployment, ready)
        self._served, self.loaded = served, loaded
        limiters: dict[str, Limiter] = {}
        endpoints = {
            name: self._endpoint(name, arms, routing, loaded, limiters)
            for name, arms in live.items()
            if Arm.champion in arms
        }
        keys = {
            key_hash: Key(
                grant, self._limiter(limiters, grant.key_id, grant.slot, grant.rate_per_second, grant.quota_per_day)
            )
            for key_hash, grant in routing.keys.items()
        }
        self._limiters = limiters
        self.routes = Routes(routing.event_id, endpoints, keys)
        after = self.routes
        if before.event_id != after.event_id:
            self._on_change()

    def _endpoint(
        self,
        name: str,
        arms: dict[Arm, tuple[Deployment, Served | None]],
        routing: Routing,
        loaded: dict[str, str],
        limiters: dict[str, Limiter],
    ) -> Endpoint:
        deployment, champion = arms[Arm.champion]
        challenger = arms.get(Arm.challenger, (None, None))[1]
        shadow = arms.get(Arm.shadow, (None, None))[1]
        settings = routing.settings.get(name, EndpointSettings())
        copies: list[Copies | None] = []
        if champion is not None and shadow is not None:
            copies.append(self._copies(champion, shadow, of_champion=True))
        if champion is not None and challenger is not None and name in routing.compared:
            copies.append(self._copies(challenger, champion, of_champion=False))
        sticky = settings.sticky
        return Endpoint(
            name=name,
            served=champion,
            failure=None if champion else loaded[f"{name}/{deployment.number}"],
            settings=settings,
            limiter=self._limiter(
                limiters, name, routing.slots.get(name), settings.rate_per_second, settings.quota_per_day
            ),
            split=Split(name, champion, challenger, challenger.deployment.share_fraction)
            if champion is not None and challenger is not None
            else None,
            sticky_header=sticky.lower().encode("latin-1") if sticky and sticky != "key" else None,
            copies=tuple(each for each in copies if each is not None),
        )

    def _copies(self, of: Served, to: Served, *, of_champion: bool) -> Copies | None:
        """Copies of what one version answers to another; None when the other needs columns that the one has not."""
        other = to if of_champion else of
        key = (other.target.endpoint, other.version)
        if key not in self.comparisons:
            self.comparisons[key] = Comparison(other.target.endpoint, other.target.model_ref)
        places = column_places(of, to)
        return None if places is None else Copies(of, to, self.comparisons[key], places, not of_champion)

    def _limiter(
        self, held: dict[str, Limiter], name: str, slot: int | None, rate: float | None, quota: int | None
    ) -> Limiter | None:
        """What counts the requests of that key or endpoint and holds its limits, if any.

        The one there was when its limits are as before; its level must not jump.
        """
        if slot is None and rate is None and quota is None:
            return None
        before = self._limiters.get(name)
        if before is None or (before.rate_per_second, before.quota_per_day) != (rate, quota):
            usage = self._usage if slot is not None else Usage(None)
            before = Limiter(usage, name, slot or 0, rate, quota)
        held[name] = before
        return before

    def _load(self, deployment: Deployment, label: str) -> Served:
        """The deployment loaded and tried. Raises SnapMLError when it cannot be served."""
        self.loading = label
        self._on_change()  # reported before the risk is taken
        try:
            session = ModelSession(self._blobs.read(deployment.onnx_digest))
            decoder = RowDecoder(session.inputs, self._max_rows)
            session.smoke_test(decoder, deployment.signature)
        finally:
            self.loading = None
        labels = deployment.signature.labels
        return Served(
            deployment=deployment,
            version=deployment.version,
            decoder=decoder,
            session=session,
            batcher=Batcher(self._running.marked(label, session.run), self._in_flight, self._executor),
            target=LogTarget(
                deployment.endpoint,
                deployment.number,
                deployment.model_ref,
                tuple(column.name for column in deployment.signature.inputs),
            ),
            counter=self.counter(deployment.endpoint, deployment.version),
            label_names=[_json_name(value) for value in labels] if labels is not None else None,
        )


def _hidden(served: Served, settings: EndpointSettings | None) -> frozenset[str]:
    """Columns whose values must not be logged."""
    return frozenset(settings.sensitive).intersection(served.target.columns) if settings else frozenset()


def _json_name(value: object) -> str:
    """A class label as a JSON object's key: true and false as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)
