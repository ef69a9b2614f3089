"""How records look in a cell: one small set of parts, as quiet HTML for notebooks and as text for terminals.

The HTML carries its style inline and takes its colours from JupyterLab's variables, with fallbacks, so that it reads in
light and dark, in nbconvert, VS Code and on GitHub.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from html import escape
from typing import Any

from .. import figures

_TEXT = "color:var(--jp-ui-font-color1,inherit)"
_QUIET = "color:var(--jp-ui-font-color2,#616161)"
_LINE = "var(--jp-border-color2,#bdbdbd55)"
_FONT = "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.45"
_BARS = "▁▂▃▄▅▆▇█"
#: Shape, colour: never colour alone.
_MARKS = {
    "finished": ("●", "var(--jp-success-color1,#388e3c)"),
    "live": ("●", "var(--jp-success-color1,#388e3c)"),
    "stable": ("●", "var(--jp-success-color1,#388e3c)"),
    "resolved": ("●", "var(--jp-success-color1,#388e3c)"),
    "running": ("◐", "var(--jp-brand-color1,#1976d2)"),
    "starting": ("◐", "var(--jp-brand-color1,#1976d2)"),
    "queued": ("◌", "var(--jp-ui-font-color2,#616161)"),
    "passed": ("●", "var(--jp-success-color1,#388e3c)"),
    "added": ("+", "var(--jp-success-color1,#388e3c)"),
    "removed": ("−", "var(--jp-error-color1,#d32f2f)"),
    "changed": ("~", "var(--jp-warn-color1,#f57c00)"),
    "identical": ("●", "var(--jp-success-color1,#388e3c)"),
    "equivalent": ("●", "var(--jp-success-color1,#388e3c)"),
    "different": ("✕", "var(--jp-error-color1,#d32f2f)"),
    "not replayable": ("▲", "var(--jp-warn-color1,#f57c00)"),
    "failed": ("✕", "var(--jp-error-color1,#d32f2f)"),
    "drifted": ("▲", "var(--jp-warn-color1,#f57c00)"),
    "open": ("▲", "var(--jp-warn-color1,#f57c00)"),
    "cancelled": ("■", "var(--jp-ui-font-color2,#616161)"),
    "interrupted": ("■", "var(--jp-ui-font-color2,#616161)"),
    "retired": ("■", "var(--jp-ui-font-color2,#616161)"),
}


@dataclass(frozen=True, slots=True)
class Status:
    """A state word with its mark."""

    word: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """A value in secondary colour."""

    value: Any


class Shown(ABC):
    """Something with `to_html` and `to_plain`, which IPython displays by itself."""

    @abstractmethod
    def to_html(self) -> str:
        """HTML with inline style."""

    @abstractmethod
    def to_plain(self) -> str:
        """Plain text."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.to_html(), "text/plain": self.to_plain()}

    def __repr__(self) -> str:
        return self.to_plain()


@dataclass(frozen=True, repr=False)
class Table(Shown):
    """Rows under headings; `empty` is the sentence for no rows."""

    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str = "Nothing here yet."
    title: str | None = None

    def to_html(self) -> str:
        title = f'<div style="{_QUIET};padding:2px 0">{escape(self.title)}</div>' if self.title else ""
        if not self.rows:
            return f'<div style="{_FONT};{_QUIET}">{title}{escape(self.empty)}</div>'
        right = self._numeric()
        cell = (
            "padding:2px 12px 2px 0;border:0;vertical-align:top;background:none;max-width:420px;overflow-wrap:anywhere"
        )
        head = "".join(
            f'<th scope="col" style="{cell};{_QUIET};font-weight:500;text-align:{"right" if r else "left"}">{escape(h)}</th>'
            for h, r in zip(self.headers, right, strict=True)
        )
        body = "".join(
            f'<tr style="background:none;border-top:1px solid {_LINE}">'
            + "".join(
                f'<td style="{cell};text-align:{"right" if r else "left"};font-variant-numeric:tabular-nums">{html(v)}</td>'
                for v, r in zip(row, right, strict=True)
            )
            + "</tr>"
            for row in self.rows
        )
        return (
            f'<div style="{_FONT};{_TEXT};overflow-x:auto">{title}<table style="border-collapse:collapse;border:0;margin:0;font:inherit;color:inherit">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def to_plain(self) -> str:
        lines = [self.title] if self.title else []
        if not self.rows:
            return "\n".join([*lines, self.empty])
        cells = [[plain(value) for value in row] for row in self.rows]
        widths = [max(len(header), *(len(row[i]) for row in cells)) for i, header in enumerate(self.headers)]
        right = self._numeric()
        for row in [[header.upper() for header in self.headers], *cells]:
            parts = [v.rjust(w) if r else v.ljust(w) for v, w, r in zip(row, widths, right, strict=True)]
            lines.append("  ".join(parts).rstrip())
        return "\n".join(lines)

    def _numeric(self) -> list[bool]:
        """Which columns hold numbers only, and so stand to the right."""
        found = []
        for column in zip(*self.rows, strict=True):
            values = [value for value in column if value is not None]
            found.append(bool(values) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values))
        return found or [False] * len(self.headers)


def folded_code(title: str, lines: str, *, is_open: bool = False) -> str:
    """Lines of code (HTML already) below a title that opens and closes them."""
    return (
        f'<details{" open" if is_open else ""}><summary>{escape(title)}</summary><pre style="margin:0;overflow-x:auto;'
        f'font:12px/1.4 var(--jp-code-font-family,monospace)">{lines}</pre></details>'
    )


