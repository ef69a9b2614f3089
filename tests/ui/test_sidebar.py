"""The sidebar in a real JupyterLab: what it shows, and what it says when there is nothing or something is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

SECTIONS = {
    "runs": "Runs",
    "datasets": "Datasets",
    "models": "Models",
    "endpoints": "Endpoints",
    "monitors": "Monitors",
}


def test_the_sidebar_opens_and_shows_its_sections(lab_page: Any) -> None:
    sidebar = lab_page.open_sidebar()
    for section, name in SECTIONS.items():
        expect(sidebar.get_by_role("heading", name=name)).to_be_visible()
        expect(lab_page.section(section)).to_be_visible()


def test_rows_show_what_is_in_the_workspace(lab_page: Any) -> None:
    lab_page.open_sidebar()
    expect(lab_page.row("runs", "visitors")).to_contain_text("0.7")
    expect(lab_page.row("runs", "visitors-first-try")).to_contain_text("ValueError: could not convert")
    expect(lab_page.row("datasets", "visits")).to_contain_text(re.compile(r"1\s?200"))
    expect(lab_page.row("models", "visitors")).to_contain_text("champion")
    lab_page.screenshot("sidebar")


def test_the_filter_keeps_what_matches(lab_page: Any) -> None:
    sidebar = lab_page.open_sidebar()
    expect(lab_page.row("runs", "visitors")).to_be_visible()
    sidebar.get_by_role("searchbox").or_(sidebar.locator("input")).first.fill("first-try")
    expect(lab_page.row("runs", "visitors-first-try")).to_be_visible()
    expect(lab_page.section("runs").locator(".jp-snapml-row")).to_have_count(1)


def test_rows_are_reached_and_opened_with_the_keyboard(lab_page: Any) -> None:
    lab_page.open_sidebar()
    first = lab_page.section("runs").locator(".jp-snapml-row").first
    expect(first).to_be_visible()
    first.focus()
    lab_page.page.keyboard.press("ArrowDown")
    lab_page.page.keyboard.press("Enter")
    expect(lab_page.shown).to_be_visible()


def test_the_palette_and_the_launcher_lead_to_the_sidebar(lab_page: Any) -> None:
    page = lab_page.page
    card = page.locator(".jp-LauncherCard", has_text="SnapML")
    expect(card).to_be_visible()
    lab_page.execute("apputils:activate-command-palette")
    palette = page.locator(".lm-CommandPalette")
    palette.locator("input").fill("SnapML")
    expect(palette.get_by_text("Deploy…")).to_be_visible()
    page.keyboard.press("Escape")
    card.click()
    expect(lab_page.sidebar).to_be_visible()


def test_the_status_bar_tells_of_the_host(lab_page: Any) -> None:
    expect(lab_page.page.locator(".jp-snapml-statusbar")).to_contain_text("host ")


def test_a_narrow_sidebar_cuts_nothing_off(lab_page: Any) -> None:
    lab_page.open_sidebar()
    expect(lab_page.row("runs", "visitors")).to_be_visible()
    lab_page.page.set_viewport_size({"width": 700, "height": 800})
    panel = lab_page.sidebar
    assert panel.evaluate("node => node.scrollWidth <= node.clientWidth + 1")


@pytest.mark.usefixtures("broken_lab")
def test_what_is_wrong_is_said_and_empty_sections_say_what_fills_them(open_page: Any, broken_lab: Any) -> None:
    broken = open_page(broken_lab)
    broken.open_sidebar()
    problem = broken.sidebar.get_by_role("alert")
    expect(problem).to_contain_text("cannot be made")
    broken.screenshot("sidebar-error")

    broken_lab.workspace.parent.unlink()
    problem.get_by_role("button", name="Retry").click()
    expect(problem).to_have_count(0)
    expect(broken.section("runs")).to_contain_text("%%snap_train")
    expect(broken.section("endpoints")).to_contain_text("%snap_deploy")
    broken.screenshot("sidebar-empty")

    broken.open_notebook("empty.ipynb")
    broken.section("runs").get_by_role("button", name="Insert as cell").click()
    expect(broken.page.locator(".jp-Notebook:visible")).to_contain_text("%%snap_train my-model")
    # The browser itself reports each answer that was an error; that is what this test is about.
    broken.problems = [said for said in broken.problems if "503" not in said]
