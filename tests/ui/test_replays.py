"""A run's page shows its replays with their verdicts, and what was captured with its cell."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

_CELLS = """
import numpy as np
import pandas as pd
%load_ext snapml_jupyter
rng = np.random.default_rng(3)
depths = pd.DataFrame({{"x": rng.normal(size=50)}})
handle = open("{notes}", "w")
depth = 4
def spread(frame):
    return float(frame["x"].std())
"""

_TRAIN = """%%snap_train spread
wide = spread(depths) * depth
if False:
    handle.write("never")
wide"""


@pytest.fixture(scope="module")
def replayed(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A recorded cell with two replays, of which the newer one was given another param; the id of its run."""
    notes = tmp_path_factory.mktemp("notes") / "notes.txt"
    code = f"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in ({_CELLS.format(notes=notes)!r}, {_TRAIN!r}):
    shell.run_cell(cell, store_history=True).raise_error()
import snapml_jupyter as snap
snap.replay("spread")
snap.replay("spread", params={{"depth": 5}})
print(snap.run("spread").run_id)
"""
    return str(lab.run_python(code).split()[-1])


def _photograph(lab_page: Any, name: str) -> None:
    """In both themes."""
    lab_page.screenshot(name)
    lab_page.change_theme("JupyterLab Dark")
    lab_page.screenshot(f"{name}-dark")
    lab_page.change_theme("JupyterLab Light")


def test_replays_stand_with_their_verdicts_differences_and_causes(lab_page: Any, replayed: str) -> None:
    lab_page.execute("snapml:open", {"kind": "run", "ref": replayed})
    lab_page.shown.get_by_role("tab", name="Replays").click()
    reports = lab_page.shown.locator(".jp-snapml-replay")
    expect(reports).to_have_count(2)
    expect(reports.first).to_contain_text("≠different")
    expect(reports.first).to_contain_text("it was given other params: depth=5")
    expect(reports.first.get_by_role("table", name="Differences")).to_contain_text("wide")
    expect(reports.last).to_contain_text("✓identical")
    _photograph(lab_page, "run-replays")
    lab_page.shown.get_by_role("tab", name="Code").click()
    expect(lab_page.shown.get_by_role("table", name="Not captured")).to_contain_text("handle")
    expect(lab_page.shown.get_by_role("group", name="The cell with what it needs")).to_contain_text(
        "def spread(frame):"
    )
    _photograph(lab_page, "run-code")
    lab_page.shown.get_by_role("tab", name="Replays").click()
    reports.first.get_by_role("button", name=re.compile("[0-9a-z]{8}")).first.click()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_have_text("spread-replay")
    lab_page.shown.get_by_label("Facts").get_by_role("button", name=replayed).click()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_have_text("spread")


def test_a_run_without_a_program_says_what_can_be_replayed(lab_page: Any) -> None:
    lab_page.execute("snapml:open", {"kind": "run", "ref": lab_page.lab.call("runs.get_run", ref="visitors")["run_id"]})
    lab_page.shown.get_by_role("tab", name="Replays").click()
    expect(lab_page.shown.get_by_role("tabpanel")).to_contain_text("only cells that begin with %%snap_train")


def test_a_replay_says_what_it_is_a_replay_of(lab_page: Any, replayed: str) -> None:
    lab_page.execute("snapml:open", {"kind": "run", "ref": "spread-replay"})
    lab_page.shown.get_by_role("tab", name="Replays").click()
    expect(lab_page.shown.locator(".jp-snapml-replay")).to_contain_text(f"this run, a replay of {replayed}")
