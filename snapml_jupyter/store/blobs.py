"""Content by digest: a blob's name is the BLAKE3 digest of its bytes, so equal content is kept once and damage shows.

A blob is durable (written under a temporary name, fsynced, renamed) before anything may refer to it.
"""

from __future__ import annotations

import errno
import os
import platform
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from ..domain.errors import DamagedContentError, InvalidInputError, NotFoundError, UnavailableError

#: What a name begins with while the blob is written, and while it is on its way out.
NEW, LEAVING = ".new-", ".leaving-"

#: How long a blob is protected that was written without the write lock.
PROTECTED_SECONDS = 3_600.0

_DIGEST = re.compile(r"[0-9a-f]{64}")

Buffer = bytes | bytearray | memoryview


class BlobStore(Protocol):
    """What every blob store offers; `tests/contracts/test_blob_stores.py` holds each member to it."""

    def put(self, content: Buffer, *, locked: bool = False) -> str:
        """Keep the bytes and return their digest (64 hex characters). Durable when it returns.

        `locked`: the caller holds the write lock until a row names the blob (see `write_lock`).
        """

    def open(self, digest: str) -> BinaryIO:
        """A readable binary file. Raises NotFoundError when there is no such blob."""

    def read(self, digest: str) -> bytes:
        """All bytes, checked against the digest. Raises NotFoundError or DamagedContentError."""

    def exists(self, digest: str) -> bool:
        """Whether the blob is kept."""

    def size(self, digest: str) -> int:
        """Its length in bytes. Raises NotFoundError."""

    def remove(self, digest: str) -> None:
        """Forget the blob; no error when it is already gone."""

    def digests(self) -> Iterator[str]:
        """Every digest that is kept, in no particular order."""


def digest_of(content: Buffer) -> str:
    """BLAKE3 of the bytes as 64 hex characters."""
    from blake3 import blake3

    return blake3(content).hexdigest()


def check_digest(digest: str) -> str:
    """Return `digest` when it is one, so that it can be part of a path. Raises InvalidInputError."""
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise InvalidInputError(f"{str(digest)[:80]!r} is not a digest (64 lower-case hex characters).")
    return digest


class FileBlobs:
    """Blobs as files, `ab/cdef...` under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Where the blob lies or would lie."""
        check_digest(digest)
        return self.folder.joinpath(digest[:2], digest[2:])

    def put(self, content: Buffer, *, locked: bool = False) -> str:
        digest = digest_of(content)
        target = self.path(digest)
        with explained(self.folder):
            if not self.touch(digest, locked=locked):
                target.parent.mkdir(parents=True, exist_ok=True)
                self._write(target, content)
                if not locked:
                    protect(target)
        return digest

    def touch(self, digest: str, *, locked: bool = False) -> bool:
        """Let no collection of garbage take a blob that somebody is about to refer to; whether it is there."""
        try:
            if locked:
                os.utime(self.path(digest))
            else:
                protect(self.path(digest))
        except FileNotFoundError:
            return False
        return True

    def _write(self, target: Path, content: Buffer) -> None:
        handle, temporary = tempfile.mkstemp(prefix=new_name(), dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)

    def open(self, digest: str) -> BinaryIO:
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            raise _missing(digest) from None

    def read(self, digest: str) -> bytes:
        with self.open(digest) as file:
            content = file.read()
        if digest_of(content) != digest:
            raise DamagedContentError(
                f"Blob {digest} in {self.folder} is damaged: its bytes no longer match its digest. Restore it from a backup."
            )
        return content

    def exists(self, digest: str) -> bool:
        return self.path(digest).exists()

    def size(self, digest: str) -> int:
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            raise _missing(digest) from None

    def remove(self, digest: str) -> None:
        self.path(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        for path in self.folder.glob("??/*"):
            digest = path.parent.name + path.name
            if _DIGEST.fullmatch(digest):
                yield digest


def new_name() -> str:
    """What the name of a file that this process is writing begins with: says who, so that nobody takes it away."""
    return f"{NEW}{platform.node()}-{os.getpid()}-"


def protect(path: Path) -> None:
    """Date a file an hour ahead: until then it is not garbage, though no row names it. Raises FileNotFoundError."""
    ahead = time.time() + PROTECTED_SECONDS
    os.utime(path, (ahead, ahead))


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Say in a sentence that a disk is full or cannot be written to. Raises UnavailableError then."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise UnavailableError(
                f"The disk that holds {folder} is full: {error.strerror}. Nothing was recorded. Make room, for instance with "
                "`snapml gc`, and try again."
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise UnavailableError(f"{folder} cannot be written to: {error.strerror}.") from error
        raise


def _missing(digest: str) -> NotFoundError:
    return NotFoundError(f"There is no blob {digest}. `snapml verify` lists what refers to it.")


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; not every platform can open a folder."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
