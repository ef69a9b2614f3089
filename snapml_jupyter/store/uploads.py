"""Files that are sent in pieces, on their way to become dataset versions: kept on disk until they are whole."""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from ..domain.errors import ConflictError, InvalidInputError, NotFoundError
from .blobs import explained

_ID = re.compile(r"[0-9a-f]{32}")
#: An upload that nobody went on with for so long is forgotten.
STALE_SECONDS = 86_400.0
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file on its way. `received` of its `size` bytes are there."""

    upload_id: str
    filename: str
    size: int
    received: int
    path: Path


class Uploads:
    """The uploads of a workspace, each in a folder of its own."""

    def __init__(self, workspace_folder: Path) -> None:
        self.folder = workspace_folder / "uploads"

    def begin(self, filename: str, size: int, suffixes: tuple[str, ...]) -> Upload:
        """Make room for a file. Raises InvalidInputError for a name that is none, or that says no table."""
        name = Path(filename).name if isinstance(filename, str) else ""
        if not name or name != filename or len(name) > _LONGEST_NAME or not name.isprintable():
            raise InvalidInputError(f"{str(filename)[:80]!r} is not the name of a file.")
        if Path(name).suffix.lower() not in suffixes:
            raise InvalidInputError(f"'{name}' is no table: a dataset file ends in {', '.join(suffixes)}.")
        if type(size) is not int or size < 1:
            raise InvalidInputError(f"The file '{name}' is empty.")
        self.remove_stale()
        upload_id = uuid.uuid4().hex
        folder = self.folder / upload_id
        with explained(self.folder):
            folder.mkdir(parents=True)
            (folder / f"content{Path(name).suffix.lower()}").touch()
            (folder / "upload.json").write_text(json.dumps({"filename": name, "size": size}))
        return self.get(upload_id)

    def get(self, upload_id: str) -> Upload:
        """How far it is. Raises NotFoundError."""
        folder = self.folder / upload_id
        if not _ID.fullmatch(upload_id) or not (folder / "upload.json").is_file():
            raise NotFoundError(
                "There is no such upload: it was finished, given up, or left alone for a day. Begin again."
            )
        said = json.loads((folder / "upload.json").read_text())
        path = folder / f"content{Path(said['filename']).suffix.lower()}"
        return Upload(
            upload_id=upload_id,
            filename=said["filename"],
            size=said["size"],
            received=path.stat().st_size,
            path=path,
        )

    def append(self, upload_id: str, offset: int, piece: bytes | bytearray) -> int:
        """Write a piece after what is there; the bytes received so far.

        Raises ConflictError when `offset` is not where it ends, InvalidInputError when it would become too long.
        """
        upload = self.get(upload_id)
        if offset != upload.received:
            raise ConflictError(
                f"{upload.received} bytes of '{upload.filename}' are there; go on from there, not from {offset}."
            )
        if offset + len(piece) > upload.size:
            raise InvalidInputError(f"'{upload.filename}' was said to have {upload.size} bytes; more were sent.")
        with explained(self.folder), upload.path.open("ab") as file:
            file.write(piece)
        return offset + len(piece)

    def whole(self, upload_id: str) -> Upload:
        """The upload when all of it is there. Raises ConflictError."""
        upload = self.get(upload_id)
        if upload.received < upload.size:
            raise ConflictError(f"Only {upload.received} of {upload.size} bytes of '{upload.filename}' are there.")
        return upload

    def remove(self, upload_id: str) -> None:
        """Forget it. Raises NotFoundError."""
        shutil.rmtree(self.get(upload_id).path.parent, ignore_errors=True)

    def remove_stale(self) -> None:
        """Forget what nobody went on with for a day."""
        for folder in self.folder.glob("*"):
            newest = max((path.stat().st_mtime for path in folder.glob("*")), default=0.0)
            if time.time() - newest > STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
