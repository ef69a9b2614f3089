"""The clean process of a replay: `python -m snapml_jupyter.replay.child FOLDER`.

It knows nothing of the notebook. It restores what the program needs, then runs the cell in a shell of its own, recorded
as the original was, so that both runs can be compared.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..domain.program import PartKind

if TYPE_CHECKING:
    from ..domain.program import Program

#: How often the process looks whether the one that started it is still there, in seconds.
_LOOK_SECONDS = 1.0
#: Libraries and what of the settings is theirs.
_OPTIONS = {
    **{name: (name,) for name in ("sklearn", "pandas", "matplotlib", "torch")},
    "numpy": ("numpy_errors", "numpy_print"),
}


def main(folder: Path) -> int:
    """Do the task of the folder; the exit status says whether the cell was run."""
    from ..store.workspace import open_workspace
    from . import task as told
    from .restoring import restore

    task = told.read_task(folder)
    program = task.program
    os.chdir(task.folder)
    sys.path[:0] = [entry for entry in ["", *task.path] if entry not in sys.path]
    workspace = open_workspace(task.workspace, actor=task.actor)
    shell = _shell(program.kernel, program.execution_count)
    missing = [each.name for each in program.missing]
    try:
        failed = restore(workspace, program, shell.user_ns)
        _restore_settings(program)
    except BaseException as error:  # whatever restoring the user's values raises is what the report must say
        problem = f"{type(error).__name__}: {error}"
        told.write(folder / told.RESULT, told.Result(problem=f"what the cell needs could not be restored: {problem}"))
        traceback.print_exc()
        return 1
    told.write(folder / told.RESULT, told.Result(prepared=True, missing=[*missing, *failed]))
    return _run(workspace, task, shell, folder)


def _run(workspace: Any, task: Any, shell: Any, folder: Path) -> int:
    from ..capture.cell import CellOptions, CellRecording
    from ..capture.replayable import CellCode
    from . import task as told

    program = task.program
    recording = CellRecording.begin(
        workspace,
        CellOptions(
            name=task.name,
            experiment=task.experiment,
            seed=task.seed,
            params={**program.given, **task.params},
            tags=task.tags,
        ),
        task.source,
        shell.transform_cell(program.body),
        shell.user_ns,
        CellCode(body=program.body, kernel=program.kernel, program=program, spans=[task.original_span]),
    )
    run_id = recording.active.run_id
    told.write(folder / told.RESULT, told.Result(prepared=True, run_id=run_id))
    shell.user_ns["run"] = recording.active
    result = shell.run_cell(_line_for_line(program.body), store_history=True)
    error = result.error_in_exec or result.error_before_exec
    report = recording.end(error, result.result)
    for warning in report.warnings:
        print(f"replay: {warning}", file=sys.stderr)
    told.write(folder / told.RESULT, told.Result(prepared=True, run_id=run_id, ended=True))
    return 0


def _restore_settings(program: Program) -> None:
    """Set the libraries' options. A library that was only loaded beside the cell is waited for, not imported: it takes
    seconds. Where the cell imports anything itself, all are, since the order of warning filters is that of the imports.
    """
    import json
    from functools import partial

    from ..capture.conditions import restore_library_settings
    from ..capture.imports import WhenImported

    settings = json.loads(program.settings)
    code = [program.body, *(part.code for part in program.parts if part.kind is PartKind.definition)]
    if not any("import" in source or "%run" in source for source in code):
        later = {}
        for library, names in _OPTIONS.items():
            if library not in sys.modules:
                own = {name: settings.pop(name) for name in names if name in settings}
                later[library] = partial(restore_library_settings, own)
        WhenImported(later).start()
    restore_library_settings(settings)


def _line_for_line(body: str) -> str:
    """The body so that IPython keeps the blank line in place of the magic, and errors the lines that the user sees."""
    is_magic = body.lstrip().startswith("%%")  # of its own, which only counts on a first line
    return f"#{body}" if body.startswith("\n") and not is_magic else body


def _shell(kernel: str, execution_count: int | None) -> Any:
    """A shell that shows results where the original did: as messages nobody hears, or printed."""
    from IPython.core import displaypub
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor" if _ipython_version() >= (9,) else "NoColor"

    class ReplayShell(InteractiveShell):
        def enable_gui(self, gui: Any = None) -> None:
            """`%matplotlib inline` asks for it: figures are shown, but nobody looks at them."""

    shell: Any = ReplayShell.instance(config=config)
    if kernel == "kernel":
        publisher: Any = displaypub.CapturingDisplayPublisher
        shell.display_pub = publisher(parent=shell)
        shell.displayhook.write_output_prompt = lambda: None
        shell.displayhook.write_format_data = lambda *args, **kwargs: None
        shell.displayhook.finish_displayhook = lambda: None
    if execution_count is not None:
        shell.execution_count = execution_count
    shell.extension_manager.load_extension("snapml_jupyter")
    return shell


def _ipython_version() -> tuple[int, ...]:
    from IPython.core.release import version_info

    return tuple(part for part in version_info if isinstance(part, int))


def _end_with(parent: int) -> None:
    """End when the process that started this one is gone: nobody would read the verdict."""
    while True:
        time.sleep(_LOOK_SECONDS)
        if os.getppid() != parent:
            os._exit(3)


if __name__ == "__main__":
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    sys.exit(main(Path(sys.argv[1])))
