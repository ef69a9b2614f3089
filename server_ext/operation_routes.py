"""Operations over HTTP: `POST snapml/api/<package>.<operation>`, the document that lists them, and who am I."""

from __future__ import annotations

from typing import Any

from tornado.web import HTTPError

from .. import wire
from ..operations import Operation, get_operation, list_operations, run_operation
from ..store.remote import RemoteWorkspace
from ..version import __version__
from .handler import SnapMLHandler, allowed


class OperationHandler(SnapMLHandler):
    """A JSON object of arguments in, the record out."""

    @allowed("read")
    async def post(self, name: str) -> None:
        """Everybody who may read may ask; what changes something needs the right to write as well."""
        limit = self.surroundings.max_body_bytes
        if len(self.request.body) > limit:
            raise HTTPError(
                413, f"The arguments of {name} are {len(self.request.body):,} bytes; the limit is {limit:,}."
            )
        declared = await self.served.in_thread(get_operation, name)
        if not declared.permission.endswith(":read"):
            self._track_activity = True
            await self.require("write")
        self.send_json(await self.served.in_thread(self._run, declared, self.request.body, self.actor))

    def _run(self, declared: Operation, body: bytes, actor: str | None) -> bytes:
        arguments = wire.decode_json(body or b"{}", dict[str, Any], f"body sent to {declared.name}")
        workspace = self.served.open(actor)
        if isinstance(workspace, RemoteWorkspace):
            return wire.encode_json(workspace.call(declared, arguments))
        return wire.encode_json(run_operation(workspace, declared, arguments))


class OpenAPIHandler(SnapMLHandler):
    """The OpenAPI document of this server's operations."""

    @allowed("read")
    async def get(self) -> None:
        """Made from the declarations, at the time it is asked for."""

        def document() -> bytes:
            content = wire.openapi(list_operations(), __version__)
            return wire.encode_json({**content, "servers": [{"url": self.base_url}]})

        self.send_json(await self.served.in_thread(document))


class WhoAmIHandler(SnapMLHandler):
    """Who acts here, on which workspace, with which version."""

    @allowed("read")
    async def get(self) -> None:
        """Raises UnavailableError when the workspace cannot be opened, which is what the sidebar wants to know first."""

        def answer() -> bytes:
            workspace = self.served.open(self.actor)
            return wire.encode_json({"actor": workspace.actor, "workspace": workspace.location, "version": __version__})

        self.send_json(await self.served.in_thread(answer))


class UnknownHandler(SnapMLHandler):
    """Whatever else is asked for below `/snapml/` gets a sentence instead of Jupyter's HTML page."""

    @allowed("read")
    async def get(self) -> None:
        """Always 404."""
        raise HTTPError(404)

    @allowed("read")
    async def post(self) -> None:
        """Always 404."""
        raise HTTPError(404)
