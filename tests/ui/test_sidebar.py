"""The sidebar in a real JupyterLab: it opens, shows its sections, and follows what a kernel does."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

SECTIONS = ("Runs", "Datasets", "Models", "Endpoints", "Monitors")


def test_the_sidebar_opens_and_shows_its_sections(lab_page: Any) -> None:
    sidebar = lab_page.open_sidebar()
    for name in SECTIONS:
        expect(sidebar.get_by_role("heading", name=name)).to_be_visible()
