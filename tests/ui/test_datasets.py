"""A dataset's page compares versions, judges them and shows what came from what; a file becomes a version by upload."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

_ORDERS = """
import numpy as np, pandas as pd
import snapml_jupyter as snap
draw = np.random.default_rng(0)
orders = pd.DataFrame({
    "order": np.arange(5000),
    "shop": draw.choice(["Basel", "Bern", "Genf"], 5000),
    "amount": draw.gamma(2.0, 40.0, 5000).round(2),
})
snap.snapshot("orders", orders, message="first week")
orders.loc[orders["order"] % 100 == 3, "amount"] += 1.5
snap.snapshot("orders", pd.concat([orders, orders.tail(2).assign(order=[5000, 5001])]), message="with corrections")
snap.save_suite("orders", snap.propose_suite("orders@v1"))
snap.validate("orders@v1")
orders.loc[7, "amount"] = -5.0
with snap.start_run("clean-orders"):
    snap.dataset("orders@v2")
    snap.snapshot("orders", orders, message="by hand")
"""


@pytest.fixture(scope="module", autouse=True)
def _orders(lab: Any) -> None:
    lab.run_python(_ORDERS)


def _open(lab_page: Any, ref: str, tab: str) -> Any:
    lab_page.execute("snapml:open", {"kind": "dataset", "ref": ref})
    lab_page.shown.get_by_role("tab", name=tab).click()
    panel = lab_page.shown.get_by_role("tabpanel")
    expect(panel.get_by_role("status", name="Loading")).to_have_count(0)
    return panel


def test_versions_stand_on_a_line_of_time_with_what_was_said_of_them(lab_page: Any) -> None:
    panel = _open(lab_page, "orders@v2", "Versions")
    entries = panel.get_by_role("listitem")
    expect(entries).to_have_count(3)
    expect(entries.nth(0)).to_contain_text("by hand")
    expect(entries.nth(0)).to_contain_text("fails its expectations")
    expect(entries.nth(1)).to_have_attribute("aria-current", "true")
    entries.nth(2).get_by_role("button", name="orders@v1").click()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_have_text("orders, version 1")


def test_two_versions_are_compared_by_content_and_by_key(lab_page: Any) -> None:
    panel = _open(lab_page, "orders@v2", "Compare")
    numbers = panel.get_by_label("Rows that differ").first
    expect(numbers).to_contain_text("Added52")
    expect(numbers).to_contain_text("Removed50")
    panel.get_by_label("Add a key column").select_option("order")
    expect(numbers).to_contain_text("Changed50")
    expect(numbers).to_contain_text("Added2")
    changes = panel.get_by_role("table", name="First rows that differ")
    expect(changes.get_by_role("row").nth(1)).to_contain_text("changed")
    expect(changes.locator("del").first).to_be_visible()
    lab_page.screenshot("dataset-compare-light")
    panel.get_by_role("combobox", name="Before", exact=True).select_option("orders@v3")
    panel.get_by_role("button", name="Swap").click()
    expect(panel.get_by_role("combobox", name="After", exact=True)).to_have_value("orders@v3")
    expect(numbers).to_contain_text("Removed2")


def test_expectations_are_proposed_edited_and_judged(lab_page: Any) -> None:
    lab_page.open_sidebar()
    expect(lab_page.row("datasets", "orders").get_by_text("fails its expectations")).to_have_count(1)
    panel = _open(lab_page, "orders@v3", "Validation")
    expect(panel).to_contain_text("Fails 1 of")
    report = panel.get_by_role("table", name="Expectations and what was found")
    expect(report.get_by_role("row").nth(1)).to_contain_text("amount")
    expect(report.get_by_role("row").nth(1)).to_contain_text("\N{MINUS SIGN}5")
    lab_page.screenshot("dataset-validation-light")

    editor = panel.get_by_label("Expectations of orders as YAML")
    text = editor.input_value()
    editor.fill("columns: [not, a, mapping")
    panel.get_by_role("button", name="Save and check orders@v3").click()
    expect(panel.get_by_role("alert")).to_be_visible()
    editor.fill(re.sub(r"(amount:[^}]*at_least: )[\d.]+", r"\g<1>-10", text))
    panel.get_by_role("button", name="Save and check orders@v3").click()
    expect(panel).to_contain_text("Meets all", timeout=20_000)
    expect(panel).to_contain_text("Expectations, version 2")
    expect(lab_page.row("datasets", "orders").get_by_text("fails its expectations")).to_have_count(0)
    lab_page.problems[:] = [problem for problem in lab_page.problems if "400" not in problem]


def test_a_dataset_without_expectations_says_how_to_get_some(lab_page: Any) -> None:
    panel = _open(lab_page, "visits@v1", "Validation")
    expect(panel).to_contain_text("has none yet")
    panel.get_by_role("button", name="Propose from visits@v1").click()
    expect(panel.get_by_label("Expectations of visits as YAML")).to_have_value(re.compile("channel"))
    lab_page.screenshot("dataset-proposed-light")
    panel.get_by_role("button", name="Discard the changes").click()
    expect(panel).to_contain_text("has none yet")


def test_the_lineage_can_be_walked_by_keyboard(lab_page: Any) -> None:
    panel = _open(lab_page, "orders@v3", "Lineage")
    run = panel.get_by_role("link", name="run clean-orders")
    expect(run).to_be_visible()
    lab_page.screenshot("dataset-lineage-light")
    panel.get_by_role("link", name="dataset orders@v3").focus()
    lab_page.page.keyboard.press("ArrowLeft")
    expect(panel.locator(":focus")).not_to_have_attribute("aria-label", re.compile("orders@v3"))
    run.focus()
    lab_page.page.keyboard.press("Enter")
    expect(lab_page.shown.get_by_role("heading", level=1)).to_have_text("clean-orders")
    panel = _open(lab_page, "orders@v3", "Lineage")
    panel.get_by_role("button", name="View as table").click()
    expect(panel.get_by_role("table", name="Lineage")).to_contain_text("clean-orders")


def test_an_alias_is_set_and_removed(lab_page: Any) -> None:
    lab_page.execute("snapml:open", {"kind": "dataset", "ref": "orders@v1"})
    lab_page.shown.get_by_role("button", name="Alias…").click()
    lab_page.page.locator(".jp-Dialog input").fill("approved")
    lab_page.page.locator(".jp-Dialog").get_by_role("button", name="Set").click()
    chip = lab_page.shown.get_by_role("button", name="approved")
    expect(chip).to_be_visible()
    assert lab_page.lab.call("datasets.get_version", ref="orders@approved")["number"] == 1
    chip.click()
    expect(chip).to_have_count(0)


def test_a_file_is_uploaded_in_pieces_with_progress(lab_page: Any, tmp_path: Path) -> None:
    file = tmp_path / "Late Flights (2013).csv"
    file.write_bytes(b"id,delay\n" + b"".join(b"%d,%d\n" % (row, row % 7) for row in range(2_000_000)))
    lab_page.open_sidebar()
    lab_page.section("datasets").get_by_role("button", name="Upload a dataset").click()
    dialog = lab_page.page.locator(".jp-Dialog")
    dialog.get_by_label("File").set_input_files(file)
    expect(dialog.get_by_label("Dataset")).to_have_value("late-flights-2013")
    dialog.get_by_label("Message").fill("from the archive")
    lab_page.screenshot("dataset-upload-light")
    dialog.get_by_role("button", name="Upload").click()
    notice = lab_page.page.locator(".Toastify__toast")
    expect(notice).to_contain_text("is kept as late-flights-2013@v1", timeout=60_000)
    lab_page.screenshot("dataset-uploaded-light")
    expect(lab_page.row("datasets", "late-flights-2013")).to_be_visible()
    notice.get_by_role("button", name="Open").click()
    expect(lab_page.shown).to_contain_text("upload of Late Flights (2013).csv")
    version = lab_page.lab.call("datasets.get_version", ref="late-flights-2013")
    assert (version["n_rows"], version["message"]) == (2_000_000, "from the archive")


def test_a_pause_and_a_broken_connection_lose_nothing(lab_page: Any, tmp_path: Path) -> None:
    file = tmp_path / "slow.csv"
    file.write_bytes(b"id,delay\n" + b"".join(b"%d,%d\n" % (row, row % 11) for row in range(3_000_000)))
    pieces: list[str] = []

    def hinder(route: Any) -> None:
        """The second piece meets a broken connection once."""
        pieces.append(route.request.url)
        route.abort() if len(pieces) == 2 else route.continue_()

    lab_page.page.route("**/snapml/uploads/*offset=*", hinder)
    lab_page.begin("snapml:upload")
    dialog = lab_page.page.locator(".jp-Dialog")
    dialog.get_by_label("File").set_input_files(file)
    dialog.get_by_role("button", name="Upload").click()
    notice = lab_page.page.locator(".Toastify__toast")
    notice.get_by_role("button", name="Pause").click()
    expect(notice).to_contain_text("slow.csv waits")
    lab_page.screenshot("dataset-upload-paused")
    notice.get_by_role("button", name="Go on").click()
    expect(notice).to_contain_text("is kept as slow@v1", timeout=60_000)
    assert lab_page.lab.call("datasets.get_version", ref="slow")["n_rows"] == 3_000_000
    lab_page.problems[:] = [problem for problem in lab_page.problems if "ERR_FAILED" not in problem]


def test_what_cannot_be_read_is_refused_with_the_reason(lab_page: Any, tmp_path: Path) -> None:
    file = tmp_path / "broken.parquet"
    file.write_bytes(b"this is no parquet")
    lab_page.begin("snapml:upload")
    dialog = lab_page.page.locator(".jp-Dialog")
    dialog.get_by_label("File").set_input_files(file)
    dialog.get_by_role("button", name="Upload").click()
    expect(dialog).to_contain_text("broken.parquet was not kept")
    lab_page.screenshot("dataset-upload-refused")
    lab_page.problems[:] = [problem for problem in lab_page.problems if "400" not in problem]


def test_the_tabs_in_the_dark(lab_page: Any) -> None:
    lab_page.change_theme("JupyterLab Dark")
    for tab in ("Versions", "Compare", "Validation", "Lineage"):
        panel = _open(lab_page, "orders@v3", tab)
        expect(panel).not_to_be_empty()
        lab_page.screenshot(f"dataset-{tab.lower()}-dark")
    lab_page.change_theme("JupyterLab Light")
