"""Files beside the notebook that a cell reads, and modules beside it that it imports.

Files are seen as Python opens them (an audit hook that listens only while a cell is recorded), and as paths written in the
cell for libraries that open files on their own. Each is read at its first opening, before the cell can change it.
"""

from __future__ import annotations

import ast
import os
import sys
import sysconfig
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Kept of files in all, and of one, in bytes.
MAX_FILES_BYTES = 500_000_000
MAX_FILE_BYTES = 200_000_000
#: A folder that is read is kept up to this many files.
MAX_FOLDER_FILES = 200
#: How far above the working folder a file still counts as beside the notebook.
_MAX_UP = 2
_SKIPPED_SUFFIXES = (".pyc", ".so", ".ipynb")
_SKIPPED_PARTS = {
    "site-packages",
    "dist-packages",
    "__pycache__",
    ".git",
    ".snapml",
    ".ipynb_checkpoints",
    "node_modules",
}

_LISTINGS = {"os.listdir", "os.scandir"}
_EVENTS = {"open", "sqlite3.connect", "os.mkdir", *_LISTINGS}

_listening: list[FileWatch] = []
_inside = threading.local()
_hooked = False


@dataclass(slots=True)
class FileWatch:
    """Files below the notebook's folder (or a little above) that are opened for reading between `start` and `stop`."""

    folder: Path
    skipped: tuple[Path, ...] = ()
    contents: dict[str, bytes] = field(default_factory=dict)
    too_large: dict[str, int] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    _total: int = 0
    _thread: int = 0

    def start(self) -> None:
        """Begin to listen."""
        global _hooked
        if not _hooked:
            sys.addaudithook(_heard)  # cannot be taken out again, so it does nothing while nobody listens
            _hooked = True
        _listening.append(self)

    def stop(self) -> None:
        """Listen no more."""
        if self in _listening:
            _listening.remove(self)

    def see(self, path: str, mode: Any, flags: Any) -> None:
        """A file is about to be opened."""
        relative = relative_path(path, self.folder)
        if relative is None or relative in self.contents or relative in self.too_large or relative in self.written:
            return
        full = self.folder / relative
        if any(folder in full.parents for folder in self.skipped):
            return
        writes = (isinstance(mode, str) and any(c in mode for c in "wax+")) or (
            mode is None and isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        )
        if writes and not (isinstance(mode, str) and ("+" in mode or "a" in mode) and full.exists()):
            self.written.add(relative)
            self.see_place(os.path.dirname(relative))
            return
        self.keep(relative)

    def see_place(self, path: str) -> None:
        """A folder is about to be written into, or made: it counts as one the cell found, unless the cell made it."""
        relative = relative_path(path, self.folder) if path else None
        if relative is None or relative in self.made:
            return
        (self.folders if (self.folder / relative).is_dir() else self.made).add(relative)

    def see_folder(self, path: str) -> None:
        """A folder is about to be listed: the files in it count as read."""
        try:
            folder = (self.folder / (path or ".")).resolve()
            if not folder.is_relative_to(self.folder.resolve()):
                return
            files = [each for each in sorted(folder.iterdir()) if each.is_file()]
        except OSError:
            return
        if len(files) > MAX_FOLDER_FILES:
            self.too_large[f"{path}/"] = sum(each.stat().st_size for each in files)
            return
        for each in files:
            self.see(str(each), "r", 0)

    def keep(self, relative: str) -> None:
        """Read one file now."""
        full = self.folder / relative
        try:
            size = full.stat().st_size
            if not full.is_file():
                return
            if size > MAX_FILE_BYTES or self._total + size > MAX_FILES_BYTES:
                self.too_large[relative] = size
                return
            content = full.read_bytes()
        except OSError:  # the cell is about to find out itself
            return
        self._total += len(content)
        self.contents[relative] = content


def relative_path(path: str, folder: Path) -> str | None:
    """The path from the folder when it is a file beside the notebook, else None."""
    if path.endswith(_SKIPPED_SUFFIXES) or path.startswith(("/proc", "/dev", "/sys")):
        return None
    try:
        relative = os.path.relpath(os.path.join(folder, path), folder)
    except ValueError:  # another drive
        return None
    parts = Path(relative).parts
    n_up = sum(part == ".." for part in parts)
    if n_up and (os.path.isabs(path) or n_up > _MAX_UP or n_up >= len(folder.parts) - 1):
        return None
    return None if _SKIPPED_PARTS & set(parts) or relative == "." else Path(relative).as_posix()


def _is_import_system() -> bool:
    """Whether the import system is listing a folder, to see which modules lie in it."""
    frame = sys._getframe(2)
    return frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")


