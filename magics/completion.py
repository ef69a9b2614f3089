"""What Tab offers behind a magic: its options, and names from the workspace or the notebook where one is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..domain.errors import SnapMLError
from .registration import Magic, all_magics


def candidates(text: str, namespace: dict[str, Any]) -> list[str] | None:
    """Words that may follow the line up to the cursor; None when the line is no magic of ours.

    >>> candidates("%snap_promote late-flights:1 sta", {})
    ['staging']
    """
    words = text.lstrip().split(" ")
    magics = {magic.written: magic for magic in all_magics()}
    magic = magics.get(words[0])
    if magic is None or len(words) < 2:
        return None
    word, before = words[-1], words[1:-1]
    if word.startswith("-"):
        return [option for option in magic.parser().option_names() if option.startswith(word)]
    kind = _kind(magic, before)
    return [name for name in _names(kind, namespace, word) if name.startswith(word)] if kind else []


def make_matcher(shell: Any) -> Callable[..., Any] | None:
    """The matcher for IPython 8.6 and later; None before."""
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher
    except ImportError:
        return None

    @context_matcher(identifier="snapml.arguments")  # type: ignore[untyped-decorator,unused-ignore]  # IPython has no types
    def matcher(context: Any) -> dict[str, Any]:
        line = context.line_with_cursor[: context.cursor_position]
        # `endpoint = %snap_deploy na` completes as `%snap_deploy na` does.
        start = line.rfind("%snap")
        start = start - 1 if start > 0 and line[start - 1] == "%" else start
        found = candidates(line[start:], shell.user_ns) if start >= 0 else None
        return {
            "completions": [SimpleCompletion(text=word, type="param") for word in found or []],
            "suppress": bool(found),
            "matched_fragment": line.rpartition(" ")[2],
        }

    matcher_function: Callable[..., Any] = matcher
    return matcher_function


def _kind(magic: Magic, before: list[str]) -> str | None:
    """What the word at the cursor names."""
    takes_value = {
        option: action for action in magic.parser()._actions for option in action.option_strings if action.nargs != 0
    }
    if before and before[-1] in takes_value:
        return magic.completes.get(before[-1])
    positionals = [action.dest for action in magic.parser()._actions if not action.option_strings]
    place = 0
    for index, word in enumerate(before):
        if word and not word.startswith("-") and not (index and before[index - 1] in takes_value):
            place += 1
    return magic.completes.get(positionals[place]) if place < len(positionals) else None


def _names(kind: str, namespace: dict[str, Any], word: str) -> list[str]:
    if kind == "nothing":
        return []
    if kind == "variable or dataset":
        return [*_names("variable", namespace, word), *_names("dataset", namespace, word)]
    if kind == "stage":
        from ..domain.model import Stage

        return [*(stage.value for stage in Stage), "@champion", "@challenger"]
    if kind == "variable":
        from ..capture.frames import is_table

        return sorted(name for name, value in namespace.items() if not name.startswith("_") and is_table(value))
    from ..public.current import workspace

    try:
        return _workspace_names(kind, workspace(), word)
    except SnapMLError:  # no workspace, no names: Tab is no place for an error
        return []


def _workspace_names(kind: str, where: Any, word: str) -> list[str]:
    if kind == "dataset" and "@" in word:
        from ..datasets.versions import list_versions

        name = word.partition("@")[0]
        versions = list_versions(where, name)
        aliases = sorted(alias for version in versions for alias in version.aliases)
        return [f"{name}@{selector}" for selector in ["latest", *aliases, *(f"v{v.number}" for v in versions)]]
    if kind == "run":
        from ..runs.queries import list_runs

        return list(dict.fromkeys(run.name for run in list_runs(where, limit=50)))
    if kind in ("dataset", "dataset name"):
        from ..datasets.versions import list_datasets

        return [n for d in list_datasets(where) for n in ((d.name,) if kind != "dataset" else (d.name, d.latest.ref))]
    if kind in ("model", "model name"):
        from ..registry.versions import list_models

        return [n for m in list_models(where) for n in ((m.name,) if kind != "model" else (m.name, m.latest.ref))]
    if kind == "endpoint":
        from ..serving.deploying import list_endpoints

        return [e.name for e in list_endpoints(where)]
    raise ValueError(kind)
