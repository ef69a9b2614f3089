"""Uploads: a file becomes a dataset version. Begun, sent in pieces that can be taken up again, finished.

POST   snapml/uploads              {"filename", "size"}  -> {"upload_id", "filename", "size", "received"}
PUT    snapml/uploads/ID?offset=N  bytes                 -> the same; 409 when N is not what was received
GET    snapml/uploads/ID                                 -> the same
POST   snapml/uploads/ID/finish    {"name", "message"}   -> the dataset version
DELETE snapml/uploads/ID
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.web import HTTPError, stream_request_body

from .. import wire
from ..datasets.snapshot import snapshot
from ..domain.dataset import DatasetSource, DatasetVersion, SourceKind
from ..domain.errors import InvalidInputError, PermissionDeniedError
from ..store.uploads import Upload, Uploads
from ..store.workspace import Workspace
from ..validation.checking import check_new_version
from .handler import SnapMLHandler, Surroundings, allowed

#: What can be a dataset file; as `datasets.files.SUFFIXES`, which loads Arrow.
SUFFIXES = (".csv", ".tsv", ".parquet", ".pq", ".arrow", ".feather", ".ipc")
_PIECE_BYTES = 1 << 20


class UploadsHandler(SnapMLHandler):
    """Begin an upload."""

    @allowed("write")
    async def post(self) -> None:
        """Make room for the file."""
        said = _mapping(self.get_json_body(), "filename", "size")
        if isinstance(said["size"], int) and said["size"] > self.surroundings.max_blob_bytes:
            raise InvalidInputError(
                f"The file has {said['size']} bytes; this server takes {self.surroundings.max_blob_bytes}."
            )
        actor = self.actor
        upload = await self.served.in_thread(
            lambda: _uploads(self.served.open(actor)).begin(said["filename"], said["size"], SUFFIXES)
        )
        self.set_status(201)
        self.send_json(_described(upload))


@stream_request_body
class UploadHandler(SnapMLHandler):
    """One upload. A piece is written as it arrives, so what came of a broken one is there to go on from."""

    def initialize(self, surroundings: Surroundings) -> None:
        """The body's limit must be set before tornado starts to read it."""
        super().initialize(surroundings)
        self._waiting = bytearray()
        self._offset: int | None = None
        connection = self.request.connection
        assert isinstance(connection, HTTP1Connection)
        connection.set_max_body_size(surroundings.max_blob_bytes)

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler has it
        """A streamed body arrives before the verb runs, so who may send it, and from where on, is decided here."""
        await super().prepare()
        if self.request.method != "PUT":
            return
        if not self.current_user:
            raise HTTPError(403)
        await self.require("write")
        text = self.get_query_argument("offset", "0")
        if not text.isdigit():
            raise InvalidInputError(f"offset={text!r} is not a number of bytes.")
        self._offset = int(text)
        await self._write(b"")  # refuses a wrong place before anything is read

    async def data_received(self, chunk: bytes) -> None:
        """Collect to pieces of a useful size, then write off the event loop."""
        self._waiting += chunk
        if len(self._waiting) >= _PIECE_BYTES:
            await self._write_waiting()

    async def _write_waiting(self) -> None:
        piece, self._waiting = self._waiting, bytearray()
        await self._write(piece)

    async def _write(self, piece: bytes | bytearray) -> None:
        if self._offset is not None:
            upload_id, offset = self.path_args[0], self._offset
            self._offset = await self.served.in_thread(
                lambda: _uploads(self.served.open()).append(upload_id, offset, piece)
            )

    @allowed("write")
    async def put(self, upload_id: str) -> None:
        """The piece is there."""
        await self._write_waiting()
        await self._answer(upload_id)

    @allowed("read")
    async def get(self, upload_id: str) -> None:
        """How far it is."""
        await self._answer(upload_id)

    @allowed("write")
    async def delete(self, upload_id: str) -> None:
        """Give it up."""
        await self.served.in_thread(lambda: _uploads(self.served.open()).remove(upload_id))
        self.set_status(204)
        self.finish()

    async def _answer(self, upload_id: str) -> None:
        upload = await self.served.in_thread(lambda: _uploads(self.served.open()).get(upload_id))
        self.send_json(_described(upload))


class FinishUploadHandler(SnapMLHandler):
    """Make the version."""

    @allowed("write")
    async def post(self, upload_id: str) -> None:
        """Keep the file as the next version of a dataset, and forget the upload; when it cannot be, the upload stays."""
        said = _mapping(self.get_json_body(), "name")
        actor = self.actor
        version = await self.served.in_thread(lambda: self._kept(upload_id, said, actor))
        self.send_json(wire.encode_json(version))

    def _kept(self, upload_id: str, said: dict[str, Any], actor: str | None) -> DatasetVersion:
        workspace = self.served.open(actor)
        uploads = _uploads(workspace)
        upload = uploads.whole(upload_id)
        message = said.get("message") or None
        if message is not None and not isinstance(message, str):
            raise InvalidInputError("A message is text.")
        source = DatasetSource(kind=SourceKind.UPLOAD, name=upload.filename)
        try:
            version = snapshot(workspace, said["name"], upload.path, message=message, source=source)
        except InvalidInputError as error:  # who sent the file knows it by its own name
            raise InvalidInputError(str(error).replace(str(upload.path), upload.filename)) from error
        uploads.remove(upload_id)
        found = check_new_version(workspace, version)
        return version if found is None else replace(version, validity="passed" if found.passed else "failed")


def _uploads(workspace: Any) -> Uploads:
    if not isinstance(workspace, Workspace):
        raise PermissionDeniedError(f"Upload to {workspace.location} itself; this server only passes calls on.")
    return Uploads(workspace.folder)


def _mapping(said: Any, *needed: str) -> dict[str, Any]:
    if not isinstance(said, dict) or any(name not in said for name in needed):
        raise InvalidInputError(f"Send a JSON object with {' and '.join(needed)}.")
    return said


def _described(upload: Upload) -> bytes:
    return wire.encode_json(
        {
            "upload_id": upload.upload_id,
            "filename": upload.filename,
            "size": upload.size,
            "received": upload.received,
        }
    )
