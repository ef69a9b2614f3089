"""How runs are shown side by side."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from ..domain.run_comparison import ComparedValue, RunComparison
from ..figures import duration
from .display import Quiet, Shown, Stacked, Status, Table, folded_code

_COLOURS = {
    "+": "var(--jp-success-color1,#2e7d32)",
    "-": "var(--jp-error-color1,#c62828)",
    "@": "var(--jp-ui-font-color2,#757575)",
}


@dataclass(frozen=True, repr=False)
class CodeDifference(Shown):
    """Lines of a unified diff, coloured."""

    title: str
    lines: list[str]

    def to_html(self) -> str:
        body = "\n".join(
            f'<span style="color:{_COLOURS[line[0]]}">{escape(line)}</span>'
            if line[:1] in _COLOURS and not line.startswith(("+++", "---"))
            else escape(line)
            for line in self.lines
        )
        return folded_code(self.title, body, is_open=True)

    def to_plain(self) -> str:
        return "\n".join([self.title, *self.lines])


def run_comparison(found: RunComparison) -> Shown:
    """Runs as columns: metrics, then what they differ in, then how the code of each differs from the first's."""
    headers = ["", *(run.name for run in found.runs)]
    about: list[tuple[Any, ...]] = [
        (Quiet("id"), *(Quiet(run.run_id) for run in found.runs)),
        (Quiet("status"), *(Status(run.status.value) for run in found.runs)),
        (Quiet("took"), *(duration(run.duration_seconds) for run in found.runs)),
    ]
    differing = [value for value in found.params if value.differs]
    same = len(found.params) - len(differing)
    data = [(given.variable, *given.dataset_refs) for given in found.inputs]
    environment = [value for value in found.environment if value.differs]
    tables: list[Shown] = [Table(headers, [*about, *_rows(found.metrics)], "")]
    if differing or same:
        title = f"params ({same} more are the same)" if same else "params"
        tables.append(Table(headers, _rows(differing), "No param differs.", title=title))
    if data:
        tables.append(Table(headers, data, "", title="data"))
    if environment:
        tables.append(Table(headers, _rows(environment), "", title="environment"))
    for run, diff in zip(found.runs[1:], found.code, strict=True):
        if diff.lines:
            title = f"code of {run.name} beside {found.runs[0].name}: +{diff.n_added} -{diff.n_removed}"
            tables.append(CodeDifference(title, diff.lines))
    return Stacked(tables)


def _rows(values: list[ComparedValue]) -> list[tuple[Any, ...]]:
    return [(value.name, *value.values) for value in values]
