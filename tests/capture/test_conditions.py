"""Where generators take their seed from while a cell is recorded."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path

import numpy.random as numpy_random
import pytest

from snapml_jupyter.capture.conditions import Entropy


def drawn(entropy: Entropy, forget: bool) -> list[object]:
    entropy.start()
    try:
        torch = importlib.import_module("torch")
        return [numpy_random.default_rng().random(), random.Random().random(), *torch.SEEDS]
    finally:
        entropy.stop()
        if forget:
            del sys.modules["torch"]


def test_what_asks_the_system_for_a_seed_gets_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # In torch's place: the library itself is too large for the tests.
    (tmp_path / "torch.py").write_text("SEEDS = []\nmanual_seed = SEEDS.append\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    finders, entropy = list(sys.meta_path), Entropy()
    first = drawn(entropy, forget=True)
    assert len(first) == 3
    assert drawn(Entropy(entropy.base), forget=True) == first
    other = drawn(Entropy(), forget=False)
    assert not set(first) & set(other)
    again = drawn(Entropy(), forget=True)
    assert again[2:] == other[2:], "a torch that is loaded keeps the state it has"
    assert sys.meta_path == finders
