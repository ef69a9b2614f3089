"""Comparing two outcomes: leaf by leaf, exactly first, then within a tolerance. Pure functions of what was recorded."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..capture.chance import without_chance
from ..domain.program import Difference

if TYPE_CHECKING:
    from ..capture.outcome import Outcome
    from ..domain.run import MetricPoint, ParamValue

#: Differences that a report lists; the others are counted.
MAX_DIFFERENCES = 100
#: Absolute difference below which two numbers near zero are the same.
_TINY = 1e-15
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]*\w)|(?<![\w.])[-+]?(?:nan|inf)\b")
_PROMPT = re.compile(r"^Out\[\d+\]: ", re.M)
#: As `cross_validate` gives them, printed.
_FIT_TIMES = re.compile(r"'(?:mean_|std_)?(?:fit|score)_time': (?:array\()?\[[^\]]*\]\)?")
_UNIT = r"(?:ns|us|µs|μs|ms|s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?)"
_DURATION = re.compile(
    rf"(?<![\w.])\d+(?:\.\d+)?(?:e[-+]?\d+)?\s*{_UNIT}\b(?:/\w+|\s+per\s+\w+)?|\b\d{{1,3}}:\d{{2}}(?::\d{{2}})?(?:\.\d+)?\b|"
    r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?\b|"
    r"(?i:\b(?:time|elapsed|took|duration|seconds|remaining|runtime)\b[^\d\n]{0,20})\d+(?:\.\d+)?(?:e[-+]?\d+)?(?:\s*"
    + _UNIT
    + r"\b)?"
)


@dataclass(slots=True)
class Comparison:
    """What was compared and what is not the same; `n_hidden` differences are beyond those that are listed."""

    differences: list[Difference] = field(default_factory=list)
    compared: dict[str, int] = field(default_factory=dict)
    not_compared: list[str] = field(default_factory=list)
    n_hidden: int = 0
    is_beyond: bool = False

    def add(self, difference: Difference) -> None:
        """One more difference."""
        self.is_beyond |= not difference.within_tolerance
        if len(self.differences) < MAX_DIFFERENCES:
            self.differences.append(difference)
        else:
            self.n_hidden += 1
            if not difference.within_tolerance:  # the worse ones are worth listing
                for place, kept in enumerate(self.differences):
                    if kept.within_tolerance:
                        self.differences[place] = difference
                        break

    def count(self, kind: str, n: int = 1) -> None:
        """So many things of a kind were compared."""
        if n:
            self.compared[kind] = self.compared.get(kind, 0) + n


def compare_params(
    comparison: Comparison,
    original: dict[str, ParamValue],
    replay: dict[str, ParamValue],
    tolerance: float,
    given: Sequence[str],
) -> None:
    """Params by name; those that the replay was given otherwise are left out."""
    for name in sorted({*original, *replay} - set(given)):
        comparison.count("params")
        one, other = original.get(name, _NONE), replay.get(name, _NONE)
        _compare_values(comparison, f"param {name}", one, other, tolerance)


def compare_metrics(
    comparison: Comparison,
    original: Sequence[MetricPoint],
    replay: Sequence[MetricPoint],
    tolerance: float,
    clock: set[str],
) -> None:
    """Every point of every metric by name and step."""
    sides = [{(p.name, p.step): p.value for p in points if p.name not in clock} for points in (original, replay)]
    comparison.count("metrics", len(sides[0]))
    steps = {name for name, step in sides[0] if step}
    for name, step in sorted({*sides[0], *sides[1]}):
        what = f"metric {name}" + (f" (step {step})" if name in steps else "")
        one, other = sides[0].get((name, step), _NONE), sides[1].get((name, step), _NONE)
        _compare_values(comparison, what, one, other, tolerance)
    comparison.not_compared += [
        f"metric {name}: reads the clock" for name in sorted(clock & {p.name for p in original})
    ]


def compare_outcomes(comparison: Comparison, original: Outcome, replay: Outcome, tolerance: float) -> None:
    """What the cells left behind. A leaf that only the replay has counts when its variable is the original's."""
    leaves, others = original.expanded(), replay.expanded()
    names = {_variable(path) for path in leaves}
    for path, leaf in leaves.items():
        other = others.get(path)
        if other is None:
            if replay.is_cut:
                continue
            comparison.add(Difference(what=path, original=_shown(leaf), replay="not there"))
        elif leaf[0] == "array" and other[0] == "array":
            _compare_arrays(comparison, path, leaf[1], other[1], original, replay, tolerance)
        elif leaf[0] in ("number", "text") and other[0] in ("number", "text"):
            _compare_values(comparison, path, _plain(leaf), _plain(other), tolerance)
        elif leaf != other:
            comparison.add(Difference(what=path, original=_shown(leaf), replay=_shown(other)))
    if not original.is_cut:
        for path, leaf in others.items():
            if path not in leaves and _variable(path) in names:
                comparison.add(Difference(what=path, original="not there", replay=_shown(leaf)))
    comparison.count("values", len(names))
    comparison.not_compared += original.not_compared
    comparison.not_compared += [f"{name}: reads the clock" for name in original.clock]
    if original.is_cut:
        comparison.not_compared.append("parts of what the cell left: there are too many")