@dataclass(frozen=True, repr=False)
class Stacked(Shown):
    """Tables one below the other."""

    tables: Sequence[Shown]

    def to_html(self) -> str:
        return "".join(f'<div style="padding-bottom:8px">{table.to_html()}</div>' for table in self.tables)

    def to_plain(self) -> str:
        return "\n\n".join(table.to_plain() for table in self.tables)


@dataclass(frozen=True, repr=False)
class Card(Shown):
    """One thing: a heading, a state, facts, big numbers, warnings, and a table below when there is one."""

    title: str
    subtitle: str = ""
    status: Status | None = None
    facts: Sequence[tuple[str, Any]] = ()
    numbers: dict[str, float] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    table: Shown | None = None
    #: Of some of the numbers, how they came about.
    curves: dict[str, Sequence[float]] = field(default_factory=dict)

    def to_html(self) -> str:
        state = f" {html(self.status)}" if self.status else ""
        parts = [
            f'<div><span style="font-weight:600">{escape(self.title)}</span>{state} '
            f'<span style="{_QUIET}">{escape(self.subtitle)}</span></div>'
        ]
        if self.numbers:
            parts.append(
                '<div style="display:flex;flex-wrap:wrap;gap:2px 18px;padding:2px 0">'
                + "".join(
                    f'<span><span style="{_QUIET}">{escape(name)}</span> '
                    f'<span style="font-weight:600;font-variant-numeric:tabular-nums">{plain(float(value))}</span>{self._curve_html(name)}</span>'
                    for name, value in list(self.numbers.items())[:12]
                )
                + "</div>"
            )
        for name, value in self._facts():
            parts.append(
                f'<div style="display:flex;gap:8px"><span style="{_QUIET};flex:0 0 72px">{escape(name)}</span>'
                f'<span style="overflow-wrap:anywhere">{html(value)}</span></div>'
            )
        for warning in self.warnings:
            parts.append(
                f'<div role="note"><span style="color:var(--jp-warn-color1,#f57c00)">▲</span> {escape(warning)}</div>'
            )
        scroll = "" if self.table else "max-height:190px;overflow-y:auto;"
        below = f'<div style="padding-top:4px">{self.table.to_html()}</div>' if self.table else ""
        return (
            f'<div style="{_FONT};{_TEXT};{scroll}border-left:3px solid {self._colour()};padding:2px 0 2px 10px">'
            f"{''.join(parts)}{below}</div>"
        )

    def to_plain(self) -> str:
        lines = ["  ".join(p for p in (self.title, plain(self.status) if self.status else "", self.subtitle) if p)]
        shown = list(self._facts())
        if self.numbers:
            listed = [f"{n} {plain(float(v))} {self._curve(n)}".rstrip() for n, v in list(self.numbers.items())[:12]]
            shown.insert(0, ("metrics", "  ".join(listed)))
        width = max((len(name) for name, _ in shown), default=0)
        lines += [f"  {name.ljust(width)}  {plain(value)}" for name, value in shown]
        lines += [f"  ▲ {warning}" for warning in self.warnings]
        if self.table:
            lines += ["", self.table.to_plain()]
        return "\n".join(lines)

    def _facts(self) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in self.facts if value not in (None, "", [], {}, ())]

    def _curve(self, name: str) -> str:
        return sparkline(self.curves[name]) if name in self.curves else ""

    def _curve_html(self, name: str) -> str:
        bars = self._curve(name)
        # Hidden from screen readers, to which the bars would be a row of nonsense; the number stands beside it.
        return f' <span aria-hidden="true" style="{_QUIET};letter-spacing:-1px">{bars}</span>' if bars else ""

    def _colour(self) -> str:
        return _MARKS.get(self.status.word, ("", _LINE))[1] if self.status else _LINE


def plain(value: Any) -> str:
    """A value as text: metrics to 4 significant digits, times as age, thousands apart by a thin space."""
    if value is None:
        return "-"
    if isinstance(value, Quiet):
        return plain(value.value)
    if isinstance(value, Status):
        return f"{_MARKS.get(value.word, ('○', ''))[0]} {value.word}"
    if isinstance(value, datetime):
        return f"{figures.age(value)} ago"
    if isinstance(value, dict):
        return "  ".join(f"{key} {plain(item)}" for key, item in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value) or "-"
    return figures.show(value)


def sparkline(values: Sequence[float], width: int = 16) -> str:
    """Numbers over their order as a word of bars, where no picture can be drawn.

    >>> sparkline([3.0, 2.0, 1.0, 1.0])
    '█▄▁▁'
    """
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return ""
    chosen = (
        [finite[round(i * (len(finite) - 1) / (width - 1))] for i in range(width)] if len(finite) > width else finite
    )
    low, high = min(finite), max(finite)
    span = high - low
    if not 0 < span < math.inf:
        return _BARS[0] * len(chosen)
    return "".join(_BARS[round((value - low) / span * (len(_BARS) - 1))] for value in chosen)


def html(value: Any) -> str:
    """A value as HTML: as `plain`, with marks coloured and the exact UTC time on hover."""
    if isinstance(value, Status):
        mark, colour = _MARKS.get(value.word, ("○", "currentColor"))
        return (
            f'<span style="white-space:nowrap"><span style="color:{colour}">{mark}</span> {escape(value.word)}</span>'
        )
    if isinstance(value, Quiet):
        return f'<span style="{_QUIET}">{html(value.value)}</span>'
    if isinstance(value, datetime):
        exact = value.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f'<span title="{exact}" style="{_QUIET};white-space:nowrap">{escape(plain(value))}</span>'
    if isinstance(value, str) and "\n" in value:
        return f'<span style="white-space:pre-wrap">{escape(value)}</span>'
    return escape(plain(value))
