"""Reading what stands behind a magic: options, quoting, `{expressions}`, with sentences for what cannot be understood."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, NoReturn

from ..domain.errors import InvalidInputError

_EXPRESSION = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


class MagicParser(argparse.ArgumentParser):
    """An argument parser whose errors are sentences naming the magic and what it takes."""

    def __init__(self, written: str, summary: str) -> None:
        super().__init__(prog=written, description=summary, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise InvalidInputError(f"{self.prog}: {message}. Usage: {self.usage_line()}")

    def usage_line(self) -> str:
        """The call on one line."""
        return " ".join(self.format_usage().removeprefix("usage: ").split())

    def option_names(self) -> list[str]:
        """The options, by their long names where they have one."""
        return [max(action.option_strings, key=len) for action in self._actions if action.option_strings]

    def explain(self) -> str:
        """One line for each argument."""
        lines = []
        for action in self._actions:
            shown = ", ".join(action.option_strings) or str(action.metavar or action.dest)
            if action.option_strings and action.nargs != 0:
                shown += f" {action.metavar or action.dest.upper()}"
            lines.append(f"    {shown.ljust(26)} {action.help}")
        return "\n".join(lines)

    def read(self, line: str, namespace: Mapping[str, Any]) -> argparse.Namespace:
        """The arguments of a line, with each `{expression}` replaced by its value in the notebook.

        Raises InvalidInputError for an unknown option (with the list), a wrong value or a failing expression.
        """
        words = [interpolate(word, namespace, self.prog) for word in split(line, self.prog)]
        found, rest = self.parse_known_args(self._with_values(words))
        unknown = [word for word in rest if word.startswith("-")]
        if unknown:
            options = ", ".join(self.option_names()) or "none"
            raise InvalidInputError(f"{self.prog} has no option '{unknown[0]}'. Its options: {options}.")
        if rest:
            raise InvalidInputError(
                f"{self.prog} does not know what to do with '{rest[0]}'. Usage: {self.usage_line()}"
            )
        return found

    def _with_values(self, words: list[str]) -> list[str]:
        """`--sort -auc` as `--sort=-auc`: else argparse takes what begins with a dash for an option."""
        takes = {name for action in self._actions if action.nargs is None for name in action.option_strings}
        joined: list[str] = []
        for word in words:
            options = [*takes, *self.option_names()]
            if joined and joined[-1] in takes and word.startswith("-") and word not in options and word != "-":
                joined[-1] = f"{joined[-1]}={word}" if joined[-1].startswith("--") else joined[-1] + word
            else:
                joined.append(word)
        return joined


def split(line: str, magic: str) -> list[str]:
    """The words of a line as a shell sees them, with every `{expression}` kept whole, spaces and quotes and all."""
    expressions: list[str] = []

    def hide(match: re.Match[str]) -> str:
        expressions.append(match.group(0))
        return f"\0{len(expressions) - 1}\0"

    hidden = _EXPRESSION.sub(hide, line.replace("\0", ""))
    try:
        words = shlex.split(hidden)
    except ValueError as error:
        raise InvalidInputError(f"{magic}: {error} in: {line.strip()}") from None
    return [re.sub(r"\0(\d+)\0", lambda match: expressions[int(match.group(1))], word) for word in words]


def interpolate(word: str, namespace: Mapping[str, Any], magic: str) -> str:
    """`{expression}` as the text of its value; `{{` and `}}` stand for braces.

    Raises InvalidInputError naming the expression that fails, where IPython would silently leave the line as it is.
    """

    def replace(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group(0)[0]
        expression = match.group(1).strip()
        try:
            return str(eval(expression, dict(namespace)))  # the user's own expression, in the user's own kernel
        except Exception as error:  # whatever the expression raises becomes the sentence
            raise InvalidInputError(
                f"{magic}: {{{expression}}} cannot be replaced by a value: {type(error).__name__}: {error}. "
                "Write {{ and }} for braces."
            ) from None

    return _EXPRESSION.sub(replace, word)


def pair(text: str, option: str) -> tuple[str, str]:
    """`key=value` in two. Raises InvalidInputError naming the option."""
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise InvalidInputError(f"{option} {text}: write it as {option} key=value.")
    return key, value


def scalar(text: str) -> bool | int | float | str | None:
    """A param's text as what it looks like: `6`, `0.1`, `true`, `none`, else text.

    >>> [scalar(text) for text in ("6", "1e-3", "true", "none", "gini")]
    [6, 0.001, True, None, 'gini']
    """
    words: dict[str, bool | None] = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        value = json.loads(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text
    return value if isinstance(value, (int, float, str)) else text


def variable(name: str, namespace: Mapping[str, Any], magic: str) -> Any:
    """The notebook's variable of that name. Raises InvalidInputError when there is none."""
    if name not in namespace:
        raise InvalidInputError(
            f"{magic}: there is no variable '{name}' in this notebook. Run the cell that makes it first."
        )
    return namespace[name]
