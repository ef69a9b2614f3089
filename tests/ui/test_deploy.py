"""From the Deploy button of a model version to an endpoint that answers, without leaving JupyterLab."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import expect


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
