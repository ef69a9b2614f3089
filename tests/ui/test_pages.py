"""Every kind of thing has a page in the main area, whose tabs all fill without an error, in both themes."""

from __future__ import annotations

import json
import time
import urllib.error
from typing import Any

import pytest
from playwright.sync_api import expect


def _walk_tabs(lab_page: Any, name: str) -> None:
    tabs = lab_page.shown.get_by_role("tab")
    for index in range(tabs.count()):
        tab = tabs.nth(index)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        panel = lab_page.shown.get_by_role("tabpanel")
        expect(panel.get_by_role("status", name="Loading")).to_have_count(0)
        expect(panel).not_to_be_empty()
        lab_page.screenshot(f"page-{name}-{index}-{(tab.text_content() or '').split()[0].lower()}")


@pytest.mark.parametrize(
    ("section", "title", "heading", "fact"),
    [
        ("runs", "visitors", "visitors", "Seed"),
        ("datasets", "visits", "visits", "rows"),
        ("models", "visitors", "visitors, version 1", "Stage"),
    ],
)
def test_a_row_opens_its_page(lab_page: Any, section: str, title: str, heading: str, fact: str) -> None:
    lab_page.open_sidebar()
    lab_page.row(section, title).click()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_contain_text(heading)
    expect(lab_page.shown).to_contain_text(fact, ignore_case=True)
    _walk_tabs(lab_page, section)
    expect(lab_page.shown.get_by_role("alert")).to_have_count(0)


def test_a_failed_run_says_why(lab_page: Any) -> None:
    lab_page.open_sidebar()
    lab_page.row("runs", "visitors-first-try").click()
    expect(lab_page.shown.get_by_role("alert")).to_contain_text("could not convert string to float: 'mail'")


def test_the_model_shows_its_gates_and_links_to_its_run(lab_page: Any) -> None:
    lab_page.lab.call("gates.gate", ref="visitors:1", gates="[recorded]\naccuracy = { at_least = 0.99 }\n")
    lab_page.open_sidebar()
    lab_page.row("models", "visitors").click()
    gates = lab_page.shown.get_by_role("table", name="Gates of visitors:1")
    expect(gates.get_by_role("row", name="recorded.accuracy")).to_contain_text("failed")
    run_id = lab_page.lab.call("registry.get_model", ref="visitors:1")["run_id"]
    lab_page.shown.get_by_role("button", name=run_id).or_(lab_page.shown.get_by_role("link", name=run_id)).first.click()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_have_text("visitors")


def _wait_until_layout_has(lab_page: Any, widget: str) -> None:
    """JupyterLab saves its layout a moment after a change."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            saved = lab_page.lab.ask("GET", "/lab/api/workspaces/default")["data"]["layout-restorer:data"]
        except (urllib.error.HTTPError, KeyError):  # nothing saved yet
            saved = {}
        if widget in json.dumps(saved):
            return
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not save a layout with {widget}")


def test_pages_come_back_after_a_reload(lab_page: Any) -> None:
    lab_page.open_sidebar()
    lab_page.row("datasets", "visits").click()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_contain_text("visits")
    _wait_until_layout_has(lab_page, "snapml:snapml-dataset-visits@v2")
    lab_page.reload()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_contain_text("visits")
    expect(lab_page.sidebar).to_be_visible()


def test_a_reference_that_does_not_exist_says_so(lab_page: Any) -> None:
    lab_page.execute("snapml:open", {"kind": "model", "ref": "nobody:3"})
    problem = lab_page.page.locator(".jp-snapml-page-content:visible").get_by_role("alert")
    expect(problem).to_contain_text("There is no model 'nobody'")
    lab_page.problems[:] = [said for said in lab_page.problems if "404" not in said]


def test_everything_can_be_read_in_the_dark(lab_page: Any) -> None:
    lab_page.change_theme("JupyterLab Dark")
    lab_page.open_sidebar()
    lab_page.row("models", "visitors").click()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_be_visible()
    for node in (
        lab_page.sidebar.locator(".jp-snapml-row-title").first,
        lab_page.shown.get_by_role("heading", level=1),
    ):
        assert node.evaluate(_CONTRAST) >= 4.5
    lab_page.screenshot("dark")
    lab_page.change_theme("JupyterLab Light")


#: The contrast of a node's text against the first opaque background below it, as WCAG 2.2 defines it.
_CONTRAST = """node => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = color => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return canvas.getImageData(0, 0, 1, 1).data;
    };
    const light = color => {
        const [r, g, b] = [...color].slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let below = node;
    while (below.parentElement && rgba(getComputedStyle(below).backgroundColor)[3] < 255) below = below.parentElement;
    const a = light(rgba(getComputedStyle(node).color));
    const b = light(rgba(getComputedStyle(below).backgroundColor));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""
