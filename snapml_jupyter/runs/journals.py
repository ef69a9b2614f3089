"""Taking what journals hold into the database: by whoever logs, ends a run, or looks, and exactly once."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from ..domain.errors import UnavailableError
from ..domain.event import Problem
from ..store import run_metrics
from ..store import runs as store
from ..store.journal_file import FOLDER_NAME, Journal, list_journals, open_journal
from ..store.workspace import Transaction, Workspace
from .processes import is_gone

#: How long one who only looks waits for another writer; what is not folded then stays safe in its journal.
LOOK_SECONDS = 2.0


class OpenJournals:
    """Some journals, open for one fold. What is over is known from before the fold, so that nothing comes after it."""

    def __init__(self, workspace: Workspace, journals: Sequence[Journal]) -> None:
        self._workspace = workspace
        self._journals = journals
        self._over = [journal for journal in journals if journal.is_ended or is_gone(journal.process)]
        self._is_folded = False

    def has_news(self) -> bool:
        """Whether there is something to fold or to take away."""
        database = self._workspace.database
        return bool(self._over) or any(
            journal.end_of(start) > start
            for journal in self._journals
            for start in [run_metrics.folded_bytes(database, journal.name)]
        )

    def fold(self, tx: Transaction) -> None:
        """Write every point that is not yet written, of runs that the workspace has."""
        by_run: dict[str, list[Journal]] = {}
        for journal in self._journals:
            by_run.setdefault(journal.run_id, []).append(journal)
        for run_id, journals in by_run.items():
            if store.is_known(tx, run_id):
                run_metrics.fold_journals(tx, run_id, journals)
            else:  # of a database that an older copy took the place of: `snapml verify` tells of it
                self._over = [journal for journal in self._over if journal.run_id != run_id]
        run_metrics.forget_journals(tx)
        self._is_folded = True

    def shut(self) -> None:
        """Refuse further points, whichever process wants to log them: the run was ended."""
        for journal in self._journals:
            with suppress(OSError):  # gone meanwhile, or of another user: what it still takes is folded later
                journal.shut()

    def remove(self) -> None:
        """After the commit of a fold: take away what is over."""
        if not self._is_folded or self._workspace.database.connection.in_transaction:  # not committed yet
            return
        for journal in self._over:
            with suppress(OSError):  # someone else did, or it is still open on Windows: the next one does
                os.unlink(journal.path)


@contextmanager
def open_journals(workspace: Workspace, run_id: str | None = None) -> Iterator[OpenJournals]:
    """The journals of a run, or of the whole workspace."""
    opened: list[Journal] = []
    try:
        for path in list_journals(workspace.folder, run_id):
            with suppress(ValueError, OSError):  # a damaged one is left where it is: `snapml verify` tells of it
                journal = open_journal(path)
                if journal is not None:
                    opened.append(journal)
        yield OpenJournals(workspace, opened)
    finally:
        for journal in opened:
            journal.close()


def fold_pending(workspace: Workspace, run_id: str | None = None, *, wait_seconds: float = LOOK_SECONDS) -> bool:
    """Fold what is waiting, so that a reader sees what was logged; false when the database could not be written.

    Then nothing is lost: the points stay in their journals for the next one who looks.
    """
    if not list_journals(workspace.folder, run_id):
        return True
    try:
        with open_journals(workspace, run_id) as journals:
            if journals.has_news():
                with workspace.transaction(wait_seconds) as tx:
                    journals.fold(tx)
                journals.remove()
    except (UnavailableError, OSError, sqlite3.Error):
        return False
    return True


def remove_unfinished(workspace: Workspace, older_than_seconds: float = 86_400.0) -> None:
    """Take away files of journals that were killed while they were made; nothing was ever kept in one."""
    for path in (workspace.folder / FOLDER_NAME).glob("*.new"):
        with suppress(OSError):  # someone else did
            if time.time() - path.stat().st_mtime > older_than_seconds:
                path.unlink()


def check_journals(workspace: Workspace) -> list[Problem]:
    """What is wrong with journals: those that cannot be read, and those of runs that the workspace does not have."""
    problems = []
    for path in list_journals(workspace.folder):
        try:
            journal = open_journal(path)
        except (ValueError, OSError) as error:
            message = f"The metrics in {path.name} cannot be read: {error}."
            problems.append(Problem(kind="damaged", subject=f"{FOLDER_NAME}/{path.name}", message=message))
            continue
        if journal is None:
            continue
        journal.close()
        if not store.load_runs(workspace.database, [journal.run_id]):
            message = (
                f"{path.name} holds metrics of run {journal.run_id}, which this workspace does not have: was an older copy "
                "of the database put back?"
            )
            problems.append(Problem(kind="missing", subject=f"run {journal.run_id}", message=message))
    return problems
