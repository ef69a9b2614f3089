"""`%snap`, `%snap_runs`, `%snap_compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .registration import Call, all_magics, argument, line_magic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.event import WorkspaceStatus
    from .display import Table


class Overview:
    """Where am I: the status record, shown with what is newest, what is live, what is wrong, and the list of magics."""

    def __init__(self, status: WorkspaceStatus, parts: Sequence[Table]) -> None:
        self.status = status
        self._parts = parts

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from .display import Quiet, Table
        from .tables import workspace_status

        magics = Table(["magic", "what it does"], [(magic.written, Quiet(magic.summary)) for magic in all_magics()])
        shown = [workspace_status(self.status), *self._parts, magics]
        return {
            "text/html": "".join(part.to_html() for part in shown),
            "text/plain": "\n\n".join(part.to_plain() for part in shown),
        }


@line_magic("snap", examples=("%snap",))
def snap(call: Call) -> Any:
    """Where am I: the workspace, its newest runs, endpoints and open alerts, and the list of magics."""
    from ..domain.monitoring import AlertState
    from ..monitoring.monitors import list_alerts
    from ..public.current import status, workspace
    from ..runs.queries import list_runs
    from ..serving.deploying import list_endpoints
    from .tables import alerts, endpoints, runs

    here, found = workspace(), status()
    parts = [runs(list_runs(here, limit=5))]
    if found.n_endpoints:
        parts.append(endpoints(list_endpoints(here)))
    if found.n_open_alerts:
        parts.append(alerts(list_alerts(here, AlertState.open)))
    return Overview(found, parts)


@line_magic(
    "snap_runs",
    argument("name", nargs="?", metavar="NAME", help="only runs of this name"),
    argument(
        "--status", choices=["running", "finished", "failed", "cancelled", "interrupted"], help="only runs that are so"
    ),
    argument("--where", metavar="EXPR", help='only runs that meet it: "metrics.auc > 0.8 and params.depth = 6"'),
    argument("--sort", metavar="KEY", help='order: metrics.auc, "metrics.auc desc", -auc; without it newest first'),
    argument("--top-level", action="store_true", help="leave out runs inside of others, such as trials of a search"),
    argument("--limit", type=int, default=20, metavar="N", help="how many (20)"),
    examples=(
        "%snap_runs",
        '%snap_runs --where "metrics.auc > 0.7 and params.depth = 6" --sort -auc',
        "failed = %snap_runs --status failed --limit 5",
    ),
    completes={"name": "run"},
)
def snap_runs(
    call: Call,
    name: str | None,
    status: str | None,
    where: str | None,
    sort: str | None,
    top_level: bool,
    limit: int,
) -> Any:
    """Runs with their metrics, data and models: newest first, or by a condition and order of yours."""
    from ..domain.run import RunStatus
    from ..public.current import workspace
    from ..runs.queries import list_runs
    from ..runs.run_list import RunList

    wanted = RunStatus(status) if status else None
    return RunList(
        list_runs(workspace(), limit=limit, name=name, status=wanted, where=where, sort=sort, top_level=top_level)
    )


@line_magic(
    "snap_compare",
    argument("refs", nargs="+", metavar="RUN", help="two or more runs, by id or name"),
    examples=("%snap_compare depth-2 depth-8", "comparison = %snap_compare {runs[0].run_id} {runs[1].run_id}"),
    completes={"refs": "run"},
)
def snap_compare(call: Call, refs: list[str]) -> Any:
    """Runs side by side: params, metrics, data, environment, and what differs in their code."""
    from ..public.runs import compare

    return compare(*refs)
