"""One exported endpoint without a workspace: `python -m snapml_jupyter.serving.standalone FOLDER --port N`.

The folder has `deployment.json` and `model.onnx`, as `snapml export-deployment --to docker` writes them. The same
application answers the same protocols as a worker of a workspace does; there is no host, no prediction log, no feedback,
and one key, from SNAPML_API_KEY. It imports what a worker imports and nothing more.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from .. import settings
from ..domain.endpoint import Deployment
from ..domain.errors import DamagedContentError, InvalidInputError, SnapMLError, UnavailableError
from ..domain.traffic import Scope as KeyScope
from ..store.api_keys import KeyGrant
from ..store.blobs import FileBlobs, digest_of
from ..store.endpoints import Routing
from .application import EndpointApplication, Limits, Receive, Scope, Send
from .keys import hash_key, new_key
from .logged_batch import LogTarget
from .ports import bind_shared
from .prediction_log import PredictionLog
from .routing import RoutingTable
from .rows import Row
from .session import Answers
from .worker import Worker

DEPLOYMENT_FILE, GRAPH_FILE = "deployment.json", "model.onnx"
#: The folder of the workspace that there is not: whatever a worker would keep in it is not kept.
_NOWHERE = Path(os.devnull)


class _OneFile(FileBlobs):
    """The one graph of the folder, checked like any blob."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._path = folder / GRAPH_FILE

    def read(self, digest: str) -> bytes:
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise InvalidInputError(f"{self._path} cannot be read: {error.strerror}.") from None
        if digest_of(content) != digest:
            raise DamagedContentError(f"{self._path} is not the graph that {DEPLOYMENT_FILE} names.")
        return content


class _OneDeployment(RoutingTable):
    """Routes that are read from the folder once and never change."""

    def __init__(self, folder: Path, in_flight: Collection[object], max_rows: int, api_key: str) -> None:
        super().__init__(_NOWHERE, in_flight, max_rows, _nothing)
        self._blobs = _OneFile(folder)
        self._deployment = _read_deployment(folder)
        self._api_key = api_key

    def start(self) -> None:
        """Load the graph. Raises UnavailableError with the reason when it cannot be served."""
        deployment = self._deployment
        grant = KeyGrant(key_id="key-of-the-folder", endpoint=deployment.endpoint, scopes=frozenset(KeyScope))
        self._take(Routing(event_id=1, deployments=[deployment], keys={hash_key(self._api_key): grant}))
        endpoint = self.routes.endpoints[deployment.endpoint]
        if endpoint.served is None:
            raise UnavailableError(f"{deployment.model_ref} cannot be served: {endpoint.failure}")

    def stop(self) -> None:
        """There is no thread to end."""


class _NoLog(PredictionLog):
    """Keeps nothing: there is no workspace to take it in."""

    def append(self, target: LogTarget, request_id: str, rows: list[Row], answers: Answers) -> None:
        pass

    def append_feedback(self, endpoint: str, labels: list[dict[str, Any]]) -> bool:
        return False


class Standalone(Worker):
    """A worker on one exported folder. `is_open` serves without a key, for use behind something that asks for one."""

    def __init__(self, folder: Path, address: str, port: int, api_key: str, *, is_open: bool) -> None:
        super().__init__(_NOWHERE, address, port)
        self._exported = folder
        in_flight = self.server.server_state.tasks
        limits = Limits(settings.get_int("max_body_mb") * 2**20, settings.get_int("max_rows"))
        self.routing = _OneDeployment(folder, in_flight, limits.max_rows, api_key)
        self.log = _NoLog(_NOWHERE, seconds=1.0)
        self.application = EndpointApplication(self.routing, self.log, in_flight, limits)
        self.server.config.app = _with_key(self.application, api_key) if is_open else self.application

    def run(self) -> None:
        """Serve until SIGTERM. Raises UnavailableError when the graph cannot be served, OSError for a taken port."""
        self.routing.start()
        loop = uvloop.new_event_loop()
        loop.run_until_complete(self._serve(bind_shared(self.address, self.port)))
        loop.close()

    def report(self) -> None:
        """Nobody reads reports here, except that it listens."""
        if self.is_serving:
            print(f"Serving {self._exported} at http://{self.address}:{self.port}", flush=True)


def _with_key(application: EndpointApplication, api_key: str) -> Any:
    """The application with the right key on every request, whatever the client sent."""
    header = (b"authorization", f"Bearer {api_key}".encode())

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        others = [(name, value) for name, value in scope.get("headers", ()) if name != b"authorization"]
        await application({**scope, "headers": [*others, header]}, receive, send)

    return call


def _read_deployment(folder: Path) -> Deployment:
    path = folder / DEPLOYMENT_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Deployment)
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read: {error.strerror}. Write the folder: snapml export-deployment NAME --to docker --out {folder}"
        ) from None
    except msgspec.MsgspecError as error:
        raise InvalidInputError(f"{path} is not what snapml export-deployment writes: {error}.") from None


def _nothing() -> None:
    pass


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m snapml_jupyter.serving.standalone", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--open", action="store_true", help="serve without a key")
    given = parser.parse_args(arguments)
    api_key = os.environ.get("SNAPML_API_KEY", "")
    if not api_key and not given.open:
        parser.error("set SNAPML_API_KEY to the key that clients have to send, or pass --open to serve without one")
    try:
        folder = given.folder.resolve()
        Standalone(folder, given.address, given.port, api_key or new_key(), is_open=given.open).run()
    except (SnapMLError, OSError) as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
