"""A drift report that shows itself: JSON, a page of its own, a table in a notebook."""

from __future__ import annotations

from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import wire
from ..domain.errors import InvalidInputError
from ..domain.monitoring import ColumnDrift, DriftStatus
from ..domain.monitoring import DriftReport as DriftRecord

if TYPE_CHECKING:
    import pandas

#: Works on light and dark pages: colours come from the page, emphasis from weight and a bar.
_STYLE = """
.snapml-drift { font: inherit; border-collapse: collapse; }
.snapml-drift th, .snapml-drift td { padding: 0.2em 0.8em 0.2em 0; text-align: left; border-bottom: 1px solid rgba(128, 128, 128, 0.35); }
.snapml-drift td.number { text-align: right; font-variant-numeric: tabular-nums; }
.snapml-drift tr.drifted td { font-weight: 600; }
.snapml-drift tr.unjudged td { opacity: 0.65; }
.snapml-drift .bar { display: inline-block; width: 6em; height: 0.6em; background: rgba(128, 128, 128, 0.25); }
.snapml-drift .bar span { display: block; height: 100%; background: currentColor; }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<style>:root {{ color-scheme: light dark; }} body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2em; }}</style></head>
<body><h1>{title}</h1>
{body}
</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DriftReport(DriftRecord):
    """Reference against current, column by column, as `snap.drift` gives it.

    `.columns`, `.prediction`, `.drifted_columns` and `.drifted_fraction` as in the record that is kept.
    """

    @classmethod
    def of(cls, record: DriftRecord) -> DriftReport:
        """The same report with ways to show it."""
        return cls(**{field.name: getattr(record, field.name) for field in fields(DriftRecord)})

    @property
    def headline(self) -> str:
        """One sentence: how many columns drifted, worst first."""
        moved, judged = self.drifted_columns, [c for c in self.columns if c.status in _JUDGED]
        if not judged:
            return "No column could be judged."
        if not moved:
            return f"None of {len(judged)} columns drifted."
        named = ", ".join(moved[:5]) + (", ..." if len(moved) > 5 else "")
        return f"{len(moved)} of {len(judged)} columns drifted: {named}."

    def to_json(self, path: str | Path | None = None) -> str:
        """The report as JSON text, also written to `path` when one is given. Raises InvalidInputError."""
        text = wire.encode_json(self).decode()
        if path is not None:
            _write(path, text)
        return text

    def to_html(self, path: str | Path | None = None) -> str:
        """The report as one HTML page without outside references, also written to `path` when one is given.

        Raises InvalidInputError when the file cannot be written.
        """
        title = escape(f"Drift from {self.reference} to {self.current}")
        page = _PAGE.format(title=title, body=self._repr_html_())
        if path is not None:
            _write(path, page)
        return page

    def to_pandas(self) -> pandas.DataFrame:
        """One row per column of the report."""
        import pandas as pd

        names = [field.name for field in fields(ColumnDrift)]
        rows = [[getattr(column, name) for name in names] for column in self._rows()]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=names)
        frame["status"] = [column.status.value for column in self._rows()]
        return frame

    def __repr__(self) -> str:
        lines = [f"DriftReport({self.reference} -> {self.current}): {self.headline}"]
        width = max((len(column.name) for column in self._rows()), default=0)
        for column in self._rows():
            score = "" if column.score is None else f"{column.score:.3g} (threshold {column.threshold:.3g})"
            why = f"  {column.reason}" if column.reason else ""
            lines.append(f"  {column.name:<{width}}  {column.status.value:<15} {column.measure:<16} {score}{why}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(
            f"<th>{title}</th>"
            for title in ("column", "verdict", "measure", "score", "", "threshold", "mean", "missing", "why")
        )
        rows = "\n".join(_row(column) for column in self._rows())
        summary = escape(
            f"{self.headline} {self.n_reference_rows:,} rows of {self.reference} against "
            f"{self.n_current_rows:,} of {self.current}."
        )
        return (
            f"<style>{_STYLE}</style><p>{summary}</p>\n"
            f'<table class="snapml-drift"><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>'
        )

    def _rows(self) -> list[ColumnDrift]:
        """The prediction first, then drifted columns, then the others, worst first."""
        order = sorted(self.columns, key=lambda c: (not c.drifted, c.score is None, -_ratio(c)))
        return [*([self.prediction] if self.prediction else []), *order]


_JUDGED = (DriftStatus.stable, DriftStatus.drifted)


def _ratio(column: ColumnDrift) -> float:
    return (column.score or 0.0) / column.threshold if column.threshold else 0.0


def _row(column: ColumnDrift) -> str:
    kind = "drifted" if column.drifted else ("" if column.status in _JUDGED else "unjudged")
    filled = min(_ratio(column) / 2, 1.0)  # half the bar is the threshold
    bar = f'<span class="bar"><span style="width: {filled:.0%}"></span></span>' if column.score is not None else ""
    cells = [
        f"<td>{escape(column.name)}</td>",
        f"<td>{escape(column.status.value.replace('_', ' '))}</td>",
        f"<td>{escape(column.measure)}</td>",
        f'<td class="number">{_number(column.score)}</td>',
        f"<td>{bar}</td>",
        f'<td class="number">{_number(column.threshold) if column.score is not None else ""}</td>',
        f'<td class="number">{_change(column.reference_mean, column.current_mean, _number)}</td>',
        f'<td class="number">{_change(column.reference_null_fraction, column.current_null_fraction, _percent)}</td>',
        f"<td>{escape(column.reason or '')}</td>",
    ]
    return f'<tr class="{kind}">{"".join(cells)}</tr>'


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _change(before: float | None, now: float | None, shown: Any) -> str:
    if before is None or now is None:
        return ""
    return str(shown(before)) if shown(before) == shown(now) else f"{shown(before)} → {shown(now)}"


def _write(path: str | Path, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"The report cannot be written to {path}: {error.strerror}.") from error