def compare_texts(
    comparison: Comparison, what: str, original: str, replay: str, tolerance: float, masks_durations: bool
) -> None:
    """What was printed. Addresses are left out, and durations and times where the cell reads a clock."""
    comparison.count("outputs")
    sides = [_masked(text, masks_durations) for text in (original, replay)]
    if sides[0] == sides[1]:
        return
    lines = [side.splitlines() for side in sides]
    if len(lines[0]) != len(lines[1]):
        comparison.add(Difference(what=what, original=f"{len(lines[0])} lines", replay=f"{len(lines[1])} lines"))
    for number, (one, other) in enumerate(zip(*lines, strict=False), 1):
        if one != other:
            _compare_lines(comparison, f"{what} line {number}", one, other, tolerance)


def _compare_lines(comparison: Comparison, what: str, one: str, other: str, tolerance: float) -> None:
    numbers = [_NUMBER.findall(text) for text in (one, other)]
    words = [_NUMBER.sub("#", text).split() for text in (one, other)]
    if words[0] != words[1] or len(numbers[0]) != len(numbers[1]):
        comparison.add(Difference(what=what, original=_short(one), replay=_short(other)))
        return
    worst = 0.0
    for left, right in zip(*numbers, strict=True):
        worst = max(worst, relative(float(left), float(right)))
    # A printed number is rounded: that two of them differ shows a difference that may be far smaller than it looks, but
    # nothing says so. It counts as what it shows.
    comparison.add(
        Difference(
            what=what, original=_short(one), replay=_short(other), relative=worst, within_tolerance=worst <= tolerance
        )
    )


def _masked(text: str, durations: bool) -> str:
    text = _FIT_TIMES.sub("<times>", text)
    text = _PROMPT.sub("Out: ", without_chance(text))
    if durations:
        text = _DURATION.sub("<time>", text)
        text = re.sub(r"[ \t]+", " ", text)
    return text.strip()


_NONE = object()


def _compare_values(comparison: Comparison, what: str, one: Any, other: Any, tolerance: float) -> None:
    if one is _NONE or other is _NONE:
        sides = ["not there" if value is _NONE else _text(value) for value in (one, other)]
        comparison.add(Difference(what=what, original=sides[0], replay=sides[1]))
        return
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other))
    if isinstance(one, str) and isinstance(other, str):
        one, other = without_chance(one), without_chance(other)
    if one == other and type(one) is type(other):
        return
    if numbers:
        if math.isnan(one) and math.isnan(other):
            return
        if one == other:  # 1 and 1.0
            comparison.add(
                Difference(what=what, original=_text(one), replay=_text(other), relative=0.0, within_tolerance=True)
            )
            return
        far = relative(float(one), float(other))
        near = far <= tolerance or abs(one - other) <= _TINY
        comparison.add(
            Difference(what=what, original=_text(one), replay=_text(other), relative=far, within_tolerance=near)
        )
        return
    comparison.add(Difference(what=what, original=_text(one), replay=_text(other)))


