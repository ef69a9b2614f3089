"""Taking blobs away while others write.

Whoever writes a blob either holds the write lock until a row names it, or dates it ahead (`blobs.protect`). So a blob
that is not dated ahead, that nothing refers to inside a write transaction, and that is still so after it was renamed,
nobody is about to refer to: a writer that comes later does not find it and writes it again. Where the lock cannot be had
a blob must be old besides. What a crash leaves renamed, the next collection settles.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path

from .blobs import LEAVING, NEW, PROTECTED_SECONDS, FileBlobs


def is_young(path: Path, grace_seconds: float) -> bool:
    """Whether the file was written or touched in the last seconds, or is dated ahead; not when it is gone."""
    try:
        return time.time() - path.stat().st_mtime < grace_seconds
    except FileNotFoundError:
        return False


def set_aside(blobs: FileBlobs, digest: str, grace_seconds: float) -> Path | None:
    """Rename a blob that is not young; None when it is, or is gone. Unlink the path after the commit."""
    path = blobs.path(digest)
    if is_young(path, grace_seconds):
        return None
    aside = path.with_name(LEAVING + path.name)
    try:
        os.replace(path, aside)
    except FileNotFoundError:
        return None
    if is_young(aside, grace_seconds):  # touched in between
        os.replace(aside, path)
        return None
    return aside


def list_left_aside(blobs: FileBlobs) -> Iterator[tuple[str, Path]]:
    """Digest and path of the blobs that an interrupted collection left renamed."""
    for path in blobs.folder.glob(f"??/{LEAVING}*"):
        yield path.parent.name + path.name.removeprefix(LEAVING), path


def list_unfinished(blobs: FileBlobs) -> Iterator[Path]:
    """Files of writes that were interrupted: by a process of this machine that is gone, or of another long ago."""
    import psutil

    for path in blobs.folder.glob(f"??/{NEW}*"):
        node, _, rest = path.name.removeprefix(NEW).rpartition("-")[0].rpartition("-")
        if node == platform.node() and rest.isdigit():
            if not psutil.pid_exists(int(rest)):
                yield path
        elif not is_young(path, PROTECTED_SECONDS):
            yield path
