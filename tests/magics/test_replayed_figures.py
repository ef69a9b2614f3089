"""What a notebook draws is drawn again by its replay, and compared."""

from __future__ import annotations

import pytest

from snapml_jupyter.domain.program import Verdict
from snapml_jupyter.replay.replaying import replay
from snapml_jupyter.store.workspace import open_workspace

from .conftest import Kernel

DRAWS = """%%snap_train drawn
%matplotlib inline
plt.plot(np.random.rand(5))
plt.show()
plt.hist(np.random.rand(20))
lines = len(plt.gca().lines)"""


def test_figures_of_a_replay_are_the_same_pictures(kernel: Kernel) -> None:
    pytest.importorskip("matplotlib", reason="Matplotlib is optional")
    kernel.run("import matplotlib.pyplot as plt, numpy as np")
    assert kernel.run(DRAWS).status == "ok"
    kernel.run("%%snap_train other\nplt.plot([int.from_bytes(__import__('os').urandom(2), 'big'), 2])\nplt.show()")
    workspace = open_workspace(str(kernel.workspace_folder), actor="ada")

    report = replay(workspace, "drawn")
    assert report.verdict is Verdict.identical, report
    assert report.compared["artifacts"] == 2  # `plt.show()` began a second figure, as it does in a notebook
    other = replay(workspace, "other")
    assert other.verdict is Verdict.different
    assert other.differences[0].what == "artifact figures/figure-1.png"