def relative(one: float, other: float) -> float:
    """The difference relative to the larger side; infinite when one of them is no finite number.

    >>> relative(2.0, 1.0)
    0.5
    """
    if one == other or (math.isnan(one) and math.isnan(other)):
        return 0.0
    if not (math.isfinite(one) and math.isfinite(other)):
        return math.inf
    return abs(one - other) / max(abs(one), abs(other))


def _compare_arrays(
    comparison: Comparison,
    path: str,
    one: dict[str, Any],
    other: dict[str, Any],
    original: Outcome,
    replay: Outcome,
    tolerance: float,
) -> None:
    import numpy as np

    if one["dtype"] == other["dtype"] and one["shape"] == other["shape"] and one["digest"] == other["digest"]:
        return
    said = [f"{side['dtype']} of shape {side['shape']}" for side in (one, other)]
    if one["shape"] != other["shape"] or one["dtype"][1:2] != other["dtype"][1:2]:
        comparison.add(Difference(what=path, original=said[0], replay=said[1]))
        return
    if one["place"] is None or other["place"] is None:
        comparison.add(Difference(what=path, original=said[0], replay=f"{said[1]}, other values"))
        return
    left = np.frombuffer(original.arrays[one["place"]], dtype=one["dtype"])
    right = np.frombuffer(replay.arrays[other["place"]], dtype=other["dtype"])
    far, place = _farthest(left, right)
    worst = Difference(
        what=f"{path} at {place} of {left.size}",
        original=_text(left[place].item()),
        replay=_text(right[place].item()),
        relative=far,
        within_tolerance=far <= tolerance and one["dtype"] == other["dtype"],
    )
    comparison.add(worst)


def _farthest(left: Any, right: Any) -> tuple[float, int]:
    """The largest difference relative to the array's own size, and where it is."""
    import numpy as np

    with np.errstate(all="ignore"):
        one, other = left.astype("complex128" if left.dtype.kind == "c" else "float64"), None
        other = right.astype(one.dtype)
        both_nan = np.isnan(one) & np.isnan(other)
        same = (one == other) | both_nan
        finite = np.isfinite(one) & np.isfinite(other)
        largest = np.where(finite, np.maximum(np.abs(one), np.abs(other)), 0.0)
        # Entries that are rounding errors of zero are measured against what is usual in the array.
        scale = np.maximum(largest, np.sqrt(np.mean(np.square(largest))) if largest.size else 0.0)
        far = np.where(same, 0.0, np.where(finite, np.abs(one - other) / np.where(scale > 0, scale, 1.0), np.inf))
    place = int(np.argmax(far))
    return float(far[place]), place


def _plain(leaf: list[Any]) -> Any:
    kind, value = leaf
    if kind == "number" and isinstance(value, str):
        return float(value)
    return value


def _variable(path: str) -> str:
    return re.split(r"[.\[#(]", path, maxsplit=1)[0]


def _shown(leaf: list[Any]) -> str:
    kind, value = leaf
    if kind == "array":
        return f"{value['dtype']} of shape {value['shape']}"
    if kind == "digest":
        return f"{value[0]} bytes ({value[1][:8]})"
    return _text(value)


def _text(value: Any) -> str:
    return _short(value if isinstance(value, str) else repr(value))


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:199] + "…"


def worst_first(differences: Sequence[Difference]) -> Iterator[Difference]:
    """Differences beyond the tolerance first: metrics, then by how far apart."""
    yield from sorted(
        differences,
        key=lambda d: (
            d.within_tolerance,
            not d.what.startswith(("metric", "param", "status", "error")),
            -(d.relative if d.relative is not None else math.inf),
        ),
    )
