"""Compressed request bodies: gzip and deflate, unpacked no further than a body may be long."""

from __future__ import annotations

import zlib

from .http_errors import HttpError

_ENCODINGS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}


def unpack(encoding: bytes, body: bytes, limit: int) -> bytes | None:
    """The body as it was before the client compressed it; None when it would be longer than `limit`.

    Raises HttpError: 415 for an encoding that is not known, 400 when the body is not in it.
    """
    name = encoding.strip().lower()
    if name in (b"", b"identity"):
        return body
    if name not in _ENCODINGS:
        raise HttpError(
            415,
            f"The Content-Encoding is '{name[:40].decode('latin-1')}'; send 'gzip', 'deflate' or none.",
            ((b"accept-encoding", b"gzip, deflate"),),
        )
    unpacker = zlib.decompressobj(_ENCODINGS[name])
    try:
        content = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise HttpError(400, f"The body is not {name.decode()}: {error}.") from None
    if len(content) > limit:
        return None
    if not unpacker.eof or unpacker.unused_data:
        raise HttpError(400, f"The body is not {name.decode()}: it breaks off, or something follows it.")
    return content