def _heard(event: str, args: tuple[Any, ...]) -> None:
    if not _listening or event not in _EVENTS:
        return
    if getattr(_inside, "reading", False):
        return
    _inside.reading = True
    try:
        path = args[0]
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if isinstance(path, (str, os.PathLike)):
            for watch in list(_listening):
                if event == "os.mkdir":
                    watch.see_place(os.fspath(path))
                    continue
                if event in _LISTINGS:
                    if not _is_import_system():
                        watch.see_folder(os.fspath(path))
                    continue
                watch.see(os.fspath(path), args[1] if len(args) > 1 else "r", args[2] if len(args) > 2 else 0)
    except Exception:  # an audit hook that raises would stop the user's own open
        pass
    finally:
        _inside.reading = False


def paths_in(code: str, folder: Path) -> list[str]:
    """Relative paths of existing files that are written in the source, also those in an existing folder."""
    found: list[str] = []
    for node in ast.walk(ast.parse(code)):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        text = node.value
        if not 1 < len(text) < 300 or "\n" in text or text.startswith(("http:", "https:")):
            continue
        relative = relative_path(text, folder)
        if relative is None or os.path.isabs(text):
            continue
        full = folder / relative
        try:
            if full.is_file():
                found.append(relative)
            elif full.is_dir() and ("/" in text or "." not in text) and folder not in (full, *full.parents[:0]):
                inside = sorted(p for p in full.rglob("*") if p.is_file())[: MAX_FOLDER_FILES + 1]
                if len(inside) <= MAX_FOLDER_FILES:
                    found += [Path(os.path.relpath(p, folder)).as_posix() for p in inside]
        except OSError:  # a text that is no path here
            continue
    return [path for path in dict.fromkeys(found) if not _SKIPPED_PARTS & set(Path(path).parts)]


def folders_in(code: str, folder: Path) -> list[str]:
    """Relative paths of existing folders that are written in the source, by themselves or in the path of a file."""
    found: list[str] = []
    for node in ast.walk(ast.parse(code)):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < 300):
            continue
        if "\n" in node.value or os.path.isabs(node.value) or node.value.startswith(("http:", "https:")):
            continue
        for text in (node.value, os.path.dirname(node.value)):
            relative = relative_path(text, folder) if text else None
            try:
                if relative is not None and (folder / relative).is_dir():
                    found.append(relative)
                    break
            except (OSError, ValueError):  # a text that is no path here
                continue
    return list(dict.fromkeys(found))


def is_local_module(name: str) -> bool:
    """Whether the loaded module of that name lies beside the notebook, or on a path of the user's own."""
    module = sys.modules.get(name)
    path = getattr(module, "__file__", None)
    return bool(path) and _is_users_file(Path(str(path)))


def _is_users_file(path: Path) -> bool:
    if _SKIPPED_PARTS & set(path.parts) or path.suffix != ".py":
        return False
    if any(path.is_relative_to(library) for library in _library_folders()):
        return False
    # The nearest entry of the path decides: an environment may lie inside of the notebook's folder.
    entries = [Path(entry).resolve() for entry in sys.path if entry]
    nearest = max((e for e in entries if e in path.parents), key=lambda e: len(e.parts), default=None)
    if nearest is None or nearest == Path.cwd():
        return Path.cwd() in path.parents
    given = [Path(entry).resolve() for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return nearest not in given and not _is_library(nearest)  # what PYTHONPATH names, the replay's process has too


def _library_folders() -> list[Path]:
    own = Path(__file__).resolve().parent.parent
    return [own, *(Path(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib", "purelib", "platlib"))]


def _is_library(path: Path) -> bool:
    return (
        bool({"site-packages", "dist-packages"} & set(path.parts))
        or any(path == library or path.is_relative_to(library) for library in _library_folders())
        or next(path.glob("*.dist-info"), None) is not None
    )


def local_modules(roots: Iterable[str], code: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Files of modules beside the notebook: those of `roots` and of imports in the source, with what they import.

    Gives (path as it must lie in the program's folder, file).
    """
    waiting = [*roots]
    for source in code:
        waiting += _imported(source)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or not name:
            continue
        seen.add(name)
        parent = name.rpartition(".")[0]
        if parent:
            waiting.append(parent)
        file = _file_of(name)
        if file is None:
            continue
        parts = name.split(".")
        place = "/".join([*parts, "__init__.py"]) if file.name == "__init__.py" else "/".join(parts) + ".py"
        yield place, file
        try:
            source = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        package = name if file.name == "__init__.py" else parent
        waiting += _imported(source, package)


def _file_of(name: str) -> Path | None:
    module = sys.modules.get(name)
    path = getattr(module, "__file__", None)
    if module is not None and path is None:
        return None
    if path is None:  # not imported yet: the cell will; only beside the notebook, so that nothing is searched for long
        here = Path.cwd().joinpath(*name.split("."))
        for candidate in (here.with_suffix(".py"), here / "__init__.py"):
            if candidate.is_file():
                return candidate
        return None
    found = Path(str(path)).resolve()
    return found if _is_users_file(found) else None


def _imported(source: str, package: str = "") -> list[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                above = ".".join(parts[: len(parts) - node.level + 1])
                base = f"{above}.{base}".strip(".")
            found += [base, *(f"{base}.{alias.name}" for alias in node.names if alias.name != "*")]
    return found
