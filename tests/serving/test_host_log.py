"""The end of the log, all of it or by words, however long it is."""

from __future__ import annotations

import pytest

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.serving.host_log import read_host_log
from snapml_jupyter.serving.reports import log_path
from snapml_jupyter.store.workspace import Workspace


def write(workspace: Workspace, *lines: str) -> None:
    path = log_path(workspace.folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def test_the_newest_lines_come_last_and_words_choose_among_them(workspace: Workspace) -> None:
    assert read_host_log(workspace).lines == []
    write(workspace, "host 1: serving", "host: deployment 1 of tiny is live", "host: deployment 1 of other is live")
    found = read_host_log(workspace, n_lines=2)
    assert (found.lines[-1], len(found.lines), found.has_more) == ("host: deployment 1 of other is live", 2, True)
    chosen = read_host_log(workspace, contains="LIVE tiny")
    assert (chosen.lines, chosen.has_more) == (["host: deployment 1 of tiny is live"], False)
    assert read_host_log(workspace, contains="nobody").lines == []
    with pytest.raises(InvalidInputError, match="n_lines"):
        read_host_log(workspace, n_lines=0)


def test_of_a_very_long_log_only_the_end_is_read(workspace: Workspace) -> None:
    write(workspace, "the first line", *("x" * 99 for _ in range(60_000)), "the last line")
    found = read_host_log(workspace, contains="line")
    assert (found.lines, found.has_more) == (["the last line"], True)
    assert set(read_host_log(workspace, n_lines=10_000).lines[:-1]) == {"x" * 99}
