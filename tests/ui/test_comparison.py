"""Runs side by side: chosen from the sidebar or the run's page, shown in the main area, there again after a reload."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

_SEED = """
import snapml_jupyter as snap
from snapml_jupyter.domain.run import RunSource
from snapml_jupyter.runs.tracking import start_run
for n in range(5):
    lines = ["def features(frame):", "    return frame.dropna()", "", f"model = fit(features(df), depth={2 ** n})"]
    if n > 2:
        lines.insert(3, "df = df.sample(1000)")
    source = RunSource(kind="cell", code="\\n".join(lines), execution_count=n)
    with start_run(snap.workspace(), f"tree-{n}", source=source, seed=n, experiment="trees") as run:
        run.log_params({"depth": 2 ** n, "rate": 0.1, "kind": "forest" if n % 2 else "tree"})
        for step in range(0, 40, 1 + n % 2):
            run.log_metric("loss", (1 + n / 10) / (1 + step / (n + 2)), step=step)
        run.log_metrics({"auc": 0.7 + n / 50, "accuracy": 0.9 - n / 100})
        if n == 0:
            run.log_artifact(b"name,score\\n\\"a, b\\",0.5\\n", "scores.csv")
            run.log_artifact(b"<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'><rect width='40' height='20' fill='green'/></svg>", "shape.svg")
print(*[snap.run(f"tree-{n}").run_id for n in range(5)])
"""

_GOES_ON = """
import sys
import snapml_jupyter as snap
with snap.start_run("goes-on") as run:
    for step in range(3):
        run.log_metric("loss", 1 / (step + 1))
    print(run.run_id, flush=True)
    sys.stdin.readline()
    for step in range(3, 9):
        run.log_metric("loss", 1 / (step + 1))
    snap.log_metric("auc", 0.8)
    sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def trees(lab: Any) -> list[str]:
    """Ids of five runs of a small sweep."""
    return str(lab.run_python(_SEED)).split()


def _width(node: Locator) -> float:
    box = node.bounding_box()
    assert box is not None
    return box["width"]


