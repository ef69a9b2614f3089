"""The cells of one kernel as they run: which is being recorded, what to show when it has ended."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..domain.errors import InvalidInputError
from .registration import shown_plainly
from .transformer import body_of, python_of

if TYPE_CHECKING:
    from ..capture.cell import CellOptions, CellRecording
    from ..capture.definitions import ExecutedCell
    from .live_card import LiveCard


@dataclass(slots=True)
class RunningCell:
    """A cell between IPython's events; `recording` once `%%snap_train` has begun in it."""

    info: Any
    recording: CellRecording | None = None
    options: CellOptions | None = None
    live: LiveCard | None = None


class Session:
    """Hears of every cell before and after it runs. Cells can nest: a cell may run another."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._cells: list[RunningCell] = []
        self._undo_traceback: Callable[[], None] | None = None

    # What IPython tells

    def before_cell(self, info: Any) -> None:
        """IPython's `pre_run_cell`."""
        self._cells.append(RunningCell(info))

    def after_cell(self, result: Any) -> None:
        """IPython's `post_run_cell`; `result` is None when an awaiting cell was cancelled."""
        if result is None:
            cell = self._cells.pop() if self._cells else None
            error: BaseException | None = KeyboardInterrupt()
        else:
            cell = self._cell_of(result.info)
            error = result.error_in_exec or result.error_before_exec
        if cell is None:
            return
        if cell in self._cells:
            self._cells.remove(cell)
        if cell.recording is not None:
            self._finish(cell, error, result.result if result is not None else None)

    def at_exit(self) -> None:
        """The kernel ends: open runs end as interrupted."""
        for cell in self._cells:
            if cell.live is not None:
                cell.live.settle()
            if cell.recording is not None:
                cell.recording.abandon()
        self._cells.clear()

    def _cell_of(self, info: Any) -> RunningCell | None:
        for cell in reversed(self._cells):
            if cell.info is info:
                return cell
        # When showing an error fails in turn, IPython tells of the cell with a new description of it.
        newest = self._cells[-1] if self._cells else None
        return newest if newest is not None and newest.info.raw_cell == info.raw_cell else None

    # What the magic asks

    def begin(self, options: CellOptions) -> None:
        """Begin to record the cell that runs now, of which this is the first line."""
        cell = self._cells[-1] if self._cells else None
        body = body_of(cell.info.raw_cell) if cell is not None else None
        if cell is None or body is None:
            raise InvalidInputError("Write %%snap_train, with two percent signs, as the first line of a cell.")
        self._show_the_magic_line(cell.info.raw_cell)
        self._begin(cell, options, cell.info.raw_cell, body)

    def record(self, options: CellOptions, line: str, body: str) -> Any:
        """Run and record a cell given as text: how `run_cell_magic`, and so a notebook turned into a script, calls it."""
        __tracebackhide__ = True
        first = f"%%snap_train {line}".rstrip()
        body = f"\n{body}"  # the magic's line is line 1 here too
        code = f"# {first}{python_of(self.shell, body)}"
        cell = RunningCell(self._cells[-1].info if self._cells else None)
        self._begin(cell, options, f"{first}{body}", body)
        self._cells.append(cell)
        try:
            value = run_code(self.shell, code)
        except BaseException as error:
            self._cells.remove(cell)
            self._finish(cell, error)
            raise
        self._cells.remove(cell)
        self._finish(cell, None, value)
        return value

    # How it is done

    def _begin(self, cell: RunningCell, options: CellOptions, raw: str, body: str) -> None:
        from ..capture.cell import CellRecording
        from ..capture.replayable import CellCode
        from ..domain.run import RunSource
        from ..public.current import workspace
        from .live_card import LiveCard

        open_run = next((c.recording for c in self._cells if c.recording is not None), None)
        if open_run is not None:
            raise InvalidInputError(
                f"This cell is already recorded as run {open_run.active.name} ({open_run.active.run_id}). One %%snap_train a cell; "
                "for runs inside of it use `with snap.start_run(name):`."
            )
        source = RunSource(
            kind="cell",
            code=raw,
            notebook_path=notebook_path(self.shell),
            cell_id=cell_id(self.shell, cell.info),
            execution_count=self.shell.execution_count,
        )
        cell.options = options
        cell.recording = CellRecording.begin(
            workspace(),
            options,
            source,
            python_of(self.shell, body),
            self.shell.user_ns,
            CellCode(
                body=body,
                history=executed_cells(self.shell),
                kernel=kernel_kind(self.shell),
                execution_count=self.shell.execution_count,
            ),
        )
        self._hide_our_entries()
        cell.live = LiveCard.begin(self.shell, cell.recording)

    def _finish(self, cell: RunningCell, error: BaseException | None, value: Any = None) -> None:
        from .card import show_card

        assert cell.recording is not None
        assert cell.options is not None
        if self._undo_traceback is not None:
            self._undo_traceback()
        if cell.live is not None:
            cell.live.settle()
        report = cell.recording.end(error, value)
        show_card(self.shell, cell.recording.workspace, report, cell.options.register, cell.live)

    def _hide_our_entries(self) -> None:
        """Until the cell ends, tracebacks are shown without the recording wrappers in them."""
        from ..capture.stack import unlink_our_entries

        shell, before = self.shell, self.shell.showtraceback

        def showtraceback(exc_tuple: Any = None, *args: Any, **kwargs: Any) -> Any:
            error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
            if error is not None:
                unlink_our_entries(error)
                if exc_tuple:
                    exc_tuple = (exc_tuple[0], error, error.__traceback__)
            return before(exc_tuple, *args, **kwargs)

        shell.showtraceback = showtraceback

        def undo() -> None:
            if vars(shell).get("showtraceback") is showtraceback:
                shell.showtraceback = before
                if getattr(type(shell), "showtraceback", None) is getattr(before, "__func__", before):
                    del shell.showtraceback
            self._undo_traceback = None

        self._undo_traceback = undo

    def _show_the_magic_line(self, raw_cell: str) -> None:
        """Let tracebacks show the user's first line (as a comment, it is no Python) instead of the call made of it."""
        frame: FrameType | None = sys._getframe()
        while frame is not None and frame.f_globals is not self.shell.user_ns:
            frame = frame.f_back
        if frame is None:
            return
        filename = frame.f_code.co_filename
        entry = linecache.cache.get(filename)
        if entry is not None and len(entry) == 4 and entry[2]:
            first = next(line for line in raw_cell.splitlines() if line.strip())
            entry[2][0] = f"# {first}\n"


