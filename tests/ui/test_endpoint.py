"""An endpoint that is asked: its charts by version, its canary and judge, the way back, keys and limits, the log."""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

_SECOND_VERSION = """
import pandas as pd
import snapml_jupyter as snap

rows = pd.DataFrame({"channel": ["mail", "web"] * 20, "spent": range(0, 400, 10), "n_visits": range(40)})
rows["spent"] = rows["spent"].astype(float)
with snap.start_run("shoppers") as run:
    run.log_model(snap.load_model("visitors:1"), example=rows)
snap.register(run.run_id, "shoppers")
"""
_GUARDS = [
    {"metric": "error_rate", "relation": "<", "threshold": 0.01, "is_relative": False, "text": "error_rate<1%"},
    {"metric": "p99", "relation": "<", "threshold": 5000.0, "is_relative": False, "text": "p99<5s"},
]
_ROW = {"channel": "mail", "spent": 200.0, "n_visits": 3}


class Shop:
    """An endpoint 'shop' with one version, which programs ask with a key."""

    def __init__(self, lab: Any) -> None:
        self.lab = lab
        lab.call("registry.register", run_ref="visitors", name="shoppers")
        with lab.start_python(_SECOND_VERSION) as second:
            outcome = lab.call("serving.deploy", model_ref="shoppers:1", endpoint="shop")
        assert second.returncode == 0
        self.url = outcome["endpoint"]["url"]
        self.api_key = outcome["api_key"]

    def ask(self, n: int = 1, api_key: str | None = None) -> int:
        """Ask so often; the status of the last answer."""
        headers = {"Authorization": f"Bearer {api_key or self.api_key}", "Content-Type": "application/json"}
        status = 0
        for _ in range(n):
            request = urllib.request.Request(self.url, json.dumps({"rows": [_ROW]}).encode(), headers)
            try:
                with urllib.request.urlopen(request) as response:
                    status = response.status
            except urllib.error.HTTPError as error:
                status = error.code
        return status


@pytest.fixture
def shop(lab: Any) -> Iterator[Shop]:
    yield Shop(lab)
    lab.call("serving.undeploy", name="shop")


def test_an_endpoint_is_watched_led_and_opened_to_clients(lab_page: Any, shop: Shop) -> None:
    lab_page.open_sidebar()
    lab_page.widen_sidebar(340)
    _traffic_is_drawn_by_version(lab_page, shop)
    _a_canary_is_judged_and_goes_back_from_its_row(lab_page, shop)
    _keys_are_made_limited_rotated_and_revoked(lab_page, shop)
    _limits_are_changed(lab_page)
    _the_log_is_followed(lab_page)


def look(lab_page: Any, name: str) -> None:
    """A picture, and one in the dark theme when they are asked for: to change it takes a second."""
    lab_page.screenshot(name)
    if "SNAPML_SCREENSHOTS" not in os.environ:
        return
    lab_page.change_theme("JupyterLab Dark")
    lab_page.screenshot(f"{name}-dark")
    lab_page.change_theme("JupyterLab Light")


def _traffic_is_drawn_by_version(lab_page: Any, shop: Shop) -> None:
    row = lab_page.row("endpoints", "shop")
    expect(row).to_contain_text("shoppers:1")
    row.click()
    panel = lab_page.shown.get_by_role("tabpanel")
    expect(panel).to_contain_text("No requests yet")
    expect(row.get_by_role("button")).to_have_count(0)

    plan = {"steps": [0.5, 1.0], "every_seconds": 600.0, "guards": _GUARDS}
    shop.lab.call("serving.deploy", model_ref="shoppers:2", endpoint="shop", arm="challenger", plan=plan)
    assert shop.ask(60) == 200
    expect(row).to_contain_text(re.compile(r"v1 50\s% v2 50\s%"))
    expect(row).to_contain_text("canary step 1 of 2 · next at")
    chart = panel.get_by_role("figure").filter(has_text="Requests a second")
    expect(chart.get_by_role("img")).to_be_visible(timeout=30_000)
    expect(chart).to_contain_text("shoppers:1 champion")
    expect(chart).to_contain_text("shoppers:2 challenger")
    expect(panel).to_contain_text(re.compile(r"Workers\s*1\s*busy \d"))
    expect(panel.get_by_role("img")).to_have_count(6)  # five charts, and the sparkline of the live figures
    look(lab_page, "endpoint-charts")
    chart.get_by_role("button", name="View as table").click()
    figures = chart.get_by_role("table")
    expect(figures.get_by_role("columnheader", name="shoppers:2 challenger")).to_be_visible()
    rates = [text for text in figures.locator("td").all_inner_texts() if text not in ("0", "–")]
    assert rates, "some point has requests"


