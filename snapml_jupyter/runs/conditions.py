"""The little language of `snap.runs(where=..., sort=...)` and `%snap_runs --where ... --sort ...`.

`metrics.auc > 0.7 and name = 'late-flights' and params.solver != "saga"`, sorted by `metrics.auc desc`.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from ..domain.errors import InvalidInputError
from ..store.run_search import FIELDS, GROUPS, OPERATORS, RunCondition, RunKey, RunOrder

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<sign><=|>=|!=|<>|==|=|<|>)
      | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
      | (?P<word>[A-Za-z_](?:[\w./@:-]|`[^`]*`)*)
    )""",
    re.VERBOSE,
)
_CONDITION = re.compile(
    r"""(?P<key>[A-Za-z_](?:[\w./@:-]|`[^`]*`)*)\s*(?:<=|>=|!=|<>|==|=|<|>)\s*
        (?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s'"<>=!]+)?""",
    re.VERBOSE,
)
_PLAIN = re.compile(r"""'(?P<single>[^']*)'|"(?P<double>[^"]*)"|\S+""")
_BEGUN = tuple(f"{group}." for group in GROUPS)
_EXAMPLE = "Example: metrics.auc > 0.7 and name = 'late-flights'."


def parse_where(text: str | None) -> list[RunCondition]:
    """Conditions joined by `and`. Raises InvalidInputError that shows the place.

    Names that hold spaces stand in backquotes: metrics.`auc (test)`.

    >>> parse_where("metrics.auc >= 0.7")[0].value
    0.7
    """
    tokens = _tokens(text or "")
    conditions = []
    while tokens:
        if len(tokens) < 3:
            raise InvalidInputError(f"The condition {text!r} ends too early. {_EXAMPLE}")
        (kind, name), (sign_kind, sign), value = tokens[:3]
        if kind != "word" or sign_kind != "sign":
            raise InvalidInputError(
                f"In {text!r}, '{name} {sign}' is not a name and one of {', '.join(OPERATORS)}. {_EXAMPLE}"
            )
        conditions.append(RunCondition(key=_key(name), operator=_sign(sign), value=_value(*value)))
        tokens = tokens[3:]
        if tokens:
            joined = tokens.pop(0)
            if joined[0] != "word" or joined[1].lower() != "and" or not tokens:
                raise InvalidInputError(
                    f"In {text!r}, conditions are joined by 'and', not by '{joined[1]}'. {_EXAMPLE}"
                )
    return conditions


def parse_filter(text: str | None) -> tuple[list[str], list[RunCondition]]:
    """What a person types into a filter: words to look for, conditions, or both. Raises InvalidInputError.

    Quotes keep words together. A word with a sign of comparison behind it begins a condition.

    >>> words, conditions = parse_filter("late 'new york' metrics.auc > 0.8 and params.depth = 6")
    >>> words, [condition.key.name for condition in conditions]
    (['late', 'new york'], ['auc', 'depth'])
    """
    rest = (text or "").strip()
    words: list[str] = []
    conditions: list[str] = []
    between: str | None = None
    while rest:
        condition = _CONDITION.match(rest)
        found = condition or _PLAIN.match(rest)
        assert found is not None
        rest = rest[found.end() :].lstrip()
        if condition is not None:
            if between == "or":
                raise InvalidInputError(f"In {text!r}, conditions are joined by 'and', not by 'or'. {_EXAMPLE}")
            conditions.append(condition[0])
        else:
            word = found["double"] if found["single"] is None else found["single"]
            if word is None and (any(sign in found[0] for sign in "<>=") or found[0].startswith(_BEGUN)):
                parse_where(found[0])  # raises, and says what is missing
            words.append(word if word is not None else found[0])
        between = found[0].lower() if condition is None and conditions else None
    if conditions:
        words = [word for word in words if word.lower() != "and"]
    return [word for word in words if word], parse_where(" and ".join(conditions))


def parse_sort(text: str | None) -> RunOrder | None:
    """`metrics.auc`, `metrics.auc desc`, `-metrics.auc`, or `-auc` for short. Raises InvalidInputError.

    A bare name that is no field of runs is a metric.

    >>> parse_sort("metrics.auc desc").descending
    True
    """
    if not text or not text.strip():
        return None
    cleaned = text.strip()
    descending = cleaned.startswith("-")
    tokens = _tokens(cleaned.lstrip("-"))
    if len(tokens) == 2 and tokens[1][0] == "word" and tokens[1][1].lower() in ("asc", "desc"):
        descending = tokens.pop()[1].lower() == "desc"
    if len(tokens) != 1 or tokens[0][0] != "word":
        raise InvalidInputError(f"{text!r} is not an order. Examples: metrics.auc desc, started_at.")
    word = tokens[0][1]
    if "." not in word and word not in FIELDS and not get_close_matches(word, [*FIELDS, *GROUPS], n=1, cutoff=0.8):
        word = f"metrics.{word}"
    return RunOrder(key=_key(word), descending=descending)


def parse_key(text: str) -> RunKey:
    """`metrics.auc`, `params.depth`, `tags.owner` or a field. Raises InvalidInputError.

    >>> parse_key("metrics.auc (test)").name
    'auc (test)'
    """
    return _key(text)


def _tokens(text: str) -> list[tuple[str, str]]:
    if not isinstance(text, str):
        raise InvalidInputError(f"A condition is text, not {type(text).__name__}. {_EXAMPLE}")
    found: list[tuple[str, str]] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise InvalidInputError(f"In {text!r}, {text[position:].strip()[:30]!r} cannot be read. {_EXAMPLE}")
        found.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return found


def _key(word: str) -> RunKey:
    group, dot, name = word.partition(".")
    if dot and group in GROUPS and name:
        return RunKey(group=group, name=name.replace("`", ""))
    if not dot and group in FIELDS:
        return RunKey(group=None, name=group)
    close = get_close_matches(group, [*FIELDS, *GROUPS], n=1)
    hint = f" Did you mean '{close[0]}'?" if close and close[0] != group else ""
    raise InvalidInputError(
        f"Runs have no '{word}'.{hint} Use {', '.join(FIELDS)}, metrics.NAME, params.NAME or tags.NAME."
    )


def _sign(sign: str) -> str:
    return {"==": "=", "<>": "!="}.get(sign, sign)


def _value(kind: str, text: str) -> bool | int | float | str:
    if kind == "text":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if kind == "number":
        number = float(text)
        return (
            int(number) if number.is_integer() and abs(number) < 2**53 and re.fullmatch(r"[-+]?\d+", text) else number
        )
    if kind == "word":
        return {"true": True, "false": False}.get(text.lower(), text)
    raise InvalidInputError(f"'{text}' is not a value. Write a number, a quoted text, true or false. {_EXAMPLE}")
