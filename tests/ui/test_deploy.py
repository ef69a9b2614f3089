"""From the Deploy button of a model version to an endpoint that answers, without leaving JupyterLab."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import expect

_SECOND_VERSION = """
import pandas as pd
import snapml_jupyter as snap

rows = pd.DataFrame({"channel": ["mail", "web"] * 20, "spent": range(0, 400, 10), "n_visits": range(40)})
rows["spent"] = rows["spent"].astype(float)
with snap.start_run("visitors-again") as run:
    run.log_model(snap.load_model("visitors:1"), example=rows)
print(snap.register(run.run_id, "visitors").ref)
"""


def test_the_deploy_button_gives_a_live_endpoint(lab_page: Any) -> None:
    page = lab_page.page
    lab_page.open_sidebar()
    lab_page.widen_sidebar(340)
    lab_page.row("models", "visitors").click()
    lab_page.shown.get_by_role("button", name="Deploy…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("What will happen")
    lab_page.screenshot("deploy-dialog")
    dialog.get_by_role("button", name="Deploy", exact=True).click()

    key = page.locator(".jp-snapml-key code")
    key.wait_for(timeout=90_000)
    api_key = key.text_content()
    page.get_by_role("dialog").get_by_role("button", name="I have kept it").click()

    expect(lab_page.shown.get_by_role("heading", level=1)).to_have_text("visitors")
    expect(lab_page.shown.locator("header")).to_contain_text("live")
    expect(lab_page.row("endpoints", "visitors")).to_contain_text("v1")
    expect(page.locator(".jp-snapml-statusbar")).to_contain_text("host running")
    lab_page.screenshot("endpoint")

    lab_page.shown.get_by_role("tab", name="Try it").click()
    lab_page.shown.get_by_label("API key").fill(api_key)
    lab_page.shown.get_by_role("button", name="Predict").click()
    expect(lab_page.shown.get_by_role("tabpanel")).to_contain_text("The whole answer")
    lab_page.screenshot("try-it")

    url = lab_page.lab.call("serving.get_endpoint", name="visitors")["url"]
    body = json.dumps({"rows": [{"channel": "mail", "spent": 200.0, "n_visits": 3}]}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request)
    request.add_header("Authorization", f"Bearer {api_key}")
    with urllib.request.urlopen(request) as response:
        assert json.loads(response.read())["predictions"][0]["label"] in ("yes", "no")

    expect(lab_page.row("monitors", "visitors")).to_be_visible(timeout=30_000)
    lab_page.row("monitors", "visitors").click()
    expect(lab_page.shown.get_by_role("heading", level=1)).to_contain_text("visitors")
    lab_page.screenshot("monitor")

    _a_canary_is_watched_and_rolled_back(lab_page)


def _a_canary_is_watched_and_rolled_back(lab_page: Any) -> None:
    """A second version beside the first: its share, what the judge says, and back in two clicks."""
    page, lab = lab_page.page, lab_page.lab
    lab.run_python(_SECOND_VERSION)
    guard = {"metric": "error_rate", "relation": "<", "threshold": 0.01, "is_relative": False, "text": "error_rate<1%"}
    plan = {"steps": [0.25, 0.5, 1.0], "every_seconds": 600.0, "guards": [guard]}
    ref = "visitors:2"
    lab.call("serving.deploy", model_ref=ref, endpoint="visitors", arm="challenger", plan=plan)
    lab_page.row("endpoints", "visitors").click()
    lab_page.shown.get_by_role("tab", name="Traffic").click()
    panel = lab_page.shown.get_by_role("tabpanel")
    expect(panel.get_by_role("row", name=re.compile(ref))).to_contain_text(re.compile(r"25\s?%"))
    expect(panel).to_contain_text("step 1 of 3")
    expect(panel.get_by_role("table", name="What the judge says of each guard")).to_contain_text("error_rate<1%")
    lab_page.screenshot("traffic")
    lab_page.change_theme("JupyterLab Dark")
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    page.wait_for_timeout(1500)
    lab_page.screenshot("traffic-dark")
    lab_page.change_theme("JupyterLab Light")
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'true'")
    page.wait_for_timeout(1500)

    panel.get_by_role("slider").fill("40")
    panel.get_by_role("button", name="Save…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile(r"will answer 40\s?%"))
    dialog.get_by_role("button", name="Change").click()
    expect(panel.get_by_role("row", name=re.compile(ref))).to_contain_text(re.compile(r"40\s?%"))
    expect(panel).to_contain_text("stopped")

    panel.get_by_role("button", name="Roll back…").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(panel.get_by_role("row", name=re.compile(ref))).to_have_count(0)
    expect(panel.get_by_role("row", name=re.compile("visitors:1"))).to_contain_text(re.compile(r"100\s?%"))
