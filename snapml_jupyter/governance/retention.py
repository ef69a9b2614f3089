"""`gc`: remove what nothing refers to, while others go on writing.

First versions, when asked for (`keep`, `older_than_seconds`); then chunks that no version has, with the packs they fill;
then blobs that no row names. Every removal is decided again inside the write transaction that makes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from .. import settings
from ..datasets.contents import chunks_of_manifest
from ..domain.errors import DamagedContentError, InvalidInputError, NotFoundError
from ..domain.lineage import CleaningReport
from ..operations import operation
from ..runs.journals import remove_unfinished
from ..store import retention as kept
from ..store.blob_removal import is_young, list_left_aside, list_unfinished, set_aside
from ..store.manifests import remove_unused, size_of_manifests
from ..store.workspace import Workspace
from ..store.write_lock import alone

#: A pack is written anew when less of it than this is still needed.
_WORTH_KEEPING = 0.5
#: Blobs that are decided on in one transaction, so that others wait a moment only.
_AT_ONCE = 200


@dataclass
class _Found:
    """What one collection did, or would do."""

    versions: list[str] = field(default_factory=list)
    n_blobs: int = 0
    n_packs_rewritten: int = 0
    freed_bytes: int = 0
    n_kept_young: int = 0
    problems: list[str] = field(default_factory=list)


@operation(permission="workspace:clean", audited=True)
def collect_garbage(
    workspace: Workspace,
    dry_run: bool = True,
    keep: int | None = None,
    older_than_seconds: float | None = None,
) -> CleaningReport:
    """Remove what no version, run, model or endpoint refers to, or say what would be removed (`dry_run`).

    Without `keep` and `older_than_seconds` only what was left over goes: content of writes that were interrupted. With
    them also versions of datasets: all but the newest `keep`, those older than that; with both, what both say. Never the
    newest version of a dataset, nor one that a run, model, monitor, alias or other version refers to. What somebody is
    about to refer to stays: while a snapshot is being taken, everything that was written in the last `gc_grace_seconds`.
    Raises InvalidInputError for numbers below zero.
    """
    if keep is not None and keep < 1:
        raise InvalidInputError(f"--keep {keep}: at least the newest version of a dataset stays. Give 1 or more.")
    if older_than_seconds is not None and older_than_seconds < 0:
        raise InvalidInputError("--older-than is a time back from now, such as 30d.")
    grace = float(settings.get_int("gc_grace_seconds"))
    found = _Found()
    leaving = _leaving_versions(workspace, keep, older_than_seconds)
    if dry_run:
        found.versions = [version.ref for version in leaving]
    else:
        _settle_left_aside(workspace)
        remove_unfinished(workspace)
        leaving = _remove_versions(workspace, leaving, found)
    _clean_packs(workspace, leaving, grace, dry_run, found)
    _clean_blobs(workspace, leaving, grace, dry_run, found)
    if not dry_run:
        with workspace.transaction() as tx:
            found.freed_bytes += remove_unused(tx)
            tx.event("workspace.cleaned", "workspace", n_blobs=found.n_blobs, freed_bytes=found.freed_bytes)
    return CleaningReport(
        dry_run=dry_run,
        versions=found.versions,
        n_blobs=found.n_blobs,
        n_packs_rewritten=found.n_packs_rewritten,
        freed_bytes=found.freed_bytes,
        n_kept_young=found.n_kept_young,
        problems=found.problems,
    )


def _leaving_versions(
    workspace: Workspace, keep: int | None, older_than_seconds: float | None
) -> list[kept.StoredVersion]:
    if keep is None and older_than_seconds is None:
        return []
    before = None
    if older_than_seconds is not None:
        before = (workspace.now() - timedelta(seconds=older_than_seconds)).isoformat()
    referred = kept.list_referred(workspace.database)
    rank: dict[str, int] = {}
    leaving = []
    for version in kept.list_versions(workspace.database):
        rank[version.name] = rank.get(version.name, 0) + 1
        if keep is not None and rank[version.name] <= keep:
            continue
        if before is not None and version.created_at >= before:
            continue
        if (version.name, version.number) not in referred:
            leaving.append(version)
    return leaving


def _remove_versions(
    workspace: Workspace, leaving: list[kept.StoredVersion], found: _Found
) -> list[kept.StoredVersion]:
    removed = []
    for version in leaving:
        with workspace.transaction() as tx:
            if kept.remove_version(tx, version):
                removed.append(version)
    found.versions = [version.ref for version in removed]
    return removed


def _clean_packs(
    workspace: Workspace, leaving: list[kept.StoredVersion], grace: float, dry_run: bool, found: _Found
) -> None:
    gone = {version.ref for version in leaving}
    versions = [version for version in kept.list_versions(workspace.database) if version.ref not in gone]
    seen = {version.ref for version in versions}
    needed, readable = _chunks_of(workspace, versions, found)
    if not readable:
        return
    for pack in kept.list_packs(workspace.database):
        alive = [place for place in pack.places if place.digest in needed]
        n_alive = sum(place.length for place in alive)
        if alive and n_alive >= _WORTH_KEEPING * pack.size_bytes:
            continue
        if is_young(workspace.blobs.path(pack.digest), 0):
            found.n_kept_young += 1
            continue
        if not dry_run and not _remove_pack(workspace, pack, needed, seen, grace, found):
            continue
        found.freed_bytes += pack.size_bytes - n_alive
        found.n_packs_rewritten += bool(alive)
        found.n_blobs += not alive


def _remove_pack(
    workspace: Workspace, pack: kept.StoredPack, needed: set[str], seen: set[str], grace: float, found: _Found
) -> bool:
    """Remove a pack, its living chunks copied to another; false when somebody needs more of it by now."""
    from ..datasets.compaction import copy_chunks  # late, since it loads Arrow

    alive = [place for place in pack.places if place.digest in needed]
    copied = None
    if alive:
        try:
            copied = copy_chunks(workspace, alive)
        except (DamagedContentError, NotFoundError) as error:
            found.problems.append(str(error))
            return False
    aside: Path | None = None
    try:
        with alone(workspace.folder) as is_alone, workspace.transaction() as tx:
            new = [version for version in kept.list_versions(workspace.database) if version.ref not in seen]
            wanted, readable = _chunks_of(workspace, new, found)
            dead = {place.digest for place in pack.places} - {place.digest for place in alive}
            if not readable or wanted & dead:
                return False
            aside = set_aside(workspace.blobs, pack.digest, 0 if is_alone else grace)
            if aside is None and workspace.blobs.exists(pack.digest):
                found.n_kept_young += 1
                return False
            if copied is not None:
                kept.move_chunks(tx, *copied)
            kept.remove_pack(tx, pack.number)
    except BaseException:
        if aside is not None:
            aside.replace(workspace.blobs.path(pack.digest))
        raise
    if aside is not None:
        aside.unlink(missing_ok=True)
    return True


def _chunks_of(workspace: Workspace, versions: Iterable[kept.StoredVersion], found: _Found) -> tuple[set[str], bool]:
    """The chunks of those versions; false when a manifest cannot be read, so that nothing may be called unneeded."""
    needed: set[str] = set()
    for digest, ref in {version.manifest_digest: version.ref for version in versions}.items():
        try:
            needed.update(chunks_of_manifest(workspace, digest, ref))
        except (DamagedContentError, NotFoundError) as error:
            found.problems.append(f"No data was removed, since {ref} cannot be read: {error}")
            return needed, False
    return needed, True


def _clean_blobs(
    workspace: Workspace, leaving: list[kept.StoredVersion], grace: float, dry_run: bool, found: _Found
) -> None:
    referenced = kept.list_referenced_blobs(workspace.database)
    if dry_run:  # the rows of these versions are still there
        stay = {v.manifest_digest for v in kept.list_versions(workspace.database) if v not in leaving}
        stay |= {
            v.profile_digest for v in kept.list_versions(workspace.database) if v not in leaving and v.profile_digest
        }
        going = {digest for v in leaving for digest in (v.manifest_digest, v.profile_digest) if digest}
        referenced -= going - stay
        found.freed_bytes += size_of_manifests(workspace.database, going - stay)
    loose = [digest for digest in workspace.blobs.digests() if digest not in referenced]
    for start in range(0, len(loose), _AT_ONCE):
        aside: list[Path] = []
        with alone(workspace.folder) as is_alone, workspace.transaction():
            if not dry_run:
                referenced = kept.list_referenced_blobs(workspace.database)
            for digest in loose[start : start + _AT_ONCE]:
                _clean_blob(workspace, digest, referenced, 0 if is_alone else grace, dry_run, found, aside)
        for path in aside:
            path.unlink(missing_ok=True)
    for path in list_unfinished(workspace.blobs):
        found.freed_bytes += path.stat().st_size
        found.n_blobs += 1
        if not dry_run:
            path.unlink(missing_ok=True)


def _clean_blob(
    workspace: Workspace,
    digest: str,
    referenced: set[str],
    grace: float,
    dry_run: bool,
    found: _Found,
    aside: list[Path],
) -> None:
    if digest in referenced:
        return
    path = workspace.blobs.path(digest)
    if not path.exists():
        return
    if is_young(path, grace):
        found.n_kept_young += 1
        return
    size = path.stat().st_size
    if not dry_run:
        moved = set_aside(workspace.blobs, digest, grace)
        if moved is None:
            found.n_kept_young += 1
            return
        aside.append(moved)
    found.n_blobs += 1
    found.freed_bytes += size


def _settle_left_aside(workspace: Workspace) -> None:
    """Bring back what a collection that was killed had set aside though something refers to it; remove the rest."""
    with workspace.transaction():
        referenced = kept.list_referenced_blobs(workspace.database)
        for digest, path in list_left_aside(workspace.blobs):
            if digest in referenced and not workspace.blobs.exists(digest):
                path.replace(workspace.blobs.path(digest))
            else:
                path.unlink(missing_ok=True)
