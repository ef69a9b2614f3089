"""Where am I: the workspace and how much is in it."""

from __future__ import annotations

from ..domain.event import AuditEntry, Event, WorkspaceStatus
from ..operations import operation
from ..store import audit, events, overview
from ..store.workspace import Workspace
from ..version import __version__


@operation(permission="workspace:read")
def get_status(workspace: Workspace) -> WorkspaceStatus:
    """Count what the workspace has. Cheap: indexes and one file size."""
    return WorkspaceStatus(
        location=workspace.location,
        actor=workspace.actor,
        version=__version__,
        last_event_id=events.last_event_id(workspace.database),
        size_bytes=(workspace.folder / "snapml.db").stat().st_size,
        **overview.count_nouns(workspace.database),
    )


@operation(permission="workspace:read")
def list_events(workspace: Workspace, after: int = 0, limit: int = 500) -> list[Event]:
    """Events with an id above `after`, oldest first; the cursor is the last id seen."""
    return events.list_events(workspace.database, after=after, limit=min(limit, 5000))


@operation(permission="audit:read")
def list_audit_entries(workspace: Workspace, subject: str | None = None, limit: int = 100) -> list[AuditEntry]:
    """The newest audit entries first, of one subject or all."""
    return audit.list_entries(workspace.database, subject=subject, limit=min(limit, 5000))
