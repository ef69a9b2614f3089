"""Blobs by digest: `GET/HEAD/PUT snapml/blobs/<digest>`, streamed both ways and checked against the digest."""

from __future__ import annotations

from typing import BinaryIO

from blake3 import blake3
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, stream_request_body

from ..domain.errors import PermissionDeniedError
from ..store.blob_upload import BlobUpload
from ..store.blobs import FileBlobs, check_digest
from .handler import SnapMLHandler, Surroundings, allowed

_PIECE_BYTES = 1 << 20


@stream_request_body
class BlobHandler(SnapMLHandler):
    """One blob. What is sent is written as it arrives, so size is bounded by the disk and `max_blob_bytes`."""

    def initialize(self, surroundings: Surroundings) -> None:
        """The body's limit must be set before tornado starts to read it."""
        super().initialize(surroundings)
        self._upload: BlobUpload | None = None
        self._waiting = bytearray()
        self._connection.set_max_body_size(surroundings.max_blob_bytes)

    @property
    def _connection(self) -> HTTP1Connection:
        assert isinstance(self.request.connection, HTTP1Connection)
        return self.request.connection

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler has it
        """A streamed body arrives before the verb runs, so who may send it is decided here."""
        await super().prepare()
        if self.request.method == "PUT":
            if not self.current_user:
                raise HTTPError(403)
            await self.require("write")
            digest = check_digest(self.path_args[0])
            self._upload = await self.served.in_thread(self._begin, digest)
        elif int(self.request.headers.get("Content-Length") or 0) > 0:
            raise HTTPError(400, "Only PUT takes a body here.")

    def _begin(self, digest: str) -> BlobUpload:
        workspace = self.served.open()
        if not isinstance(workspace.blobs, FileBlobs):
            raise PermissionDeniedError(f"Send blobs to {workspace.location} itself; this server only passes calls on.")
        return BlobUpload(workspace.blobs, digest)

    async def data_received(self, chunk: bytes) -> None:
        """Collect to pieces of a useful size, then write off the event loop."""
        self._waiting += chunk
        if len(self._waiting) >= _PIECE_BYTES:
            await self._write_waiting()

    async def _write_waiting(self) -> None:
        if self._upload is not None and self._waiting:
            piece, self._waiting = self._waiting, bytearray()
            await self.served.in_thread(self._upload.write, piece)

    @allowed("write")
    async def put(self, digest: str) -> None:
        """Keep it, when it is what the digest says. 201, also when it was there before."""
        await self._write_waiting()
        upload, self._upload = self._upload, None
        assert upload is not None
        await self.served.in_thread(upload.finish)
        self.set_status(201)
        self.finish()

    @allowed("read")
    async def get(self, digest: str) -> None:
        """Send the bytes; the last piece only when all of them match, so damage shows as a short answer."""
        size = await self._describe(digest)
        file = await self.served.in_thread(self._open, digest)
        try:
            found, left = blake3(), size
            while left:
                piece = await self.served.in_thread(file.read, min(_PIECE_BYTES, left))
                left -= len(piece)
                await self.served.in_thread(found.update, piece)
                if not piece or (left == 0 and found.hexdigest() != digest):
                    self.log.error("Blob %s is damaged: its bytes no longer match its digest.", digest)
                    self._connection.stream.close()
                    return
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return  # the client went away
        finally:
            file.close()
        self.finish(set_content_type="application/octet-stream")

    @allowed("read")
    async def head(self, digest: str) -> None:
        """Whether it is kept, and its size."""
        await self._describe(digest)
        self.finish(set_content_type="application/octet-stream")

    async def _describe(self, digest: str) -> int:
        size = await self.served.in_thread(lambda: self.served.open().blobs.size(check_digest(digest)))
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Length", str(size))
        self.set_header("ETag", f'"{digest}"')
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        # Content is whatever somebody logged; a browser must save it, never run it in Jupyter's origin.
        self.set_header("Content-Disposition", f'attachment; filename="{digest}"')
        self.set_header("X-Content-Type-Options", "nosniff")
        return size

    def _open(self, digest: str) -> BinaryIO:
        return self.served.open().blobs.open(digest)

    def compute_etag(self) -> str | None:
        """The digest is the tag; nothing to compute."""
        return None

    def on_connection_close(self) -> None:
        """The sender went away: forget what came."""
        self._forget()
        super().on_connection_close()

    def on_finish(self) -> None:
        """Refused after the body had begun: forget what came."""
        self._forget()
        super().on_finish()

    def _forget(self) -> None:
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.abort()
