"""Is everything that was recorded still there and unchanged: the audit chain and every blob."""

from __future__ import annotations

from collections import defaultdict

from ..datasets.contents import columns_with, damaged_chunks, list_packs
from ..domain.errors import DamagedContentError
from ..domain.event import Problem, VerifyReport
from ..operations import operation
from ..runs.journals import check_journals
from ..store import audit, overview
from ..store.manifests import count_manifests, damaged_manifests
from ..store.workspace import Workspace


@operation(permission="workspace:read")
def verify(workspace: Workspace) -> VerifyReport:
    """Recompute the audit chain and the digest of every blob and chunk; report what is damaged or missing, by name.

    Reads every stored byte once and decompresses all rows.
    """
    n_entries, problems = audit.verify_chain(workspace.database)
    needed: dict[str, list[str]] = defaultdict(list)
    for reference in overview.list_blob_references(workspace.database):
        needed[reference.digest].append(f"{reference.role} of {reference.subject}")
    rows_of: dict[str, list[str]] = defaultdict(list)
    for ref, packs, n_missing in list_packs(workspace):
        for pack in packs:
            needed[pack].append(f"data of {ref}")
            rows_of[pack].append(ref)
        if n_missing:
            problems.append(
                Problem(
                    kind="missing", subject=ref, message=f"{n_missing} chunks of {ref} are in no blob that is kept."
                )
            )
    kept = set()
    for digest in workspace.blobs.digests():
        kept.add(digest)
        is_sound = True
        try:
            content = workspace.blobs.read(digest)
        except DamagedContentError:
            is_sound = False
            with workspace.blobs.open(digest) as file:
                content = file.read()
        chunks = damaged_chunks(content, digest) if digest in rows_of else set()
        if not is_sound or chunks:
            users = "; ".join(needed.get(digest, [])) or "nothing that is recorded"
            damage = f"It is the {users}."
            if chunks:
                damage = f"It holds {'; '.join(columns_with(workspace, rows_of[digest], chunks))}."
            problems.append(Problem(kind="damaged", subject=digest, message=f"Blob {digest[:12]} is damaged. {damage}"))
    for digest, roles in needed.items():
        if digest not in kept:
            problems.append(
                Problem(
                    kind="missing", subject=digest, message=f"Blob {digest[:12]} is missing: the {'; '.join(roles)}."
                )
            )
    for digest, refs in damaged_manifests(workspace.database):
        message = (
            f"Manifest {digest[:12]} is damaged. It holds the data of {', '.join(refs) or 'nothing that is recorded'}."
        )
        problems.append(Problem(kind="damaged", subject=digest, message=message))
    problems += check_journals(workspace)
    return VerifyReport(
        passed=not problems,
        n_audit_entries=n_entries,
        n_blobs=len(kept),
        n_small_tables=count_manifests(workspace.database),
        problems=problems,
    )
