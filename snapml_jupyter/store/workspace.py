"""A workspace: one registry, as a folder (database and blobs), with who is acting and what time it is."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import settings
from ..domain.errors import PermissionDeniedError, SnapMLError, UnavailableError
from ..operations import Operation, current_operation
from . import audit
from .blobs import FileBlobs
from .database import Database, insert
from .migrations import migrate

if TYPE_CHECKING:
    from .remote import RemoteWorkspace

Clock = Callable[[], datetime]

#: The folder that marks a project's own workspace.
FOLDER_NAME = ".snapml"


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True)
class Transaction:
    """Writes that become visible together, with the events that tell of them."""

    workspace: Workspace
    connection: sqlite3.Connection

    def execute(self, sql: str, params: dict[str, Any] | None = None) -> sqlite3.Cursor:
        """Run one statement with named parameters."""
        return self.connection.execute(sql, params or {})

    def insert(self, table: str, **values: Any) -> None:
        """Insert one row."""
        insert(self.connection, table, values)

    def event(self, kind: str, subject: str, **details: Any) -> None:
        """Append an event, and the audit entry when the running operation is declared `audited`.

        `kind` is `<noun>.<what happened>`, `subject` a reference or id, `details` JSON-safe values.
        """
        now = self.workspace.now()
        insert(
            self.connection,
            "events",
            {
                "kind": kind,
                "subject": subject,
                "actor": self.workspace.actor,
                "at": now.isoformat(),
                "details": json.dumps(details, default=str),
            },
        )
        running = current_operation()
        if running is not None and running.audited:
            audit.append(
                self.connection,
                at=now,
                actor=self.workspace.actor,
                operation=running.name,
                subject=subject,
                details={"event": kind, **details},
            )


class Workspace:
    """A workspace in a folder. `permissions` None means everything (it is the actor's own folder)."""

    is_remote = False

    def __init__(
        self,
        folder: str | Path,
        *,
        actor: str | None = None,
        clock: Clock = utc_now,
        permissions: frozenset[str] | None = None,
    ) -> None:
        self.folder = Path(folder).expanduser().resolve()
        self.actor = actor or default_actor()
        self.now = clock
        self.permissions = permissions
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(f"The workspace folder {self.folder} cannot be made: {error.strerror}.") from error
        path = self.folder / "snapml.db"
        try:
            migrate(path)
        except sqlite3.Error as error:
            raise UnavailableError(f"The workspace database {path} cannot be opened: {error}.") from error
        self.database = Database(path)
        self.blobs = FileBlobs(self.folder / "blobs")

    def __repr__(self) -> str:
        return f"Workspace({str(self.folder)!r}, actor={self.actor!r})"

    @property
    def location(self) -> str:
        """What SNAPML_WORKSPACE must say to come back here."""
        return str(self.folder)

    def acting_as(self, actor: str, permissions: frozenset[str] | None = None) -> Workspace:
        """The same workspace with another actor."""
        other = object.__new__(Workspace)
        other.__dict__.update(self.__dict__)
        other.actor, other.permissions = actor, permissions
        return other

    @contextmanager
    def transaction(self, wait_seconds: float | None = None) -> Iterator[Transaction]:
        """All writes of one change. Nested use joins the outer one. `wait_seconds`: for a lock; None is a minute."""
        with self.database.transaction(wait_seconds) as connection:
            yield Transaction(self, connection)

    def check_permission(self, permission: str, operation: str) -> None:
        """Raise PermissionDeniedError when the actor lacks the permission."""
        if self.permissions is not None and permission not in self.permissions:
            raise PermissionDeniedError(
                f"{self.actor} may not do {operation}: it needs the permission '{permission}'. Ask an administrator for it."
            )

    def call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        """Only remote workspaces dispatch."""
        raise SnapMLError(f"{operation.name} runs where the workspace is; {self.location} is local.")


AnyWorkspace = "Workspace | RemoteWorkspace"


def default_actor() -> str:
    """SNAPML_ACTOR, else the Hub user, else the login name."""
    import getpass

    named = settings.get("actor") or os.environ.get("JUPYTERHUB_USER")
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without an entry in the password file
        return f"uid-{os.getuid()}" if hasattr(os, "getuid") else "unknown"


def locate(start: Path | None = None) -> str:
    """Which workspace is meant here: SNAPML_WORKSPACE, else the nearest `.snapml/` upward, else the user's own."""
    named = settings.get("workspace")
    if named:
        return named
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / FOLDER_NAME).is_dir():
            return str(folder / FOLDER_NAME)
    from platformdirs import user_data_dir

    return user_data_dir("snapml", appauthor=False)


def open_workspace(location: str | Path | None = None, *, actor: str | None = None) -> Workspace | RemoteWorkspace:
    """Open a folder or a URL; None means the one that `locate` finds. A project folder means its `.snapml/`."""
    place = str(location) if location is not None else locate()
    if place.startswith(("http://", "https://")):
        from .remote import RemoteWorkspace

        return RemoteWorkspace(place)
    folder = Path(place).expanduser()
    if (folder / FOLDER_NAME).is_dir() and not (folder / "snapml.db").exists():
        folder = folder / FOLDER_NAME
    return Workspace(folder, actor=actor)
