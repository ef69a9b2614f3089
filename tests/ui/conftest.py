"""A real JupyterLab with both extensions, a real Chromium on it, and a workspace filled by real calls.

Login and XSRF protection are on, and the server has a base URL as it would on a Hub. Screenshots go to the folder
SNAPML_SCREENSHOTS, else test-results/.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Playwright, expect, sync_playwright

ROOT = Path(__file__).parents[2]
# Only a failure waits that long; on a machine that is busy with other things a page may take seconds.
expect.set_options(timeout=30_000)
TOKEN = "a-token-for-the-browser-tests"

#: System browsers in the order in which they are tried; else the one that Playwright downloads.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab. `folder` is its root, `workspace` the folder of the SnapML workspace."""

    url: str
    folder: Path
    workspace: Path
    log: Path

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One JSON request with the token."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Authorization", f"token {TOKEN}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read() or b"null")

    def call(self, operation: str, **arguments: Any) -> Any:
        """Call an operation, as the sidebar does."""
        return self.ask("POST", f"/snapml/api/{operation}", arguments)

    def environ(self) -> dict[str, str]:
        """What a process of this person on this workspace has in its environment."""
        named = {"SNAPML_WORKSPACE": str(self.workspace), "SNAPML_ACTOR": "ada", "SNAPML_PORT": "0"}
        return {**os.environ, "PYTHONPATH": str(ROOT), **named}

    def run_python(self, code: str) -> str:
        """Run code in a process of its own on the same workspace; returns what it printed."""
        found = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env=self.environ(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stdout[-1000:] + found.stderr[-3000:]
        return found.stdout

    def start_python(self, code: str) -> subprocess.Popen[str]:
        """The same for code that goes on while the page is looked at; it is told to by lines."""
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env=self.environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


@dataclass
class LabPage:
    """JupyterLab open in the browser. `problems` collects what the console calls an error."""

    page: Page
    lab: Lab
    problems: list[str] = field(default_factory=list)

    @property
    def sidebar(self) -> Locator:
        """Our panel in the left area."""
        return self.page.locator("#snapml-sidebar")

    def section(self, name: str) -> Locator:
        """A section of the sidebar: alerts, runs, datasets, models, endpoints, monitors."""
        return self.sidebar.locator(f"[data-section='{name}']")

    def row(self, section: str, title: str) -> Locator:
        """A row of a section by the name it shows. Rows are drawn where the list is scrolled to: the page looks for it."""
        self.page.evaluate(_LOOK_FOR, [section, title])
        return self.section(section).locator(".jp-snapml-row", has=self.page.get_by_text(title, exact=True)).first

    def look_at(self, section: str) -> None:
        """Keep a section's first rows in view, so that they are drawn."""
        self.page.evaluate(_LOOK_FOR, [section, None])

    @property
    def shown(self) -> Locator:
        """Our page that is in front in the main area."""
        return self.page.locator(".jp-snapml-page:visible")

    def execute(self, command: str, args: dict[str, Any] | None = None) -> Any:
        """Run a JupyterLab command."""
        return self.page.evaluate(
            "async ([command, args]) => { const late = new Promise((_, reject) => setTimeout(reject, 60_000,"
            " new Error(`${command} did not end`)));"
            " const value = await Promise.race([window.jupyterapp.commands.execute(command, args), late]);"
            " return value === undefined || value === null ? null : String(value.id ?? value); }",
            [command, args or {}],
        )

    def begin(self, command: str) -> None:
        """Run a JupyterLab command that ends only when its dialog is closed."""
        self.page.evaluate("command => { void window.jupyterapp.commands.execute(command); }", command)

    def reload(self) -> None:
        """Load the page again, with the layout as it was, and wait for the kernel of the notebook in front."""
        open_lab(self, "/lab")
        self.page.wait_for_function(
            "() => { const session = window.jupyterapp.shell.currentWidget?.sessionContext;"
            " return !session || session.session?.kernel?.status === 'idle'; }",
            timeout=60_000,
        )

    def open_sidebar(self) -> Locator:
        """Show our panel and wait until it has been filled."""
        if not self.sidebar.is_visible():
            self.page.locator("[data-id='snapml-sidebar']").first.click()
        self.sidebar.wait_for()
        return self.sidebar

    def change_theme(self, theme: str) -> None:
        """To "JupyterLab Dark" or "JupyterLab Light". Lab covers a change with its splash, and throws when the next one
        comes before that, or the one of the page's start, has faded."""
        splash = self.page.locator("#jupyterlab-splash")
        splash.wait_for(state="detached")
        self.execute("apputils:change-theme", {"theme": theme})
        is_light = "true" if theme.endswith("Light") else "false"
        self.page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{is_light}'")
        splash.wait_for(state="detached")
        self.page.wait_for_timeout(300)

    def widen_sidebar(self, width: int) -> None:
        """Drag the panel's edge."""
        box = self.sidebar.bounding_box()
        assert box is not None
        edge, middle = box["x"] + box["width"] + 2, box["y"] + box["height"] / 2
        self.page.mouse.move(edge, middle)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + width + 2, middle, steps=5)
        self.page.mouse.up()

    def open_notebook(self, name: str = "test.ipynb") -> None:
        """A new, empty notebook with a running kernel, in the main area."""
        notebook = {"cells": [], "metadata": _PYTHON, "nbformat": 4, "nbformat_minor": 5}
        self.lab.ask("PUT", f"/api/contents/{name}", {"type": "notebook", "format": "json", "content": notebook})
        self.execute("docmanager:open", {"path": name, "factory": "Notebook", "kernel": {"name": "python3"}})
        self.page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )

    def run_cell(self, source: str, *, wait: bool = True, timeout_seconds: float = 120) -> str:
        """Append a cell to the open notebook, run it, and return the text of its outputs."""
        started = self.page.evaluate(_RUN_CELL, source)
        if not wait:
            return ""
        self.page.wait_for_function(
            "index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.executionState === 'idle'"
            " || window.jupyterapp.shell.currentWidget.content.widgets[index].model.executionCount !== null",
            arg=started,
            timeout=timeout_seconds * 1000,
        )
        outputs: list[dict[str, Any]] = self.page.evaluate(
            "index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.outputs.toJSON()", started
        )
        return "\n".join(_text(output) for output in outputs)

    def screenshot(self, name: str) -> Path:
        """Keep a picture of the whole window."""
        folder = Path(os.environ.get("SNAPML_SCREENSHOTS") or ROOT / "test-results")
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png")
        return folder / f"{name}.png"


