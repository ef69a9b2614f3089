"""What a worker knows: which path leads to which loaded model, and which keys open it.

`Routes` is never changed, only replaced: a request takes the one there is and finishes with it, while a thread loads
new deployments beside it and then swaps. The thread asks SQLite for `PRAGMA data_version`, which costs microseconds,
and reads the tables only when that number moved.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..domain.endpoint import Deployment, DeploymentStatus
from ..domain.errors import SnapMLError
from ..store.blobs import FileBlobs
from ..store.database import Database
from ..store.endpoints import Routing, read_routing
from .batching import Batcher
from .metrics import TrafficCounter
from .prediction_log import LogTarget
from .reports import say
from .rows import RowDecoder
from .session import ModelSession

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
    """One endpoint as requests see it; `served` is None when its live deployment cannot be served, because of `failure`."""

    name: str
    served: Served | None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """Endpoints by name, and keys: SHA-256 (hex) to the endpoint's name."""

    event_id: int = 0
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)


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
        endpoints: dict[str, Endpoint] = {}
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
                served[(deployment.endpoint, deployment.number)] = ready
                loaded[label] = "ready"
            if deployment.status is DeploymentStatus.live:
                endpoints[deployment.endpoint] = Endpoint(deployment.endpoint, ready, None if ready else loaded[label])
        self._served, self.loaded = served, loaded
        self.routes = Routes(routing.event_id, endpoints, routing.keys)
        after = self.routes
        if before.event_id != after.event_id:
            self._on_change()

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
        version = deployment.model_ref.partition(":")[2]
        labels = deployment.signature.labels
        return Served(
            deployment=deployment,
            version=version,
            decoder=decoder,
            session=session,
            batcher=Batcher(session.run, self._in_flight, self._executor),
            target=LogTarget(
                deployment.endpoint,
                deployment.number,
                deployment.model_ref,
                tuple(column.name for column in deployment.signature.inputs),
            ),
            counter=self.counter(deployment.endpoint, version),
            label_names=[_json_name(value) for value in labels] if labels is not None else None,
        )


def _json_name(value: object) -> str:
    """A class label as a JSON object's key: true and false as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)
