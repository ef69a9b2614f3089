"""`import snapml_jupyter` and the list of operations load nothing heavy; a fresh process proves it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "IPython", "blake3", "fsspec", "ipywidgets", "jupyter_client", "jupyter_server", "msgspec", "numpy", "onnx", "onnxruntime",
    "optuna", "pandas", "peft", "psutil", "pyarrow", "scipy", "skl2onnx", "sklearn", "skops", "sqlite_utils", "torch",
    "tornado", "transformers", "uvicorn", "whylogs",
}  # fmt: skip
#: The operations need msgspec to be described, nothing else.
LIGHT = HEAVY - {"msgspec"}


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after running the code."""
    program = f"{code}\nimport sys, json; print(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import snapml_jupyter") & HEAVY == set()


def test_listing_the_operations_loads_nothing_heavy() -> None:
    assert loaded_by("from snapml_jupyter.operations import list_operations; list_operations()") & LIGHT == set()


def test_every_public_name_resolves() -> None:
    import snapml_jupyter

    for name in snapml_jupyter.__all__:
        assert getattr(snapml_jupyter, name) is not None


def test_a_subpackage_does_not_hide_the_public_function_of_its_name() -> None:
    assert loaded_by("import snapml_jupyter.runs.queries, snapml_jupyter as s; assert callable(s.runs), s.runs")
    assert loaded_by("import snapml_jupyter.datasets.versions, snapml_jupyter as s; assert callable(s.datasets)")


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import snapml_jupyter

    with pytest.raises(AttributeError, match="has no attribute 'snapshoot'"):
        _ = snapml_jupyter.snapshoot  # type: ignore[attr-defined]  # the point of the test
