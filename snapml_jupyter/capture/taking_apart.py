"""Taking values apart into numbers, arrays and texts.

Objects are taken apart as pickle takes them apart (`__reduce_ex__`), so what is compared is all of what they are made of;
drawings into what they show. What has no such parts (open files, generators) is listed as not compared.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import io
import re
import types
from collections.abc import Mapping, Sequence
from typing import Any

from .chance import without_chance
from .clock import ClockReadings
from .now import Span, is_now, without_now
from .outcome import MAX_KEPT_BYTES, MAX_LEAVES, Outcome

#: Bytes that are hashed in all.
MAX_HASHED_BYTES = 2_000_000_000
_MAX_DEPTH = 40
_MAX_TEXT = 4_000
#: Keys and attributes that scikit-learn fills from a clock, with its version or with an address.
_CLOCK_KEY = re.compile(r"(?:mean_|std_)?(?:fit|score)_time|refit_time_|_sklearn_version|__version__|_stop_words_id")
#: torch numbers hooks through the whole process: their keys say how many others there were.
_HOOKS = re.compile(r"_hooks(?:_|$)")
_NOT_TAKEN_APART = (
    "matplotlib",
    "IPython",
    "ipykernel",
    "ipywidgets",
    "snapml_jupyter",
    "logging",
    "threading",
    "asyncio",
    "_io",
    "socket",
    "sqlite3",
    "plotly",
    "bokeh",
    "altair",
    "tqdm",
    "wandb",
    "comet_ml",
    "neptune",
    "clearml",
)
#: Runs of another tracker, unlike the models that it loads.
_RUNS = ("mlflow.entities", "mlflow.tracking")


def take_outcome(
    values: Mapping[str, Any],
    clock: set[str],
    readings: ClockReadings | None = None,
    spans: Sequence[Span] = (),
    imported: Mapping[str, str] | None = None,
) -> Outcome:
    """The values taken apart. Never raises for a value: what cannot be looked at is listed as not compared.

    Variables of `clock` are left out, and what `readings` names in others. Texts and times are kept without a time that
    a clock showed within one of the `spans`. `imported` says of names that imports gave what they imported: which class that is
    may depend on the front end (tqdm's).
    """
    outcome = Outcome(clock=sorted(clock & set(values)))
    taking = _Taking(outcome, readings or ClockReadings(), spans)
    for name, value in values.items():
        if name in clock:
            continue
        if imported and name in imported and isinstance(value, _IMPORTABLE):
            outcome.leaves[name] = ["module", imported[name]]
        else:
            taking.take(name, value)
    return outcome


_IMPORTABLE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


class _Taking:
    def __init__(self, outcome: Outcome, readings: ClockReadings, spans: Sequence[Span]) -> None:
        self.outcome = outcome
        self.readings = readings
        self.spans = spans
        self.seen: dict[int, str] = {}
        self.alive: list[Any] = []  # so that an id is not used again
        self.kept = self.hashed = 0
        self.keeps = True

    def take(self, path: str, value: Any, depth: int = 0) -> None:
        try:
            self._take(path, value, depth)
        except RecursionError:
            self._opaque(path, value)
        except Exception:  # an object may raise anything when it is looked at: it is listed, the others are compared
            self._opaque(path, value)

    def _take(self, path: str, value: Any, depth: int) -> None:
        if len(self.outcome.leaves) >= MAX_LEAVES or depth > _MAX_DEPTH:
            self.outcome.is_cut = True
            return
        kind = type(value)
        if self.readings.places and self._is_reading(path):
            return
        if value is None or kind is bool:
            self._leaf(path, "text", repr(value))
        elif kind is int:
            self._leaf(path, "number" if abs(value) < 2**53 else "text", value if abs(value) < 2**53 else str(value))
        elif kind is float:
            self._leaf(path, "number", value if value == value and abs(value) != float("inf") else repr(value))
        elif kind is complex:
            self._take(f"{path}.real", value.real, depth)
            self._take(f"{path}.imag", value.imag, depth)
        elif kind is str:
            if self.spans and len(value) < _MAX_TEXT * 10:
                value = without_now(value, self.spans)
            if len(value) <= _MAX_TEXT:
                self._leaf(path, "text", without_chance(value))
            else:
                self._digest(path, value.encode("utf-8", "surrogatepass"))
        elif kind in (bytes, bytearray):
            self._digest(path, bytes(value))
        elif isinstance(value, types.ModuleType):
            self._leaf(path, "module", value.__name__)
        elif isinstance(value, type):
            self._leaf(path, "text", f"class {value.__module__}.{value.__qualname__}")
        elif isinstance(value, (types.FunctionType, types.BuiltinFunctionType, types.MethodType)):
            self._function(path, value, depth)
        elif id(value) in self.seen and not _is_flat(value):
            self._leaf(path, "alias", self.seen[id(value)])
        else:
            self.seen[id(value)] = path
            self.alive.append(value)
            self._object(path, value, depth)

    def _is_reading(self, path: str) -> bool:
        return path in self.readings.places or re.sub(r"\[\d+\]", "[*]", path, count=1) in self.readings.places

    def _is_clock_key(self, key: Any) -> bool:
        return isinstance(key, str) and (_CLOCK_KEY.fullmatch(key) is not None or key in self.readings.keys)

    def _object(self, path: str, value: Any, depth: int) -> None:
        root = type(value).__module__.partition(".")[0]
        if root == "numpy" and self._numpy(path, value, depth):
            return
        if root == "pandas" and self._pandas(path, value, depth):
            return
        if isinstance(value, datetime.datetime):
            self._leaf(path, "text", self._moment(value))
            return
        if root == "polars" and hasattr(value, "to_pandas") and hasattr(value, "columns"):
            for name in value.columns:
                self.take(f"{path}[{name!r}]", value[name].to_list(), depth + 1)
            return
        if root == "torch" and self._torch(path, value):
            return
        if root in ("matplotlib", "seaborn", "mpl_toolkits") and self._drawn(path, value, depth):
            return
        if isinstance(value, dict):
            self._leaf(f"{path}#", "text", f"{_type(value)} of {len(value)}")
            for key, item in value.items():
                if not self._is_clock_key(key):
                    self.take(f"{path}[{_key(key)}]", item, depth + 1)
            self._attributes(path, value, depth)
        elif isinstance(value, (list, tuple)):
            self._sequence(path, value, depth)
        elif isinstance(value, (set, frozenset)):
            items = sorted(value, key=lambda item: (type(item).__name__, repr(item)))
            self._sequence(path, items, depth, f"{_type(value)} of {len(items)}")
        elif (
            root in _NOT_TAKEN_APART
            or type(value).__module__.startswith(_RUNS)
            or isinstance(value, (io.IOBase, types.GeneratorType, types.CoroutineType))
        ):
            self._opaque(path, value)
        else:
            self._reduced(path, value, depth)

    def _sequence(self, path: str, items: Any, depth: int, said: str | None = None) -> None:
        self._leaf(f"{path}#", "text", said or f"{_type(items)} of {len(items)}")
        if len(items) > 20 and all(type(item) in (int, float, bool) for item in items):
            import numpy as np

            try:
                self._array(
                    f"{path}[:]", np.array(items, dtype="float64" if any(type(i) is float for i in items) else "int64")
                )
            except OverflowError:
                self._digest(f"{path}[:]", repr(items).encode())
        elif len(items) > 20 and all(type(item) is str or item is None for item in items):
            self._digest(f"{path}[:]", repr(list(items)).encode("utf-8", "surrogatepass"))
        else:
            for position, item in enumerate(items):
                self.take(f"{path}[{position}]", item, depth + 1)
        if type(items) not in (list, tuple):
            self._attributes(path, items, depth)

    def _numpy(self, path: str, value: Any, depth: int) -> bool:
        import numpy as np

        if isinstance(value, np.generic):
            if value.dtype.kind in "biuf" and value.dtype.itemsize <= 8:
                self._take(path, value.item(), depth)
            else:
                self._array(path, np.asarray(value))
            return True
        if isinstance(value, np.ma.MaskedArray):
            self._array(f"{path}.mask", np.ma.getmaskarray(value))
            self._array(f"{path}.data", value.filled(0) if value.dtype.kind in "biuf" else np.asarray(value))
            return True
        if isinstance(value, np.ndarray):
            self._array(path, np.asarray(value), depth)
            return True
        if isinstance(value, (np.random.Generator, np.random.RandomState)):
            bits = (
                value.bit_generator.state if isinstance(value, np.random.Generator) else value.get_state(legacy=False)
            )
            self.take(f"{path}.state", bits, depth + 1)
            return True
        if isinstance(value, np.dtype):
            self._leaf(path, "text", f"dtype {value}")
            return True
        return False

    def _pandas(self, path: str, value: Any, depth: int) -> bool:
        import pandas as pd

        if isinstance(value, pd.DataFrame):
            self._leaf(f"{path}#", "text", f"{len(value)} rows, columns {[str(c) for c in value.columns][:200]}")
            columns = [value.iloc[:, place] for place in range(value.shape[1])]
            are_moments = [self._is_of_the_run(column) for column in columns]
            for label, column, is_moment in zip(value.columns, columns, are_moments, strict=True):
                # Beside times of the run, durations are what lies between them.
                if is_moment or (column.dtype.kind == "m" and any(are_moments)):
                    self.outcome.not_compared.append(f"{path}[{_key(label)}]: times of the run")
                elif not self._is_clock_key(label):
                    self._column(f"{path}[{_key(label)}]", column, depth)
            self._index(path, value.index, depth)
            return True
        if isinstance(value, pd.Series):
            self._leaf(f"{path}#", "text", f"series {value.name!r}")
            self._column(path, value, depth)
            self._index(path, value.index, depth)
            return True
        if isinstance(value, pd.Index):
            self._index(path, value, depth)
            return True
        if value is pd.NaT or value is pd.NA or isinstance(value, (pd.Timestamp, pd.Timedelta, pd.Interval, pd.Period)):
            self._leaf(path, "text", self._moment(value) if type(value) is pd.Timestamp else repr(value))
            return True
        return False

    def _is_of_the_run(self, column: Any) -> bool:
        """Whether the column says when each row was made."""
        if not self.spans or column.dtype.kind != "M" or not 0 < column.count() <= 10_000:
            return False
        return all(is_now(moment.to_pydatetime(), self.spans) for moment in column.dropna())

    def _column(self, path: str, column: Any, depth: int) -> None:
        import pandas as pd

        if isinstance(column.dtype, pd.CategoricalDtype):
            self._array(f"{path}.codes", column.cat.codes.to_numpy())
            self.take(f"{path}.categories", column.cat.categories.tolist(), depth + 1)
        elif column.dtype.kind in "biufcmM" and not isinstance(column.dtype, pd.api.extensions.ExtensionDtype):
            self._array(path, column.to_numpy())
        else:
            self._leaf(f"{path}.dtype", "text", str(column.dtype))
            self._objects(path, column.astype(object).tolist(), depth)

    def _index(self, path: str, index: Any, depth: int) -> None:
        import pandas as pd

        if isinstance(index, pd.RangeIndex):
            self._leaf(f"{path}.index", "text", repr(index))
        elif isinstance(index, pd.MultiIndex):
            for place in range(index.nlevels):  # as tuples, a few thousand rows would be all that is compared
                self._index(f"{path}.index[{place}]", index.get_level_values(place), depth)
        elif index.dtype.kind not in "biufmM" or isinstance(index.dtype, pd.api.extensions.ExtensionDtype):
            self._objects(f"{path}.index", index.tolist(), depth)
        else:
            self._array(f"{path}.index", index.to_numpy())

    def _objects(self, path: str, items: list[Any], depth: int) -> None:
        simple = (str, int, float, bool, type(None))
        if len(items) > 20 and all(
            isinstance(item, simple) or type(item).__name__ in ("NAType", "NaTType", "Timestamp") for item in items
        ):
            floats = [item for item in items if type(item) is float and item == item]
            rest = [item for item in items if not (type(item) is float and item == item)]
            self._digest(f"{path}[:]", repr(rest).encode("utf-8", "surrogatepass"))
            if floats:
                import numpy as np

                self._array(f"{path}.floats", np.array(floats))
        else:
            self._sequence(path, items, depth)

    def _torch(self, path: str, value: Any) -> bool:
        if type(value).__name__ in ("device", "dtype", "Size"):
            self._leaf(path, "text", repr(value))
            return True
        if hasattr(value, "detach") and hasattr(value, "numpy"):
            tensor = value.detach().cpu()
            if str(tensor.dtype) == "torch.bfloat16":
                tensor = tensor.float()
            self._array(path, tensor.numpy())
            grad = getattr(value, "grad", None) if getattr(value, "is_leaf", False) else None
            if grad is not None:
                self._array(f"{path}.grad", grad.detach().cpu().numpy())
            return True
        if type(value).__name__ == "Generator":
            self._array(f"{path}.state", value.get_state().numpy())
            return True
        if hasattr(value, "state_dict") and hasattr(value, "parameters"):
            self._leaf(f"{path}#", "text", _type(value))
            for name, tensor in value.state_dict().items():
                self.take(f"{path}.{name}", tensor, 1)
            return True
        return False

    def _drawn(self, path: str, value: Any, depth: int) -> bool:
        """What a drawing shows: the numbers of its lines, points, bars and images, and its texts."""
        parts: dict[str, Any] = {}
        for name, read in (
            ("data", "get_xydata"),
            ("offsets", "get_offsets"),
            ("values", "get_array"),
            ("text", "get_text"),
            ("x", "get_x"),
            ("y", "get_y"),
            ("width", "get_width"),
            ("height", "get_height"),
        ):
            # A figure's width is how it is shown, a bar's is what it says.
            if hasattr(value, read) and type(value).__name__ != "Figure":
                parts[name] = getattr(value, read)()
        for name in ("axes", "lines", "collections", "patches", "images", "texts", "title"):
            held = getattr(value, name, None)
            if isinstance(held, (list, tuple)) or type(held).__name__ in ("ArtistList", "Text"):
                parts[name] = list(held or ()) if type(held).__name__ != "Text" else held
        if not parts:
            return False
        self._leaf(f"{path}#", "text", type(value).__name__)
        for name, part in parts.items():
            if part is not None:
                self.take(f"{path}.{name}", part, depth + 1)
        return True

    def _reduced(self, path: str, value: Any, depth: int) -> None:
        """An object as pickle would take it apart."""
        if type(value) is functools.partial:  # whose own state is None or empty, as it happens
            self.take(f"{path}()", [value.func, list(value.args), value.keywords], depth + 1)
            return
        import copyreg

        reducer = copyreg.dispatch_table.get(type(value))
        reduced = reducer(value) if reducer is not None else value.__reduce_ex__(4)
        self._leaf(f"{path}#", "text", _type(value))
        if isinstance(reduced, str):
            self._leaf(path, "text", reduced)
            return
        made_by, arguments, *rest = reduced
        state, items, pairs = ([*rest, None, None, None])[:3]
        name = getattr(made_by, "__name__", "")
        if name not in ("__newobj__", "_reconstructor", "__newobj_ex__"):
            self.take(f"{path}()", list(arguments), depth + 1)
        elif len(arguments) > 1 and name == "__newobj__":
            self.take(f"{path}()", list(arguments[1:]), depth + 1)
        if (
            isinstance(state, tuple)
            and len(state) == 2
            and all(part is None or isinstance(part, dict) for part in state)
        ):
            state = {**(state[0] or {}), **(state[1] or {})}
        if isinstance(state, dict):
            for key, item in state.items():
                if isinstance(key, str) and _HOOKS.search(key) and isinstance(item, dict):
                    item = list(item.values())
                if not self._is_clock_key(key) and (key, type(value).__name__) != ("uuid", "Styler"):
                    self.take(f"{path}.{key}" if isinstance(key, str) else f"{path}[{_key(key)}]", item, depth + 1)
        elif state is not None:
            self.take(f"{path}.state", state, depth + 1)
        if items is not None:
            self.take(f"{path}[:]", list(items), depth + 1)
        if pairs is not None:
            self.take(f"{path}[:]", dict(pairs), depth + 1)

    def _moment(self, value: datetime.datetime) -> str:
        return f"{_type(value)} of the run" if is_now(value, self.spans) else repr(value)

    def _attributes(self, path: str, value: Any, depth: int) -> None:
        for key, item in getattr(value, "__dict__", {}).items():
            if not key.startswith("_") and not self._is_clock_key(key):  # of a container, what counts is in it
                self.take(f"{path}.{key}", item, depth + 1)

    def _function(self, path: str, value: Any, depth: int) -> None:
        if isinstance(value, types.MethodType):
            self._leaf(path, "text", f"method {value.__func__.__qualname__}")
            self.take(f"{path}.__self__", value.__self__, depth + 1)
        elif isinstance(value, types.FunctionType):
            module = "" if value.__module__ == "__main__" else f"{value.__module__}."
            code = value.__code__
            shown = (
                ""
                if module
                else hashlib.blake2b(code.co_code + repr(code.co_names).encode(), digest_size=8).hexdigest()
            )
            self._leaf(path, "text", f"function {module}{value.__qualname__} {shown}".rstrip())
        else:
            self._leaf(path, "text", f"function {value.__qualname__}")
            if not isinstance(value.__self__, types.ModuleType):
                self.take(f"{path}.__self__", value.__self__, depth + 1)

    # Leaves

    def _array(self, path: str, array: Any, depth: int = 0) -> None:
        import numpy as np

        if array.dtype.names:
            for name in array.dtype.names:
                self._array(f"{path}[{name!r}]", array[name], depth)
            return
        if array.dtype.kind == "O":
            self._leaf(f"{path}#", "text", f"array of shape {list(array.shape)}")
            self._objects(path, array.ravel().tolist(), depth + 1)
            return
        if array.size == 0 or self.hashed + array.nbytes > MAX_HASHED_BYTES:
            self._leaf(path, "text", f"{array.dtype} of shape {list(array.shape)}")
            if array.size:
                self.outcome.not_compared.append(f"{path}: too large")
            return
        if array.dtype.kind == "f" and array.dtype.itemsize > 8:
            array = array.astype("float64")
        plain = np.ascontiguousarray(array)
        data = plain.tobytes()
        self.hashed += len(data)
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        place = None
        if self.keeps and array.dtype.kind in "fc" and self.kept + len(data) <= MAX_KEPT_BYTES:
            place = len(self.outcome.arrays)
            self.outcome.arrays.append(data)
            self.kept += len(data)
        self._leaf(
            path, "array", {"dtype": array.dtype.str, "shape": list(array.shape), "digest": digest, "place": place}
        )

    def _digest(self, path: str, data: bytes) -> None:
        if self.hashed + len(data) > MAX_HASHED_BYTES:
            self.outcome.not_compared.append(f"{path}: too large")
            return
        self.hashed += len(data)
        self._leaf(path, "digest", [len(data), hashlib.blake2b(data, digest_size=16).hexdigest()])

    def _leaf(self, path: str, kind: str, value: Any) -> None:
        self.outcome.leaves[path] = [kind, value]

    def _opaque(self, path: str, value: Any) -> None:
        if len(self.outcome.not_compared) < 100:
            self.outcome.not_compared.append(f"{path}: {type(value).__name__}")


def _is_flat(value: Any) -> bool:
    """Arrays, tables and plain tuples: whether two names share one says nothing, so they are taken again."""
    if type(value) is tuple and len(value) <= 100:
        return all(type(item) in (int, float, str, bool, type(None)) for item in value)
    return hasattr(value, "dtype") or hasattr(value, "dtypes")


def _type(value: Any) -> str:
    kind = type(value)
    return (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )


def _key(key: Any) -> str:
    text = without_chance(repr(key))
    return (
        text
        if len(text) <= 120
        else f"{text[:100]}...{hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"
    )
