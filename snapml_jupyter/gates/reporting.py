"""Outcomes as text for people and as JUnit XML for CI servers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

from ..domain.checks import Check, CheckStatus, EndpointTest, GateOutcome
from ..domain.errors import InvalidInputError
from ..figures import duration

_WORDS = {CheckStatus.passed: "ok", CheckStatus.failed: "FAILED", CheckStatus.skipped: "skipped"}
#: Characters that XML 1.0 has no form for, not even escaped.
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def gate_text(outcome: GateOutcome) -> str:
    """A judgement of a version as lines."""
    return _text(f"{outcome.model_ref} by gates", outcome.checks, outcome.passed, outcome.duration_seconds)


def endpoint_text(test: EndpointTest) -> str:
    """The tests of an endpoint as lines."""
    return _text(f"endpoint {test.endpoint} ({test.model_ref})", test.checks, test.passed, test.duration_seconds)


def gate_junit(outcome: GateOutcome) -> bytes:
    """A judgement as JUnit XML."""
    return _junit(f"gates of {outcome.model_ref}", "snapml.gate", outcome.checks, outcome.checked_at)


def endpoint_junit(test: EndpointTest) -> bytes:
    """The tests of an endpoint as JUnit XML."""
    return _junit(f"endpoint {test.endpoint}", "snapml.endpoint", test.checks, test.checked_at)


def write_junit(path: Path, content: bytes) -> None:
    """Write a report. Raises InvalidInputError for a path that cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}.") from error


def _text(title: str, checks: Sequence[Check], passed: bool, seconds: float) -> str:
    width = max((len(check.name) for check in checks), default=0)
    lines = [f"{_WORDS[check.status].ljust(7)}  {check.name.ljust(width)}  {check.message}" for check in checks]
    n_failed = sum(check.status is CheckStatus.failed for check in checks)
    n_skipped = sum(check.status is CheckStatus.skipped for check in checks)
    counted = f"{len(checks) - n_failed - n_skipped} ok" + f", {n_failed} failed" * bool(n_failed)
    counted += f", {n_skipped} skipped" * bool(n_skipped)
    return "\n".join([*lines, "", f"{title}: {'passed' if passed else 'FAILED'} ({counted}, {duration(seconds)})"])


def _junit(suite: str, prefix: str, checks: Sequence[Check], at: datetime) -> bytes:
    """One test suite, one case a check, in the form that Jenkins, GitLab and GitHub's reporters read."""
    n_failed = sum(check.status is CheckStatus.failed for check in checks)
    n_skipped = sum(check.status is CheckStatus.skipped for check in checks)
    counts = {
        "tests": str(len(checks)),
        "failures": str(n_failed),
        "errors": "0",
        "skipped": str(n_skipped),
        "time": f"{sum(check.seconds for check in checks):.3f}",
    }
    root = ElementTree.Element("testsuites", counts)
    found = ElementTree.SubElement(
        root, "testsuite", {"name": _xml(suite), "timestamp": at.isoformat(timespec="seconds"), **counts}
    )
    for check in checks:
        group, _, rest = check.name.partition(".")
        case = ElementTree.SubElement(
            found,
            "testcase",
            {"classname": f"{prefix}.{_xml(group)}", "name": _xml(rest or group), "time": f"{check.seconds:.3f}"},
        )
        message = _xml(check.message)
        if check.status is CheckStatus.failed:
            ElementTree.SubElement(case, "failure", {"message": message, "type": "failed"}).text = message
        elif check.status is CheckStatus.skipped:
            ElementTree.SubElement(case, "skipped", {"message": message})
        else:
            ElementTree.SubElement(case, "system-out").text = message
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
