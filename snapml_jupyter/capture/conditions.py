"""What a result depends on beside names: the random generators' state and the options of libraries.

Both are read before the cell and put back before its replay. Nothing of the user's is changed by reading them.
"""

from __future__ import annotations

import logging
import os
import pickle
import random
import sys
import tempfile
from typing import Any

from .imports import WhenImported

#: Libraries that change others as they are imported: colour maps, converters.
_REGISTERING = ("seaborn", "pandas.plotting")


def random_state() -> dict[str, Any]:
    """The state of the global generators that exist; a library that is not loaded has drawn nothing yet."""
    state: dict[str, Any] = {"python": random.getstate()}
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        state["numpy"] = numpy.get_state(legacy=False)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        state["torch"] = torch.get_rng_state().numpy().tobytes()
        if getattr(torch, "cuda", None) is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
            state["cuda"] = [each.cpu().numpy().tobytes() for each in torch.cuda.get_rng_state_all()]
    return state


def generators_kept() -> list[str]:
    """The modules whose global generators' state is kept, as they are imported."""
    names = {"python": "random", "numpy": "numpy.random", "torch": "torch", "cuda": "torch.cuda"}
    return [names[kind] for kind in random_state()]


def restore_random_state(state: dict[str, Any]) -> None:
    """Put the generators where they were; imports the libraries that had one and are here."""
    random.setstate(state["python"])
    if "numpy" in state and (np := _imported("numpy")) is not None:
        np.random.set_state(state["numpy"])
    if "torch" in state and (torch := _imported("torch")) is not None:
        import numpy as np

        torch.set_rng_state(torch.from_numpy(np.frombuffer(state["torch"], dtype="uint8").copy()))
        for number, each in enumerate(state.get("cuda", ())):
            if torch.cuda.is_available() and number < torch.cuda.device_count():
                torch.cuda.set_rng_state(torch.from_numpy(np.frombuffer(each, dtype="uint8").copy()), number)


def dump_random_state() -> bytes:
    """`random_state` as bytes."""
    return pickle.dumps(random_state(), protocol=5)


