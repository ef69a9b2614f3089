"""Traffic that has moved away from the training data shows in the sidebar and on the monitor's page as it happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import expect

_SEED = Path(__file__).parent / "seed.py"

#: 600 visitors like those of the training data, then 600 who spend three times as much; labels come back for all.
_TRAFFIC = """
import runpy
import snapml_jupyter as snap
visits = runpy.run_path({seed!r})["visits"]
endpoint = snap.endpoint("shop", api_key={key!r})
for part in range(8):
    frame = visits(150, seed=10 + part).fillna({{"spent": 0.0}})
    frame["spent"] *= 3.0 if part >= 4 else 1.0
    answers = endpoint.predict(frame[["channel", "spent", "n_visits"]])
    snap.feedback("shop", answers[["request_id", "row"]].assign(label=frame["stays"].to_numpy()))
"""


def test_drift_shows_as_it_happens(lab_page: Any) -> None:
    outcome = lab_page.lab.call("serving.deploy", model_ref="visitors", endpoint="shop")
    lab_page.lab.call("monitoring.create_monitor", endpoint="shop", window_rows=300)
    lab_page.open_sidebar()
    lab_page.widen_sidebar(340)
    lab_page.row("monitors", "shop").click()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_have_text("Monitor of shop")
    expect(lab_page.shown).to_contain_text("No window is full yet")

    lab_page.lab.run_python(_TRAFFIC.format(seed=str(_SEED), key=outcome["api_key"]))

    expect(lab_page.shown.get_by_role("region", name="Columns over windows")).to_be_visible(timeout=60_000)
    expect(lab_page.row("monitors", "shop")).to_contain_text("4 windows", timeout=60_000)
    lab_page.look_at("alerts")
    expect(lab_page.section("alerts")).to_contain_text("drifted, compared with visits@v2", timeout=60_000)
    lab_page.screenshot("monitor-drift")
    tabs = lab_page.shown.get_by_role("tab")
    for index in range(tabs.count()):
        tabs.nth(index).click()
        expect(lab_page.shown.get_by_role("tabpanel")).not_to_be_empty()
        lab_page.screenshot(f"page-monitor-{index}")

    lab_page.open_notebook("shop.ipynb")
    lab_page.run_cell("%load_ext snapml_jupyter")
    lab_page.run_cell("%snap_monitor shop")
    toasts = lab_page.page.locator(".Toastify__toast")
    for _ in range(toasts.count()):
        lab_page.page.get_by_title("Hide notification").first.click()
    expect(toasts).to_have_count(0)
    lab_page.page.mouse.move(800, 700)
    lab_page.screenshot("overview")