def _a_canary_is_judged_and_goes_back_from_its_row(lab_page: Any, shop: Shop) -> None:
    page, row = lab_page.page, lab_page.row("endpoints", "shop")
    panel = lab_page.shown.get_by_role("tabpanel")
    lab_page.shown.get_by_role("tab", name="Traffic").click()
    judge = panel.get_by_role("table", name="What the judge says of each guard")
    errors = judge.get_by_role("row", name=re.compile("error_rate<1%"))
    expect(errors).to_be_visible()
    assert shop.ask(30) == 200  # the judge counts from its first look on
    expect(errors).to_contain_text(re.compile(r"0\s% \(at all times between 0\s%"), timeout=20_000)
    expect(errors).to_contain_text("of the 40 that break it")
    expect(judge.get_by_role("row", name=re.compile("p99<5s"))).to_contain_text(
        re.compile(r"ms \(n \d+\).*ms \(n \d+\)")
    )
    expect(panel).to_contain_text("The judge keeps going and waits")
    look(lab_page, "judge")

    row.hover()
    row.get_by_role("button", name="Roll back").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("shoppers:2 is taken away and shoppers:1 answers all requests")
    dialog.get_by_role("button", name="Cancel").click()
    row.click(button="right")
    page.get_by_role("menuitem", name="Roll Back…").click()
    dialog.get_by_role("button", name="Roll back").click()
    expect(row).to_contain_text("rolled back: Rolled back by")
    expect(row.get_by_text("rolled back", exact=True)).to_have_count(1)  # the status, for a screen reader
    expect(panel.get_by_role("button", name="Roll back…")).to_have_count(0)
    lab_page.screenshot("rolled-back")


def _keys_are_made_limited_rotated_and_revoked(lab_page: Any, shop: Shop) -> None:
    page = lab_page.page
    lab_page.shown.get_by_role("tab", name="Clients and keys").click()
    panel = lab_page.shown.get_by_role("tabpanel")
    panel.get_by_role("button", name="New key…").click()
    form = panel.get_by_role("form", name="New key for shop")
    expect(form.get_by_label("Client")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel.get_by_role("button", name="New key…")).to_be_focused()
    page.keyboard.press("Enter")
    form.get_by_label("Most requests a day").fill("many")
    form.get_by_role("button", name="Make key").click()
    expect(form.get_by_label("Client")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_label("Client")).to_be_focused()
    expect(form).to_contain_text("Name who will use the key.")
    expect(form).to_contain_text("A number above 0, or nothing for no limit.")
    look(lab_page, "new-key")
    form.get_by_label("Client").fill("billing")
    form.get_by_label("Most requests a day").fill("3")
    form.get_by_label("send labels").uncheck()
    form.get_by_label("Expires").select_option("in 30 days")
    form.get_by_role("button", name="Make key").click()
    api_key = _kept_key(page)

    assert shop.ask(2, api_key) == 200
    row = panel.get_by_role("row", name=re.compile("billing"))
    expect(row).to_contain_text("3 a day")
    expect(row).to_contain_text("in 30 d")
    expect(row).to_contain_text("2 of 3")
    assert shop.ask(2, api_key) == 429

    row.get_by_role("button", name="Limits of billing").click()
    form = panel.get_by_role("form", name=re.compile("Limits of billing"))
    form.get_by_label("Most requests a day").fill("1000")
    form.get_by_role("button", name="Change").click()
    expect(row).to_contain_text(re.compile(r"1\s000 a day"))
    assert shop.ask(1, api_key) == 200
    row.get_by_role("button", name="Rotate the key of billing").click()
    panel.get_by_role("form", name="Rotate the key of billing").get_by_role("button", name="Make the new key").click()
    newer = _kept_key(page)
    assert (shop.ask(1, api_key), shop.ask(1, newer)) == (200, 200)
    expect(row).to_have_count(2)
    expect(row.first).to_contain_text("in 24")
    row.first.get_by_role("button", name="Revoke the key of billing").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(1)
    panel.get_by_role("button", name="Show 1 revoked or expired key").click()
    expect(row.first).to_contain_text("revoked")
    assert (shop.ask(1, api_key), shop.ask(1, newer)) == (401, 200)


def _limits_are_changed(lab_page: Any) -> None:
    panel = lab_page.shown.get_by_role("tabpanel")
    limits = panel.get_by_role("form", name="Limits of shop")
    expect(limits.get_by_role("button", name="Save limits")).to_be_disabled()
    limits.get_by_label("Web origins").fill("shop.example")
    expect(limits).to_contain_text("shop.example is no origin")
    limits.get_by_label("Web origins").fill("https://shop.example")
    limits.get_by_label("Most requests a day").fill("500")
    limits.get_by_label("Largest body").fill("2")
    limits.get_by_role("button", name="Save limits").click()
    expect(limits).to_contain_text("Saved")
    found = lab_page.lab.call("serving.get_endpoint", name="shop")["settings"]
    assert (found["quota_per_day"], found["max_body_bytes"]) == (500, 2**21)
    assert found["cors_origins"] == ["https://shop.example"]
    look(lab_page, "clients")


def _the_log_is_followed(lab_page: Any) -> None:
    panel = lab_page.shown.get_by_role("tabpanel")
    lab_page.shown.get_by_role("tab", name="Logs").click()
    log = panel.get_by_role("log")
    expect(log).to_contain_text("deployment 1 of shop is live")
    look(lab_page, "logs")
    panel.get_by_label("Filter the lines").fill("of SHOP live")
    expect(log.locator("time")).to_have_count(2)
    panel.get_by_label("Filter the lines").fill("nobody-writes-this")
    expect(log).to_contain_text("No line has “nobody-writes-this”.")


def _kept_key(page: Any) -> str:
    """The key that is shown, after it was copied and the dialog closed."""
    dialog = page.get_by_role("dialog")
    shown: str = dialog.locator("code").inner_text()
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    dialog.get_by_role("button", name="I have kept it").click()
    return shown
