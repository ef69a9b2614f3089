"""A recorded cell in the notebook: its card while it runs and after, what its buttons do, and the badge on the cell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

_TRAIN = """%%snap_train tuned --seed 3 --register tuned
for step in range(14):
    run.log_metric("loss", 1 / (1 + step))
    run.log_metric("auc", 0.6 + step / 50)
    time.sleep(0.15)
model = LogisticRegression().fit(table[["a", "b"]], table["c"])
print("fitted")
"""

_TABLE = "import time\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression\ntable = pd.DataFrame({'a': [1., 2, 3, 4] * 9, 'b': [0., 1, 0, 1] * 9, 'c': [0, 0, 1, 1] * 9})"


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """Cells and replays run in processes of their own, which a busy machine may let wait."""
    expect.set_options(timeout=60_000)
    yield
    expect.set_options(timeout=15_000)


def test_a_recorded_cell_from_its_first_line_to_its_replay(lab_page: Any) -> None:
    page = lab_page.page
    lab_page.open_notebook("cards.ipynb")
    assert "Error" not in lab_page.run_cell(f"%load_ext snapml_jupyter\n{_TABLE}")
    card, badge = page.locator(".jp-snapml-card"), page.locator(".jp-snapml-badge")
    expect(badge).to_have_count(0)

    lab_page.run_cell(_TRAIN, wait=False)
    expect(card).to_have_attribute("data-status", "running")
    expect(card.get_by_role("img", name="loss so far")).to_be_visible()
    expect(card.get_by_role("button", name="Stop")).to_be_visible()
    expect(badge).to_contain_text("◐runningtuned")
    lab_page.screenshot("card-running")

    expect(card).to_have_attribute("data-status", "finished")
    expect(card).to_have_count(1)
    run = lab_page.lab.call("runs.get_run", ref="tuned")
    expect(badge).to_have_accessible_name(re.compile(rf"^Run tuned, finished, {run['run_id']}"))
    assert [b.inner_text() for b in card.locator(".jp-snapml-card-button").all()][-2:] == ["Replay", "Deploy"]
    expect(card.get_by_role("button", name="Stop")).to_have_count(0)
    expect(card).to_contain_text("table@v1")
    expect(card.get_by_role("button", name="tuned:1")).to_be_visible()
    box = card.bounding_box()
    assert box is not None
    assert box["height"] <= 200

    card.get_by_role("button", name="Replay").click()
    expect(card).to_contain_text("running in a clean process")
    expect(card.locator(".jp-snapml-verdict")).to_have_text("✓identical")
    lab_page.screenshot("card-finished")
    lab_page.change_theme("JupyterLab Dark")
    lab_page.screenshot("card-finished-dark")
    lab_page.change_theme("JupyterLab Light")

    card.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("dialog")).to_contain_text("tuned:1")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    # With the keyboard: Enter on the badge opens the page and does not edit the cell.
    badge.focus()
    page.keyboard.press("Enter")
    expect(lab_page.shown.get_by_role("heading", level=1)).to_have_text("tuned")


def test_the_badge_follows_its_outputs(lab_page: Any) -> None:
    page = lab_page.page
    lab_page.open_notebook("badges.ipynb")
    lab_page.run_cell("%load_ext snapml_jupyter")
    lab_page.run_cell("%%snap_train breaks\n1 / 0")
    badge = page.locator(".jp-snapml-badge")
    expect(badge).to_contain_text("✕failedbreaks")
    expect(page.locator(".jp-snapml-card")).to_contain_text("ZeroDivisionError (line 2): division by zero")

    # Cells that are scrolled away are taken out of the page, and come back with their badge.
    page.evaluate(
        """() => { const { sharedModel } = window.jupyterapp.shell.currentWidget.content.model;
            const source = '\\n'.repeat(12);
            sharedModel.insertCells(2, Array.from({ length: 40 }, () => ({ cell_type: 'code', source }))); }"""
    )
    for place, is_there in ((41, False), (1, True)):
        page.evaluate(
            "async place => { const { content } = window.jupyterapp.shell.currentWidget;"
            " content.activeCellIndex = place; await content.scrollToItem(place); }",
            place,
        )
        expect(badge).to_be_in_viewport() if is_there else expect(badge).not_to_be_in_viewport()
    page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.deleteCellRange(2, 42)")

    # Kept with the notebook; drawn after a reload, when nothing of the kernel's is in the page any more.
    lab_page.execute("docmanager:save")
    lab_page.reload()
    expect(badge).to_contain_text("✕failedbreaks")
    expect(page.locator(".jp-snapml-card").get_by_role("button", name="Open")).to_be_visible()

    page.evaluate(
        """() => { const { content } = window.jupyterapp.shell.currentWidget; content.activeCellIndex = 1; content.mode = 'command'; }"""
    )
    for command in ("notebook:copy-cell", "notebook:paste-cell-below"):
        lab_page.execute(command)
    expect(badge).to_have_count(2)
    # The copy runs as something else: its badge goes, the original's stays.
    page.evaluate(
        """() => { const { content } = window.jupyterapp.shell.currentWidget; content.activeCell.model.sharedModel.setSource('%%snap_train mended\\n1'); }"""
    )
    lab_page.execute("notebook:run-cell")
    expect(badge.nth(1)).to_contain_text("●finishedmended")
    expect(badge.nth(0)).to_contain_text("✕failedbreaks")
    page.evaluate(
        """() => { const { content } = window.jupyterapp.shell.currentWidget; content.activeCell.model.sharedModel.setSource('1 + 1'); }"""
    )
    lab_page.execute("notebook:run-cell")
    expect(badge).to_have_count(1)
    lab_page.execute("notebook:clear-all-cell-outputs")
    expect(badge).to_have_count(0)
