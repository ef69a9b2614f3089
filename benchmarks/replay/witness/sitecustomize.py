"""Put on PYTHONPATH, this lets a replay's process write down what the cell left, by other means than SnapML's own.

`SNAPML_WITNESS` is the file to write. A name's hash is joblib's, of the whole object, after tables and arrays are brought
into one order in memory.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import json
import os
import sys
from typing import Any


def hashes(namespace: dict[str, Any]) -> dict[str, str]:
    """What joblib can hash of the namespace, by name."""
    import types

    import joblib

    found = {}
    for name, value in list(namespace.items()):
        if name.startswith("_") or isinstance(value, (types.ModuleType, types.FunctionType, type)):
            continue
        if type(value).__module__.partition(".")[0] in ("matplotlib", "IPython", "ipykernel", "snapml_jupyter"):
            continue
        try:
            found[name] = joblib.hash(_plain(value))
        except BaseException:  # what cannot be pickled has no hash
            continue
    return found


def _plain(value: Any, depth: int = 0) -> Any:
    """Arrays and tables without how they lie in memory, which decides about no result."""
    import numpy as np

    pandas = sys.modules.get("pandas")
    if isinstance(value, np.ndarray):
        return ["array", str(value.dtype), value.shape, value.tobytes() if value.dtype.kind != "O" else value.tolist()]
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return ["frame", [[str(c), _plain(value.iloc[:, n])] for n, c in enumerate(value.columns)]]
    if pandas is not None and isinstance(value, (pandas.Series, pandas.Index)):
        return ["column", str(value.dtype), _plain(np.asarray(value))]
    if depth < 8 and type(value) in (list, tuple):
        return [_plain(each, depth + 1) for each in value]
    if depth < 8 and isinstance(value, dict):
        return [[repr(key), _plain(each, depth + 1)] for key, each in value.items() if not str(key).endswith("_time")]
    if depth < 6 and hasattr(value, "__dict__") and not callable(value) and type(value).__module__ != "builtins":
        return [type(value).__name__, [[key, _plain(each, depth + 1)] for key, each in sorted(vars(value).items())]]
    return value


def write(namespace: dict[str, Any], path: str) -> None:
    """The hashes as a file."""
    with open(path, "w") as file:
        json.dump(hashes(namespace), file)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != "IPython.core.interactiveshell":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        original = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            original(module)
            run = module.InteractiveShell.run_cell

            def run_cell(shell: Any, *args: Any, **kwargs: Any) -> Any:
                result = run(shell, *args, **kwargs)
                write(shell.user_ns, os.environ["SNAPML_WITNESS"])
                return result

            module.InteractiveShell.run_cell = run_cell

        spec.loader.exec_module = exec_module
        return spec


if os.environ.get("SNAPML_WITNESS"):
    sys.meta_path.insert(0, _Finder())
