"""A blob that arrives in pieces: hashed as it comes, kept only when it is what its digest says."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from blake3 import blake3

from ..domain.errors import InvalidInputError
from .blobs import Buffer, FileBlobs, check_digest, new_name, protect


class BlobUpload:
    """Write the pieces, then `finish`; `abort` forgets them. Not more than one piece is held in memory."""

    def __init__(self, blobs: FileBlobs, digest: str) -> None:
        self._target = blobs.path(check_digest(digest))
        self._digest = digest
        self._hash = blake3()
        self._target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=new_name(), dir=self._target.parent)
        self._file = os.fdopen(handle, "wb")
        self._temporary = Path(name)

    def write(self, piece: Buffer) -> None:
        """Append one piece."""
        self._file.write(piece)
        self._hash.update(piece)

    def finish(self) -> None:
        """Make the blob durable and visible. Raises InvalidInputError when the bytes are not those of the digest."""
        try:
            found = self._hash.hexdigest()
            if found != self._digest:
                raise InvalidInputError(
                    f"The bytes sent as blob {self._digest} have the digest {found}. Nothing was kept; send them again."
                )
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            protect(self._temporary)  # who sends it refers to it in another request
            os.replace(self._temporary, self._target)
        except BaseException:
            self.abort()
            raise
        if os.name == "posix":  # make the rename itself durable
            folder = os.open(self._target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def abort(self) -> None:
        """Forget what came so far; no error when there is nothing."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)