def run_code(shell: Any, code: str) -> Any:
    """Run a transformed cell in the notebook's namespace and give its last expression's value.

    Its tracebacks say `Cell In[7]`, with the magic's line as line 1. Raises InvalidInputError for top-level `await`.
    """
    import ast

    __tracebackhide__ = True
    name = shell.compile.cache(code, shell.execution_count, raw_code=code)
    try:
        tree = shell.compile.ast_parse(code, filename=name)
        tree = shell.transform_ast(tree)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        body = compile(tree, name, "exec", dont_inherit=True)
        expression = compile(ast.Expression(last.value), name, "eval", dont_inherit=True) if last is not None else None
    except SyntaxError as error:
        if "await" in str(error) or "async" in str(error):
            raise shown_plainly(
                InvalidInputError(
                    "`await` works in a recorded cell when %%snap_train is its first line; here it is not."
                )
            ) from None
        raise
    exec(body, shell.user_ns)
    return eval(expression, shell.user_ns) if expression is not None else None


def executed_cells(shell: Any) -> list[ExecutedCell]:
    """The cells that ran before this one, as Python, also those from before the extension was loaded."""
    from ..capture.cell_magics import expanded
    from ..capture.definitions import ExecutedCell

    history = getattr(shell.history_manager, "input_hist_parsed", None) or []
    return [ExecutedCell(number, expanded(code)) for number, code in enumerate(history[:-1]) if code]


def kernel_kind(shell: Any) -> str:
    """`kernel` where results are messages, `terminal` where they are printed."""
    return "kernel" if hasattr(shell, "kernel") else "terminal"


def notebook_path(shell: Any) -> str | None:
    """The notebook's file, where Jupyter or VS Code say it."""
    named = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return str(named) if named and str(named).endswith(".ipynb") else None


def cell_id(shell: Any, info: Any) -> str | None:
    """The cell's id, where the front end sends it."""
    given = getattr(info, "cell_id", None)
    if given is None and hasattr(shell, "get_parent"):
        parent = shell.get_parent() or {}
        given = (parent.get("metadata") or {}).get("cellId")
    return str(given) if given else None