def test_runs_are_chosen_from_the_sidebar_and_compared(lab_page: Any, trees: list[str]) -> None:
    page = lab_page.page
    lab_page.open_sidebar()
    lab_page.row("runs", "tree-0").click(button="right")
    page.locator(".lm-Menu").get_by_text("Compare…").click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog.get_by_label("Chosen runs")).to_contain_text("tree-0")
    # One run is no comparison: the dialog stays.
    dialog.get_by_role("button", name="Compare", exact=True).click()
    expect(dialog).to_contain_text("Choose two runs or more")
    dialog.get_by_role("searchbox", name="Find runs").fill("tree params.depth = 8")
    choice = dialog.get_by_role("checkbox", name="tree-3")
    expect(dialog.get_by_role("checkbox")).to_have_count(1)
    choice.check()
    expect(dialog).to_contain_text("2 of at most 20")
    lab_page.screenshot("compare-pick")
    dialog.get_by_role("button", name="Compare", exact=True).click()

    expect(lab_page.shown.get_by_role("heading", level=1)).to_have_text("tree-0 and tree-3")
    table = lab_page.shown.get_by_role("table", name="Runs side by side")
    expect(table.get_by_role("row", name="auc")).to_contain_text("+0.06")
    expect(table.get_by_role("row", name="kind")).to_contain_text("forest")
    expect(table.get_by_role("row", name="rate")).to_have_count(0)
    lab_page.shown.get_by_role("switch").check()
    expect(table.get_by_role("row", name="rate")).to_contain_text("0.1")
    expect(table.get_by_role("row", name="numpy", exact=False).first).to_be_attached()
    assert lab_page.shown.get_by_role("tab", name="Parallel coordinates").count() == 0
    title = page.locator(".lm-TabBar-tab.lm-mod-current", has_text="tree-0 and tree-3")
    expect(title).to_be_visible()

    page.wait_for_timeout(1000)  # JupyterLab saves its layout a moment after a change
    lab_page.reload()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_have_text("tree-0 and tree-3")
    lab_page.shown.get_by_role("table").get_by_role("button", name="tree-3").click()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_have_text("tree-3")
    # A run's page leads to the choice, too.
    lab_page.shown.get_by_role("button", name="Compare…").click()
    expect(dialog.get_by_label("Chosen runs")).to_contain_text("tree-3")
    expect(dialog.get_by_role("searchbox", name="Find runs")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    # What cannot be compared is said.
    lab_page.execute("snapml:compare", {"refs": [trees[0], "nobody"]})
    problem = page.locator(".jp-snapml-page-content:visible").get_by_role("alert")
    expect(problem).to_contain_text("There is no run 'nobody'")
    expect(problem.get_by_role("button", name="Retry")).to_be_visible()
    lab_page.problems[:] = [said for said in lab_page.problems if "404" not in said]


def test_a_sweep_has_curves_code_and_parallel_coordinates(lab_page: Any, trees: list[str]) -> None:
    page = lab_page.page
    lab_page.execute("snapml:compare", {"refs": trees})
    shown = lab_page.shown
    expect(shown.get_by_role("heading", level=1)).to_have_text("5 runs")
    lab_page.screenshot("compare-values")

    shown.get_by_role("tab", name="Curves").click()
    plot = shown.locator(".u-over").first
    expect(plot).to_be_visible()
    wide = _width(plot)
    assert wide > 380
    lab_page.screenshot("compare-curves")
    page.set_viewport_size({"width": 760, "height": 800})
    page.wait_for_function("wide => document.querySelector('.u-over').clientWidth < wide - 60", arg=wide)
    content = page.locator(".jp-snapml-page-content:visible")
    assert content.evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_function("wide => document.querySelector('.u-over').clientWidth > wide - 60", arg=wide)

    shown.get_by_role("tab", name="Code").click()
    diff = shown.get_by_role("table", name="Changed lines")
    expect(diff.get_by_role("row", name="added")).to_have_text(["4+addedmodel = fit(features(df), depth=2)"])
    shown.get_by_label("From").select_option(label="tree-4")
    expect(diff.get_by_role("row", name="removed").first).to_contain_text("df = df.sample(1000)")
    lab_page.screenshot("compare-code")
    shown.get_by_label("To").select_option(label="tree-4")
    expect(shown).to_contain_text("The code is the same.")

    shown.get_by_role("tab", name="Code").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(shown.get_by_role("tab", name="Parallel coordinates")).to_be_focused()
    lines = shown.get_by_role("img", name="5 runs as lines over depth, kind, accuracy, auc, loss")
    expect(lines.locator("polyline")).to_have_count(5)
    shown.get_by_role("group", name="Runs").get_by_role("button", name="tree-3").click()
    expect(lines.locator("g[data-dim]")).to_have_count(4)
    lab_page.screenshot("compare-parallel")

    lab_page.change_theme("JupyterLab Dark")
    lab_page.screenshot("compare-parallel-dark")
    for tab in ("Values", "Curves", "Code"):
        shown.get_by_role("tab", name=tab).click()
        expect(shown.get_by_role("tabpanel")).to_contain_text(
            {"Values": "depth", "Curves": "loss", "Code": "From"}[tab]
        )
        if tab == "Curves":
            expect(plot).to_be_visible()
            lab_page.change_theme("JupyterLab Light")  # drawn again as wide as before
            lab_page.change_theme("JupyterLab Dark")
            page.wait_for_function("wide => document.querySelector('.u-over').clientWidth > wide - 60", arg=wide)
        lab_page.screenshot(f"compare-{tab.lower()}-dark")
    lab_page.change_theme("JupyterLab Light")


def test_a_run_shows_its_files_and_goes_on(lab_page: Any, trees: list[str]) -> None:
    lab_page.execute("snapml:open", {"kind": "run", "ref": trees[0]})
    lab_page.shown.get_by_role("tab", name="Artifacts").click()
    table = lab_page.shown.get_by_role("table", name="scores.csv")
    expect(table.get_by_role("row")).to_have_text(["namescore", "a, b0.5"])
    picture = lab_page.shown.get_by_role("img", name="shape.svg")
    expect(picture).to_be_visible()
    assert picture.evaluate("node => node.naturalWidth") == 40
    lab_page.screenshot("run-artifacts")

    # Another process records; the page follows.
    process = lab_page.lab.start_python(_GOES_ON)
    try:
        run_id = process.stdout.readline().strip()
        lab_page.execute("snapml:open", {"kind": "run", "ref": run_id})
        shown = lab_page.shown
        expect(shown.get_by_label("Facts")).to_contain_text("Runs for")
        loss = shown.locator("figure", has_text="loss")
        loss.get_by_role("button", name="View as table").click()
        expect(loss.get_by_role("row")).to_have_count(4)
        process.stdin.write("\n")
        process.stdin.flush()
        expect(loss.get_by_role("row")).to_have_count(10)
        expect(shown.locator("dl[aria-label=Metrics]")).to_contain_text("auc")
        process.communicate("\n")
        expect(shown.get_by_label("Facts")).to_contain_text("Took")
        expect(shown.locator(".jp-snapml-page-header")).to_contain_text("finished")
    finally:
        process.kill()
