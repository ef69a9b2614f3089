"""SnapML for Jupyter: train, version, deploy and watch models without leaving the notebook.

Public names are loaded on first use, so `import snapml_jupyter as snap` is instant.
"""

from __future__ import annotations

import sys as _sys
from importlib import import_module as _import_module
from pathlib import Path as _Path
from types import ModuleType as _ModuleType
from typing import Any as _Any

from .version import __version__

_folder = _Path(__file__).resolve().parent
if not (_folder / "magics").is_dir():
    # A checkout keeps magics/ and server_ext/ beside this package; an installed wheel has them inside it.
    __path__.append(str(_folder.parent))

#: Public name -> module below snapml_jupyter that holds it.
_PUBLIC: dict[str, str] = {
    "workspace": "public.current",
    "status": "public.current",
    "start_run": "public.runs",
    "run": "public.runs",
    "runs": "public.runs",
    "compare": "public.runs",
    "curves": "public.runs",
    "metric_points": "public.runs",
    "log_param": "public.runs",
    "log_params": "public.runs",
    "log_metric": "public.runs",
    "log_metrics": "public.runs",
    "log_artifact": "public.runs",
    "log_figure": "public.runs",
    "log_model": "public.runs",
    "set_tag": "public.runs",
    "replay": "public.replays",
    "export_run": "public.replays",
    "snapshot": "public.datasets",
    "query": "public.datasets",
    "dataset": "public.datasets",
    "datasets": "public.datasets",
    "diff": "public.datasets",
    "validate": "public.validation",
    "propose_suite": "public.validation",
    "save_suite": "public.validation",
    "lineage": "public.lineage",
    "register": "public.models",
    "model": "public.models",
    "models": "public.models",
    "promote": "public.models",
    "set_alias": "public.models",
    "load_model": "public.models",
    "export_onnx": "public.models",
    "deploy": "public.endpoints",
    "endpoint": "public.endpoints",
    "endpoints": "public.endpoints",
    "ab_test": "public.monitoring",
    "test_endpoint": "public.gates",
    "gate": "public.gates",
    "export_deployment": "public.packaging",
    "feedback": "public.monitoring",
    "drift": "public.monitoring",
    "monitor": "public.monitoring",
    "alerts": "public.monitoring",
    "SnapMLError": "domain.errors",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604  the table holds strings only


def __getattr__(name: str) -> _Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'snapml_jupyter' has no attribute {name!r}")
    value = getattr(_import_module(f".{_PUBLIC[name]}", __name__), name)
    globals()[name] = value
    return value


class _Package(_ModuleType):
    """Importing the subpackage `runs` sets the attribute `runs`, which would hide the public function of that name."""

    def __setattr__(self, name: str, value: _Any) -> None:
        if not (name in _PUBLIC and isinstance(value, _ModuleType)):
            super().__setattr__(name, value)


_sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])


def load_ipython_extension(ipython: _Any) -> None:
    """`%load_ext snapml_jupyter`: register the magics."""
    _import_module(".magics", __name__).load_ipython_extension(ipython)


def unload_ipython_extension(ipython: _Any) -> None:
    """`%unload_ext snapml_jupyter`."""
    _import_module(".magics", __name__).unload_ipython_extension(ipython)


def _jupyter_server_extension_points() -> list[dict[str, _Any]]:
    app = _import_module(".server_ext.app", __name__).SnapMLExtension
    return [{"module": "snapml_jupyter.server_ext", "app": app}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "snapml-jupyter"}]