#: Until the row is there (of a section: its first row), goes down the section and starts again at its top; what arrives
#: later is found as well, and what is pushed away by it. The search ends with the next one.
_LOOK_FOR = """([section, title]) => {
    const look = () => {
        const list = document.querySelector('#snapml-sidebar .jp-snapml-scroller');
        const part = list?.querySelector(`[data-section='${section}']`);
        if (!part) return;
        const rows = [...part.querySelectorAll('.jp-snapml-row')];
        const named = row => [...row.querySelectorAll('*')].some(node => node.textContent.trim() === title);
        if (title === null ? rows.length : rows.some(named)) return;
        const [inner, outer] = [part.getBoundingClientRect(), list.getBoundingClientRect()];
        const isBeside = inner.bottom <= outer.bottom || inner.top >= outer.bottom || inner.bottom <= outer.top;
        list.scrollTop += isBeside ? inner.top - outer.top : 0.6 * outer.height;
    };
    clearInterval(window.snapmlLooking);
    window.snapmlLooking = setInterval(look, 200);
    look();
}"""

_PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}

_RUN_CELL = """async source => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cells = panel.content.model.sharedModel.cells;
    const last = cells.length - 1;
    if (last < 0 || cells[last].getSource() !== '') {
        panel.content.model.sharedModel.insertCell(cells.length, { cell_type: 'code', source });
    } else {
        cells[last].setSource(source);
    }
    const index = panel.content.model.sharedModel.cells.length - 1;
    panel.content.activeCellIndex = index;
    void window.jupyterapp.commands.execute('notebook:run-cell');
    return index;
}"""


