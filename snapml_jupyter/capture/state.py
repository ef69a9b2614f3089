"""Values of the notebook as bytes, and back: objects by value, tables and the program's own definitions by name.

Several names for one object are one object again. Functions and classes that the program defines by source are referred
to, others of the notebook are kept by value; their globals are the notebook's. What must not be kept (open files,
connections) is refused, whatever a pickler would make of it.
"""

from __future__ import annotations

import io
import pickle
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from .rebuilding import rebuilt, taken_apart

#: Most bytes of all values that are no tables.
MAX_STATE_BYTES = 1_000_000_000

#: What picklers raise about objects that they cannot keep; an object's own `__reduce__` may raise anything.
REFUSALS = (Exception,)


class TooLargeError(pickle.PicklingError):
    """More bytes than are kept."""


class _Bounded(io.BytesIO):
    def __init__(self, limit: int) -> None:
        super().__init__()
        self._left = limit

    def write(self, data: Any) -> int:
        self._left -= memoryview(data).nbytes
        if self._left < 0:
            raise TooLargeError("it is larger than what is kept of values that are no tables")
        return super().write(data)


def dump_state(
    values: Mapping[str, Any],
    namespace: Mapping[str, Any],
    tables: Mapping[int, str],
    refer: Callable[[Any], str | None],
    limit: int = MAX_STATE_BYTES,
) -> bytes:
    """The values as bytes. `tables` names tables by `id`; `refer` gives the name of a function or class that the program
    defines, else None. Raises what a pickler raises, or TooLargeError.
    """
    import cloudpickle  # type: ignore[import-untyped]  # it publishes no type information

    marker: dict[str, Any] = {"__name__": "__main__", "__snapml_globals__": True}

    rebuilt_later: dict[int, tuple[int, Any]] = {}  # the value too, so that its id is not used again

    class StatePickler(cloudpickle.Pickler):  # type: ignore[misc]  # untyped, see above
        def persistent_id(self, obj: Any) -> tuple[Any, ...] | None:
            kind = type(obj)
            if kind in (int, float, str, bool, bytes, type(None)):
                return None
            place = tables.get(id(obj))
            if place is not None:
                return ("table", place)
            if obj is marker or obj is namespace:
                return ("globals",)
            if kind is types.FunctionType or isinstance(obj, type):
                name = refer(obj)
                return None if name is None else ("name", name)
            if kind.__name__ in ("DMatrix", "Dataset"):
                known = rebuilt_later.get(id(obj))
                if known is not None:
                    return ("rebuilt", str(known[0]))
                parts = taken_apart(obj)
                if parts is not None:
                    number = len(rebuilt_later)
                    rebuilt_later[id(obj)] = (number, obj)
                    return ("rebuilt", str(number), *parts)
            if isinstance(obj, io.IOBase) and not isinstance(obj, (io.BytesIO, io.StringIO)):
                for name in ("stdout", "stderr"):
                    if obj is getattr(sys, name):
                        return (name,)
                raise pickle.PicklingError(f"an open file ({type(obj).__name__}) cannot be kept")
            return None

    buffer = _Bounded(limit)
    pickler = StatePickler(buffer, protocol=5)
    # Functions kept by value share the notebook's globals again, so that a rebound name reaches them.
    if hasattr(pickler, "globals_ref"):
        pickler.globals_ref[id(namespace)] = marker
    pickler.dump(dict(values))
    return buffer.getvalue()


def load_state(content: bytes, namespace: dict[str, Any], tables: Callable[[str], Any]) -> dict[str, Any]:
    """The values again, in a namespace in which the program's definitions have been executed."""

    made: dict[str, Any] = {}

    class StateUnpickler(pickle.Unpickler):
        def persistent_load(self, pid: Any) -> Any:
            kind = pid[0]
            if kind == "table":
                return tables(pid[1])
            if kind == "globals":
                return namespace
            if kind == "name":
                return namespace[pid[1]]
            if kind == "rebuilt":
                if pid[1] not in made:
                    made[pid[1]] = rebuilt(pid[2], pid[3])
                return made[pid[1]]
            return getattr(sys, kind)

    loaded: dict[str, Any] = StateUnpickler(io.BytesIO(content)).load()
    return loaded
