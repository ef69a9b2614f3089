"""Code below `%%time`, and training data of LightGBM and XGBoost, are captured as any other."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import pytest

from snapml_jupyter.capture.cell_magics import expanded
from snapml_jupyter.capture.reads import names_read
from snapml_jupyter.capture.replayable import assigned_names
from snapml_jupyter.capture.state import dump_state, load_state
from snapml_jupyter.magics.transformer import transform


def has_openmp() -> bool:
    """Whether LightGBM's wheel finds GCC's OpenMP, which it does not bring and a bare Linux lacks."""
    try:
        return sys.platform != "linux" or ctypes.CDLL("libgomp.so.1") is not None
    except OSError:
        return False


def test_a_cell_magic_below_the_first_line_is_still_one() -> None:
    made = transform(["%%snap_train a -s 1\n", "\n", "%%time -q\n", "x = 1\n", "!ls"])
    assert made == [
        "get_ipython().run_line_magic('snap_train', 'a -s 1')\n",
        "\n",
        "get_ipython().run_cell_magic('time', '-q', 'x = 1\\n!ls')\n",
    ]
    assert transform(["%%snap_train\n", "x = 1\n", "%%time\n"])[1:] == [
        "x = 1\n",
        "%%time\n",
    ]  # a mistake of the user's


def test_names_inside_of_magics_are_read_and_assigned() -> None:
    cell = expanded("get_ipython().run_cell_magic('time', '', 'm = fit(X)\\n%time n = m + k\\n%timeit -n 3 q = p\\n')")
    assert names_read(cell, dict.fromkeys(["fit", "X", "m", "k", "n", "p", "q"])) == ["fit", "X", "k", "p"]
    assert assigned_names(cell) == ["m", "n"]
    assert expanded("get_ipython().run_cell_magic('bash', '', 'x = 1')").startswith("get_ipython")


def again(value: dict[str, Any]) -> dict[str, Any]:
    """The values written and read."""
    return load_state(dump_state(value, {}, {}, lambda _: None), {}, lambda place: place)


@pytest.mark.skipif(not has_openmp(), reason="LightGBM needs libgomp.so.1: apt-get install libgomp1")
def test_datasets_of_lightgbm_come_back_as_they_are() -> None:
    lightgbm = pytest.importorskip("lightgbm", reason="LightGBM is optional")
    import numpy as np

    X = np.random.default_rng(0).normal(size=(200, 3))
    y = (X[:, 0] > 0).astype(int)
    train = lightgbm.Dataset(X, y, weight=np.arange(200) + 1.0)
    valid = lightgbm.Dataset(X[:50], y[:50], reference=train)
    params = {"objective": "binary", "verbosity": -1}
    fresh = again({"train": train})["train"]
    assert lightgbm.train(params, fresh, 3).num_trees() == 3

    def text(of: Any, on: Any) -> str:
        return str(lightgbm.train(params, of, 4, valid_sets=[on]).model_to_string())

    expected = text(train, valid)
    for _ in range(2):  # used ones hold a pointer and no rows any more
        kept = again({"train": train, "pair": [valid, train]})
        assert kept["pair"][1] is kept["train"]
        assert text(kept["train"], kept["pair"][0]) == expected


def test_matrices_of_xgboost_come_back_as_they_are() -> None:
    xgboost = pytest.importorskip("xgboost", reason="XGBoost is optional")
    import numpy as np

    X = np.random.default_rng(0).normal(size=(200, 3))
    X[0, 0] = np.nan
    data = xgboost.DMatrix(X, label=X[:, 1] > 0, weight=np.arange(200), feature_names=["a", "b", "c"])
    kept = again({"data": data, "same": (data,)})
    assert kept["same"][0] is kept["data"]
    assert kept["data"].feature_names == ["a", "b", "c"]
    models = [xgboost.train({"objective": "binary:logistic"}, each, 3).save_raw() for each in (data, kept["data"])]
    assert models[0] == models[1]
