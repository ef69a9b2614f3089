"""The extension itself: traits, routes, and what starts and stops with the server.

Nothing here opens the workspace, so a broken one never keeps Jupyter from starting; it shows in the first answer.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from jupyter_events import EventLogger
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, Integer, Unicode

from ..domain.errors import SnapMLError
from ..domain.event import Event
from ..serving.deploying import list_endpoints
from ..serving.host_process import start_host
from ..store.workspace import locate
from .blob_routes import BlobHandler
from .endpoint_routes import EndpointHandler
from .event_routes import EventsHandler
from .handler import Surroundings
from .operation_routes import OpenAPIHandler, OperationHandler, UnknownHandler, WhoAmIHandler
from .profiling import BackgroundProfiler
from .served import ServedWorkspace
from .upload_routes import FinishUploadHandler, UploadHandler, UploadsHandler
from .watcher import Watcher, distinct

EVENT_SCHEMA = "https://schema.snapml.org/events/v1"


class SnapMLExtension(ExtensionApp):
    """SnapML for Jupyter. Configure in jupyter_server_config.py: `c.SnapMLExtension.workspace = "/data/team"`."""

    name = "snapml_jupyter"
    extension_url = "/lab"
    load_other_extensions = True

    workspace = Unicode(
        help="Folder or URL of the workspace. Empty: SNAPML_WORKSPACE, else the nearest `.snapml/` folder upward "
        "from the server's root, else one per user."
    ).tag(config=True)
    max_body_bytes = Integer(16 << 20, help="Largest JSON body of one operation, in bytes.").tag(config=True)
    max_blob_bytes = Integer(8 << 30, help="Largest blob that may be sent, in bytes.").tag(config=True)
    poll_seconds = Float(0.15, help="How often the server looks whether the workspace changed, in seconds.").tag(
        config=True
    )

    start_host = Bool(
        True, help="Start the workspace's host with the server when endpoints are deployed, so that they answer again."
    ).tag(config=True)

    served: ServedWorkspace
    watcher: Watcher
    profiler: BackgroundProfiler
    _events: EventLogger

    def initialize_settings(self) -> None:
        """Decide which workspace it is, and tell the kernels: they inherit this process's environment."""
        assert self.serverapp is not None and self.serverapp.event_logger is not None
        self.served = ServedWorkspace(self.workspace or locate(Path(self.serverapp.root_dir)))
        os.environ["SNAPML_WORKSPACE"] = self.served.location
        # Any number, as Python itself would draw one; but one that a run can record, so that a replay has its sets of texts
        # in the same order.
        os.environ.setdefault("PYTHONHASHSEED", str(secrets.randbelow(2**32)))
        self._events = self.serverapp.event_logger
        self._events.register_event_schema(Path(__file__).parent / "events.v1.yaml")
        self.profiler = BackgroundProfiler(self.served, self.log)
        self.watcher = Watcher(self.served, poll_seconds=self.poll_seconds, announce=self._announce, log=self.log)
        self.serverapp.io_loop.add_callback(self.watcher.start)
        if self.start_host and self.served.exists and not self.served.is_remote:
            self.serverapp.io_loop.add_callback(self.served.in_thread, self._resume_endpoints)

    def initialize_handlers(self) -> None:
        """Every route below `/snapml`."""
        given = {
            "surroundings": Surroundings(
                served=self.served,
                watcher=self.watcher,
                max_body_bytes=self.max_body_bytes,
                max_blob_bytes=self.max_blob_bytes,
            )
        }
        self.handlers.extend(
            [
                (r"/snapml/api/openapi\.json", OpenAPIHandler, given),
                (r"/snapml/api/whoami", WhoAmIHandler, given),
                (r"/snapml/api/([a-z_]+\.[a-z_0-9]+)", OperationHandler, given),
                (r"/snapml/blobs/([^/]+)", BlobHandler, given),
                (r"/snapml/uploads", UploadsHandler, given),
                (r"/snapml/uploads/([^/]+)", UploadHandler, given),
                (r"/snapml/uploads/([^/]+)/finish", FinishUploadHandler, given),
                (r"/snapml/events", EventsHandler, given),
                (r"/snapml/((?:endpoints/|v2/).+|v2)", EndpointHandler, given),
                (r"/snapml(?:/.*)?", UnknownHandler, given),
            ]
        )

    def _resume_endpoints(self) -> None:
        """In a thread: what was deployed before the machine restarted answers again. Never keeps Jupyter from starting."""
        try:
            workspace = self.served.open()
            if any(endpoint.live for endpoint in list_endpoints(workspace)):
                start_host(workspace)  # which is content with one that runs already
        except SnapMLError as error:
            self.log.warning("SnapML: the deployed endpoints do not answer yet. %s", error)

    async def stop_extension(self) -> None:
        """The server is about to end."""
        self.watcher.stop()
        self.profiler.stop()
        self.served.close()

    def _announce(self, batch: list[Event]) -> None:
        """On the event loop: tell the front ends. They read what changed themselves."""
        self.profiler.note(batch)
        for event in distinct(batch):
            self._events.emit(
                schema_id=EVENT_SCHEMA,
                data={"kind": event.kind, "subject": event.subject, "event_id": event.event_id},
            )
