"""Is everything that was recorded still there and unchanged: the audit chain and every blob."""

from __future__ import annotations

from collections import defaultdict

from ..datasets.contents import list_packs
from ..domain.errors import DamagedContentError
from ..domain.event import Problem, VerifyReport
from ..operations import operation
from ..store import audit, overview
from ..store.workspace import Workspace


@operation(permission="workspace:read")
def verify(workspace: Workspace) -> VerifyReport:
    """Recompute the audit chain and the digest of every blob; report what is damaged or missing, by name.

    Reads every stored byte once.
    """
    n_entries, problems = audit.verify_chain(workspace.database)
    needed: dict[str, list[str]] = defaultdict(list)
    for reference in overview.list_blob_references(workspace.database):
        needed[reference.digest].append(f"{reference.role} of {reference.subject}")
    for ref, packs, n_missing in list_packs(workspace):
        for pack in packs:
            needed[pack].append(f"data of {ref}")
        if n_missing:
            problems.append(
                Problem(
                    kind="missing", subject=ref, message=f"{n_missing} chunks of {ref} are in no blob that is kept."
                )
            )
    kept = set()
    for digest in workspace.blobs.digests():
        kept.add(digest)
        try:
            workspace.blobs.read(digest)
        except DamagedContentError:
            users = "; ".join(needed.get(digest, [])) or "nothing that is recorded"
            problems.append(
                Problem(kind="damaged", subject=digest, message=f"Blob {digest[:12]} is damaged. It is the {users}.")
            )
    for digest, roles in needed.items():
        if digest not in kept:
            problems.append(
                Problem(
                    kind="missing", subject=digest, message=f"Blob {digest[:12]} is missing: the {'; '.join(roles)}."
                )
            )
    return VerifyReport(passed=not problems, n_audit_entries=n_entries, n_blobs=len(kept), problems=problems)
