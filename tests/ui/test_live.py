"""What a kernel or another process does shows in the open page within a second, without a reload."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from playwright.sync_api import expect

#: The bar is one second; a machine that also runs other tests may be late itself.
_SECONDS = 2.0

_CELL = """%%snap_train in-the-notebook --seed 3
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
model = LogisticRegression().fit(frame[["a", "b"]], frame["c"])
accuracy_score(frame["c"], model.predict(frame[["a", "b"]]))
"""

#: Remembers when a row with this title first showed, and when its status first was this word.
_WATCH = """([title, word]) => {
    window.snapmlSeen = {};
    const look = () => {
        for (const row of document.querySelectorAll('#snapml-sidebar .jp-snapml-row')) {
            if (row.querySelector('.jp-snapml-row-title')?.textContent !== title) continue;
            window.snapmlSeen.shown ??= Date.now();
            if (row.querySelector('.jp-snapml-status')?.title === word) window.snapmlSeen.done ??= Date.now();
        }
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


def _seconds(milliseconds: float, iso_time: str) -> float:
    return milliseconds / 1000 - datetime.fromisoformat(iso_time).timestamp()


def test_a_run_of_the_notebook_appears_while_it_runs(lab_page: Any) -> None:
    lab_page.open_sidebar()
    expect(lab_page.row("runs", "visitors")).to_be_visible()
    lab_page.open_notebook("live.ipynb")
    assert "Error" not in lab_page.run_cell("%load_ext snapml_jupyter")
    lab_page.run_cell(
        "import pandas as pd\nframe = pd.DataFrame({'a': [1., 2, 3, 4] * 9, 'b': [0., 1, 0, 1] * 9, 'c': [0, 0, 1, 1] * 9})"
    )
    lab_page.page.evaluate(_WATCH, ["in-the-notebook", "finished"])
    said = lab_page.run_cell(_CELL)
    assert "in-the-notebook" in said
    lab_page.page.wait_for_function("() => window.snapmlSeen.done !== undefined")
    seen = lab_page.page.evaluate("() => window.snapmlSeen")
    run = lab_page.lab.call("runs.get_run", ref="in-the-notebook")
    assert 0 <= _seconds(seen["done"], run["finished_at"]) < _SECONDS
    assert _seconds(seen["shown"], run["started_at"]) >= 0
    assert run["source"]["notebook_path"].endswith("live.ipynb")
    assert run["metrics"] == {"accuracy_score": 1.0} or "accuracy" in str(run["metrics"])
    assert run["inputs"][0]["variable"] == "frame"
    expect(lab_page.row("datasets", "frame")).to_be_visible()
    lab_page.screenshot("notebook")


def test_a_change_by_another_process_shows_within_a_second(lab_page: Any) -> None:
    lab_page.open_sidebar()
    expect(lab_page.row("runs", "visitors")).to_be_visible()
    lab_page.page.evaluate(_WATCH, ["from-elsewhere", "finished"])
    lab_page.lab.run_python(
        "import snapml_jupyter as snap\nwith snap.start_run('from-elsewhere'):\n    snap.log_metric('x', 1)"
    )
    lab_page.page.wait_for_function("() => window.snapmlSeen.done !== undefined")
    run = lab_page.lab.call("runs.get_run", ref="from-elsewhere")
    assert 0 <= _seconds(lab_page.page.evaluate("() => window.snapmlSeen.done"), run["finished_at"]) < _SECONDS