class Entropy:
    """Where generators take a seed from when they are given none, for the time of a cell.

    `np.random.default_rng()` and `random.Random()` ask the operating system for bits, and torch does as it is imported.
    While this is active they get them from `base`, which was itself drawn from the operating system and is recorded, so
    that a replay gets the same ones in the same order.
    """

    def __init__(self, base: str | None = None) -> None:
        self.base = base or os.urandom(16).hex()
        self._count = 0
        self._original: Any = None
        self._python: Any = None
        self._imports = WhenImported({})

    def start(self) -> None:
        """Begin, where NumPy is loaded (the cell may import it later: then it is not NumPy's first import that counts)."""
        tempfile.mktemp()  # seeds its own generator at the first name: now, not with bits that are the cell's
        module = sys.modules.get("numpy.random.bit_generator")
        original = getattr(module, "randbits", None)
        if module is not None and callable(original):
            self._original = original
            module.randbits = self._randbits  # type: ignore[attr-defined]  # the name its SeedSequence looks up
        self._python = random.Random.seed, random.seed
        seed = random.Random.seed

        def seed_with_entropy(generator: random.Random, a: Any = None, version: int = 2) -> None:
            seed(generator, self._randbits(256) if a is None else a, version)

        random.Random.seed = seed_with_entropy  # type: ignore[method-assign, assignment]  # what `random.Random()` calls
        random.seed = random._inst.seed
        if "torch" not in sys.modules:
            self._imports = WhenImported({"torch": self._seed_torch})
            self._imports.start()

    def stop(self) -> None:
        """Give the operating system's bits back."""
        self._imports.stop()
        module = sys.modules.get("numpy.random.bit_generator")
        if module is not None and self._original is not None:
            module.randbits = self._original  # type: ignore[attr-defined]  # as above
            self._original = None
        if self._python is not None:
            random.Random.seed, random.seed = self._python  # type: ignore[method-assign]  # as above
            self._python = None

    def _seed_torch(self) -> None:
        sys.modules["torch"].manual_seed(self._bits("torch", 63))

    def _randbits(self, n_bits: int) -> int:
        self._count += 1
        return self._bits(str(self._count), n_bits)

    def _bits(self, name: str, n_bits: int) -> int:
        import hashlib

        digest = hashlib.blake2b(f"{self.base}:{name}".encode(), digest_size=max(1, (n_bits + 7) // 8)).digest()
        return int.from_bytes(digest, "big") >> (-n_bits % 8)


def library_settings() -> dict[str, Any]:
    """Options of loaded libraries that are not as they come, as plain values."""
    found: dict[str, Any] = {}
    sklearn = sys.modules.get("sklearn")
    if sklearn is not None and hasattr(sklearn, "get_config"):
        found["sklearn"] = {
            k: v for k, v in sklearn.get_config().items() if isinstance(v, (bool, int, float, str, type(None)))
        }
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "geterr"):
        found["numpy_errors"] = dict(numpy.geterr())
        options = numpy.get_printoptions()
        found["numpy_print"] = {
            k: v for k, v in options.items() if isinstance(v, (bool, int, float, str)) and k != "override_repr"
        }
    pandas = sys.modules.get("pandas")
    if pandas is not None and hasattr(pandas, "options"):
        changed = _pandas_options()
        if changed:
            found["pandas"] = changed
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None and hasattr(matplotlib, "rcParamsDefault"):
        defaults = matplotlib.rcParamsDefault
        found["matplotlib"] = {
            key: value
            for key, value in dict.items(matplotlib.rcParams)
            if isinstance(value, (bool, int, float, str, list))
            and key != "backend"
            and value != dict.get(defaults, key)
        }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_default_dtype"):
        found["torch"] = {
            "dtype": str(torch.get_default_dtype()).rpartition(".")[2],
            "threads": torch.get_num_threads(),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "grad": torch.is_grad_enabled(),
        }
    found["backend"] = _backend(matplotlib)
    found["loaded"] = [name for name in _REGISTERING if name in sys.modules]
    found["warnings"] = _warning_filters()
    found["logging"] = _logging_levels()
    return found


def changed_settings(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Options that a cell changed, by library; those of a library that it loaded against what they are by themselves."""
    changed = {}
    for library, options in after.items():
        if library in ("warnings", "logging", "loaded", "backend"):  # what is imported changes them, sooner or later
            continue
        known = before.get(library)
        if known is None:
            known = _defaults(library)
        differing = {k: v for k, v in options.items() if known.get(k) != v and (library, k) != ("torch", "threads")}
        lost = [k for k in known if k not in options]
        if differing or lost:
            changed[library] = {**differing, **dict.fromkeys(lost)}
    return changed


def _defaults(library: str) -> dict[str, Any]:
    if library == "torch":
        return {"dtype": "float32", "deterministic": False, "grad": True}
    if library == "sklearn":
        default = getattr(sys.modules.get("sklearn._config"), "_global_config", {})
        return {k: v for k, v in default.items() if isinstance(v, (bool, int, float, str, type(None)))}
    if library == "numpy_errors":
        return {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
    if library == "numpy_print":
        return library_settings()["numpy_print"]  # type: ignore[no-any-return]  # nobody can say what it was
    return {}


def _imported(name: str) -> Any:
    """The library, or None where it is not installed: a cell that needs it will say so."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def restore_library_settings(found: dict[str, Any]) -> None:
    """Put the options back; imports the libraries they belong to. A library or option that is not here is left out."""
    for name in found.get("loaded", []):
        _imported(name)
    if "sklearn" in found and (sklearn := _imported("sklearn")) is not None:
        known = sklearn.get_config()
        sklearn.set_config(**{key: value for key, value in found["sklearn"].items() if key in known})
    if "numpy_errors" in found and (np := _imported("numpy")) is not None:
        np.seterr(**found["numpy_errors"])
        known = np.get_printoptions()
        np.set_printoptions(**{key: value for key, value in found["numpy_print"].items() if key in known})
    if "pandas" in found and (pd := _imported("pandas")) is not None:
        for name, value in found["pandas"].items():
            try:
                pd.set_option(name, value)
            except (KeyError, ValueError, AttributeError):  # another version of pandas has no such option
                continue
    if "matplotlib" in found and (matplotlib := _imported("matplotlib")) is not None:
        for name, value in found["matplotlib"].items():
            try:
                matplotlib.rcParams[name] = value
            except (KeyError, ValueError):  # as above
                continue
    if "torch" in found and (torch := _imported("torch")) is not None:
        said = found["torch"]
        torch.set_default_dtype(getattr(torch, said["dtype"]))
        torch.set_num_threads(said["threads"])
        torch.use_deterministic_algorithms(said["deterministic"])
        torch.set_grad_enabled(said["grad"])
    _restore_warning_filters(found.get("warnings", []))
    for name, level in found.get("logging", {}).items():
        logging.getLogger(name).setLevel(level)


def _backend(matplotlib: Any) -> str:
    """How figures are shown: `inline` closes them at the end of a cell, others keep them."""
    chosen = dict.get(matplotlib.rcParams, "backend") if hasattr(matplotlib, "rcParams") else None
    name = str(chosen if isinstance(chosen, str) else os.environ.get("MPLBACKEND", ""))
    return "inline" if "inline" in name else name.lower()


def _pandas_options() -> dict[str, Any]:
    config = sys.modules.get("pandas._config.config")
    registered = getattr(config, "_registered_options", None)
    if config is None or not isinstance(registered, dict):
        return {}
    changed = {}
    for name, option in registered.items():
        try:
            value = config.get_option(name)
        except Exception:  # deprecated options warn or raise; they are not worth a failed recording
            continue
        if value != option.defval and isinstance(value, (bool, int, float, str, type(None))):
            changed[name] = value
    return changed


def _logging_levels() -> dict[str, int]:
    """Levels that were set, by logger; the empty name is the root's."""
    loggers = {name: each for name, each in logging.root.manager.loggerDict.items() if isinstance(each, logging.Logger)}
    return {"": logging.root.level, **{name: each.level for name, each in loggers.items() if each.level}}


def _warning_filters() -> list[list[Any]]:
    import warnings

    kept = []
    for action, message, category, module, line in warnings.filters:
        kept.append(
            [
                action,
                getattr(message, "pattern", None),
                f"{category.__module__}.{category.__qualname__}",  # type: ignore[union-attr]  # never a tuple in a filter
                getattr(module, "pattern", None),
                line,
            ]
        )
    return kept


def _restore_warning_filters(kept: list[list[Any]]) -> None:
    import importlib
    import re
    import warnings

    if not kept:
        return
    filters: list[Any] = []
    for action, message, category, module, line in kept:
        place, _, name = category.rpartition(".")
        try:
            kind = getattr(importlib.import_module(place), name)
        except (ImportError, AttributeError):  # a category of a library or notebook that is not here
            continue
        filters.append(
            (
                action,
                None if message is None else re.compile(message, re.I),
                kind,
                None if module is None else re.compile(module),
                line,
            )
        )
    warnings.resetwarnings()
    warnings.filters[:] = filters  # type: ignore[index]  # a list, as `warnings.filterwarnings` itself treats it
