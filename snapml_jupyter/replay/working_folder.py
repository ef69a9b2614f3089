"""The empty folder that a program runs in: the files and modules it reads, under the paths by which it reads them, and
the folders it writes into.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.errors import DamagedContentError
from ..domain.program import Program

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace


def fill(workspace: Workspace | RemoteWorkspace, program: Program, root: Path) -> Path:
    """Write the program's files below `root`; gives the working folder in it.

    Raises DamagedContentError for a path that would leave the folder.
    """
    folder = (root / "work" / program.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for file in program.files:
        target = (folder / file.path).resolve()
        if not target.is_relative_to((root / "work").resolve()):
            raise DamagedContentError(f"The file '{file.path}' of the program would lie outside of its folder.")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(workspace.blobs.read(file.digest))
    for path in program.folders:
        target = (folder / path).resolve()
        if not target.is_relative_to((root / "work").resolve()):
            raise DamagedContentError(f"The folder '{path}' of the program would lie outside of its folder.")
        target.mkdir(parents=True, exist_ok=True)
    return folder