def _text(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return "".join(output["text"])
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    text = output["data"].get("text/plain", "")
    return text if isinstance(text, str) else "".join(text)


@contextmanager
def running_lab(folder: Path, workspace: Path) -> Iterator[Lab]:
    """A JupyterLab with its own configuration, layouts and kernels' profile below `folder`."""
    if not (Path(sys.prefix) / "share/jupyter/labextensions/snapml-jupyter/package.json").exists():
        pytest.fail("The lab extension is not installed in this environment. Run: make install-dev")
    root = folder / "notebooks"
    root.mkdir()
    (folder / "config/labconfig").mkdir(parents=True)
    # JupyterLab would ask the network for news, and the user whether it may.
    off = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (folder / "config/labconfig/page_config.json").write_text(json.dumps(off))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Lab(f"http://127.0.0.1:{port}/user/ada", root, workspace, folder / "lab.log")
    environ = {
        **made.environ(),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
        "--LabApp.expose_app_in_browser=True",
    ]
    command += [f"--ServerApp.root_dir={root}", "--ServerApp.base_url=/user/ada/"]
    command += [f"--LabApp.workspaces_dir={folder / 'layouts'}", f"--LabApp.user_settings_dir={folder / 'settings'}"]
    with made.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=root, env=environ, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_ready(process, made)
            yield made
        finally:
            if (workspace / "snapml.db").exists():
                made.run_python(_STOP_HOST)
            process.terminate()
            process.wait(30)


_STOP_HOST = """
import snapml_jupyter as snap
from snapml_jupyter.serving.host_process import stop_host
stop_host(snap.workspace())
"""


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab on a workspace with runs, data and a model (seed.py). One for all tests; starting it takes seconds."""
    folder = tmp_path_factory.mktemp("lab")
    with running_lab(folder, folder / "workspace") as made:
        made.run_python((Path(__file__).parent / "seed.py").read_text())
        yield made


@pytest.fixture(scope="session")
def broken_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab whose workspace cannot be made, because a file is in the way; take it away, and it is empty."""
    folder = tmp_path_factory.mktemp("broken-lab")
    (folder / "in-the-way").write_text("a file")
    with running_lab(folder, folder / "in-the-way" / "workspace") as made:
        yield made


def _wait_until_ready(process: subprocess.Popen[bytes], lab: Lab) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            lab.ask("GET", "/api/status")
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{lab.log.read_text()[-3000:]}")


class Browsers:
    """A browser for each JupyterLab. They keep what they compiled of its scripts: half of the time until a page is there."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._contexts: dict[str, BrowserContext] = {}

    def context_of(self, lab: Lab) -> BrowserContext:
        """The browser for a JupyterLab, with cookies of its own: cookies know hosts, but no ports."""
        if self._playwright is None:
            # Playwright's own Node needs a library that a bare system lacks; the Node that built the lab extension does too.
            path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
            if node := shutil.which("node", path=path):
                os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", node)
            self._playwright = sync_playwright().start()
        if lab.url not in self._contexts:
            found = os.environ.get("SNAPML_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
            self._contexts[lab.url] = self._playwright.chromium.launch_persistent_context(
                lab.log.parent / "browser",
                executable_path=found,
                args=BROWSER_FLAGS,
                viewport={"width": 1280, "height": 800},
            )
        return self._contexts[lab.url]

    def close(self) -> None:
        """Close them all."""
        for context in self._contexts.values():
            context.close()
        self._contexts.clear()
        if self._playwright is not None:
            self._playwright.stop()
            self._playwright = None


_browsers = Browsers()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Close the browsers after the last browser test: while Playwright runs, no other event loop may run in this process."""
    if nextitem is None or not nextitem.nodeid.startswith("tests/ui/"):
        _browsers.close()


@pytest.fixture
def open_page(request: pytest.FixtureRequest) -> Iterator[Callable[[Lab], LabPage]]:
    """`open_page(lab)`: that JupyterLab with a fresh layout, logged in. A console error fails the test at its end."""
    pages: list[LabPage] = []

    def start(lab: Lab) -> LabPage:
        opened = LabPage(_browsers.context_of(lab).new_page(), lab)
        opened.page.set_default_timeout(30_000)
        opened.page.on("console", lambda message: _note(opened, message))
        opened.page.on("pageerror", lambda error: opened.problems.append(f"uncaught: {error}"))
        open_lab(opened, "/lab?reset")
        # The launcher of an empty layout takes the focus a moment after the start, from whatever had it by then.
        opened.page.wait_for_function("() => document.activeElement?.closest('.jp-Launcher')")
        pages.append(opened)
        return opened

    yield start
    for opened in pages:
        if getattr(request.node, "failed_call", False):
            opened.screenshot(f"failed-{request.node.name}")
        opened.page.close()
    assert [problem for opened in pages for problem in opened.problems] == []


@pytest.fixture
def lab_page(open_page: Callable[[Lab], LabPage], lab: Lab) -> LabPage:
    """The seeded JupyterLab in the browser."""
    return open_page(lab)


def open_lab(opened: LabPage, path: str) -> None:
    """Go there and wait until JupyterLab has started."""
    joint = "&" if "?" in path else "?"
    opened.page.goto(f"{opened.lab.url}{path}{joint}token={urllib.parse.quote(TOKEN)}")
    opened.page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
    opened.page.wait_for_function("() => window.jupyterapp !== undefined")
    opened.page.evaluate(
        "() => Promise.race([window.jupyterapp.restored.then(() => true), new Promise((_, reject) =>"
        " setTimeout(reject, 60_000, new Error('the layout was not restored')))])"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Remember that the test failed, so that its page is photographed."""
    report = yield
    if report.when == "call" and report.failed:
        item.failed_call = True  # type: ignore[attr-defined]  # read by lab_page
    return report


def _note(opened: LabPage, message: ConsoleMessage) -> None:
    if message.type == "error":
        opened.problems.append(f"{message.text} ({message.location.get('url', '')})")
