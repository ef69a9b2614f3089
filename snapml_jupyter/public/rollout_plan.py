"""Shares, rates and rollouts as people write them: `10%`, `100/s`, `5,25,50,100`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..domain.errors import InvalidInputError
from ..domain.guards import read_guards
from ..domain.traffic import Arm, RolloutPlan
from ..figures import parse_duration

Share = str | float
#: How long a step of a rollout lasts unless it is said.
EVERY = "10m"
_PER = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def read_share(share: Share) -> float:
    """A part of the traffic: `10%`, `0.1` or 10 (percent, when above 1). Raises InvalidInputError.

    >>> read_share("10%"), read_share(0.25), read_share("5")
    (0.1, 0.25, 0.05)
    """
    text = str(share).strip()
    is_percent = text.endswith("%")
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        raise InvalidInputError(f"'{share}' is not a share of the traffic. Write it as 10% or 0.1.") from None
    value = value / 100 if is_percent or value > 1 else value
    if not 0.0 <= value <= 1.0:
        raise InvalidInputError(f"A share of the traffic lies between 0% and 100%; '{share}' does not.")
    return value


def read_steps(canary: Share | Sequence[Share]) -> list[float]:
    """Shares in order: `5,25,50,100`, `10%`, [0.05, 0.5]. In a list of several, whole numbers are percent."""
    parts = canary.split(",") if isinstance(canary, str) else [canary] if isinstance(canary, (int, float)) else canary
    words = [str(part).strip() for part in parts]
    if len(words) > 1 and not any("%" in word or "." in word for word in words):
        words = [f"{word}%" for word in words]
    return [read_share(word) for word in words]


def read_rate(rate: str | float) -> float:
    """Requests a second: `100/s`, `6000/m`, 100. Raises InvalidInputError.

    >>> read_rate("120/m"), read_rate(5)
    (2.0, 5.0)
    """
    number, _, per = str(rate).partition("/")
    try:
        value = float(number) / _PER[per.strip() or "s"]
    except (ValueError, KeyError):
        raise InvalidInputError(f"'{rate}' is not a rate. Write it as 100/s or 6000/m.") from None
    if not value > 0:
        raise InvalidInputError(f"A rate is above 0; '{rate}' is not.")
    return value


def read_plan(
    canary: Share | Sequence[Share],
    guards: str | Iterable[str] | None,
    every: str | float | None,
    min_requests: int | None = None,
) -> tuple[float, RolloutPlan | None]:
    """(share to begin with, the plan that raises it). One share without guards is no plan: people move it by hand.

    Steps that do not end with 100% get it as their last.
    """
    steps = read_steps(canary)
    if len(steps) == 1 and guards is None and every is None:
        return steps[0], None
    if steps[-1] < 1.0:
        steps.append(1.0)
    seconds = float(every) if isinstance(every, (int, float)) else parse_duration(every or EVERY)
    plan = RolloutPlan(
        steps=steps,
        every_seconds=seconds,
        guards=read_guards(guards or []),
        **({} if min_requests is None else {"min_requests": min_requests}),
    )
    return steps[0], plan


def read_arm(
    canary: Share | Sequence[Share] | None,
    shadow: bool,
    ab: Share | None,
    guards: str | Iterable[str] | None,
    every: str | float | None,
    min_requests: int | None = None,
) -> tuple[Arm, float, RolloutPlan | None]:
    """What a version is to be, its share to begin with, and the plan. Raises InvalidInputError for what excludes each other."""
    if sum((canary is not None, shadow, ab is not None)) > 1:
        raise InvalidInputError("A version is deployed as canary, shadow or one side of an A/B test: choose one.")
    if canary is not None:
        return (Arm.challenger, *read_plan(canary, guards, every, min_requests))
    if guards is not None or every is not None or min_requests is not None:
        raise InvalidInputError("Guards and steps belong to a canary: 5,25,50,100.")
    if ab is not None:
        return Arm.challenger, read_share(ab), None
    return (Arm.shadow if shadow else Arm.champion), 0.1, None


def read_shares(words: Iterable[str]) -> dict[str, float]:
    """Shares by version number: `v4=90 v5=10`. Raises InvalidInputError naming the word.

    >>> read_shares(["v4=90", "5=10%"])
    {'4': 0.9, '5': 0.1}
    """
    found: dict[str, float] = {}
    for word in words:
        version, separator, share = word.partition("=")
        if not separator or not version:
            raise InvalidInputError(f"'{word}' is not a version and its share. Write v4=90 v5=10.")
        found[version.removeprefix("v")] = read_share(f"{share.removesuffix('%')}%")
    return found


def read_workers(workers: str | int) -> tuple[int, int]:
    """The fewest and most workers: `1:4`, or 2 for just that many. Raises InvalidInputError.

    >>> read_workers("1:4"), read_workers(2)
    ((1, 4), (2, 2))
    """
    least, _, most = str(workers).partition(":")
    try:
        found = int(least), int(most or least)
    except ValueError:
        raise InvalidInputError(f"'{workers}' is not a number of workers. Write 2, or 1:4 for a range.") from None
    if not 1 <= found[0] <= found[1]:
        raise InvalidInputError(f"'{workers}': there is at least one worker, and the range does not fall.")
    return found


def read_changes(
    rate: str | float | None = None, workers: str | int | None = None, public: bool = False
) -> dict[str, Any] | None:
    """Settings of an endpoint that are given when a version is deployed; None for none."""
    changes: dict[str, Any] = {}
    if rate is not None:
        changes["rate_per_second"] = read_rate(rate)
    if workers is not None:
        changes["min_workers"], changes["max_workers"] = read_workers(workers)
    if public:
        changes["is_public"] = True
    return changes or None
