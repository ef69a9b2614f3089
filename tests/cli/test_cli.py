"""The command line as people and scripts use it: text, `--json`, exit statuses, sentences for what went wrong."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from snapml_jupyter.cli.main import main
from snapml_jupyter.cli.output import table
from snapml_jupyter.figures import age, show, size
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture
def call(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]  # a small closure
    monkeypatch.setenv("SNAPML_WORKSPACE", workspace.location)
    runner = CliRunner()

    def run(*words: str) -> Result:
        return runner.invoke(main, list(words))

    return run


LISTS = [
    ("status",),
    ("verify",),
    ("gc", "--dry-run"),
    ("audit",),
    ("run", "list"),
    ("data", "list"),
    ("model", "list"),
    ("endpoint", "list"),
    ("host", "status"),
    ("host", "logs"),
    ("monitor", "list"),
    ("alert", "list"),
]


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_an_empty_workspace_is_a_sentence_and_valid_json(call, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    plain = call(*words)
    assert plain.exit_code == 0, plain.output
    assert plain.output.strip()
    assert json.loads(call(*words, "--json").stdout) is not None


UNKNOWN = [
    ("run", "show", "nope"),
    ("data", "list", "nope"),
    ("data", "show", "nope@v1"),
    ("data", "profile", "nope"),
    ("data", "diff", "nope@v1", "nope@v2"),
    ("data", "alias", "nope@v1", "ok"),
    ("data", "export", "nope@v1", "x.csv"),
    ("model", "list", "nope"),
    ("model", "show", "nope:1"),
    ("model", "register", "nope", "m"),
    ("model", "promote", "nope:1", "staging"),
    ("model", "export", "nope"),
    ("endpoint", "deploy", "nope"),
    ("endpoint", "show", "nope"),
    ("endpoint", "remove", "nope"),
    ("endpoint", "key", "create", "nope", "--client", "c"),
    ("endpoint", "key", "revoke", "nope"),
    ("monitor", "show", "nope"),
    ("monitor", "run", "nope"),
    ("drift", "nope@v1", "nope@v2"),
    ("alert", "ack", "nope"),
]


@pytest.mark.parametrize("words", UNKNOWN, ids=" ".join)
def test_an_unknown_name_is_one_sentence_and_status_one(call, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    result = call(*words)
    assert result.exit_code == 1, (result.output, result.exception)
    assert result.stderr.startswith("Error: ")
    assert "nope" in result.stderr
    assert "Traceback" not in result.output
    described = json.loads(call(*words, "--json").stderr)
    assert described["error"] == "not_found"
    assert "nope" in described["message"]


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("run", "list", "--limit", "0"),
        ("nothing",),
        ("data", "show", "a@@b"),
        ("gc", "--older-than", "soon"),
        ("gc", "--keep", "0"),
        ("model", "promote", "m:1", "up"),
    ],
    ids=" ".join,
)
def test_wrong_use_is_status_two(call, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    assert call(*words).exit_code == 2


def test_init_makes_a_workspace_that_is_found_from_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNAPML_WORKSPACE", raising=False)
    runner = CliRunner()
    assert runner.invoke(main, ["init", str(tmp_path)]).exit_code == 0
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    found = json.loads(runner.invoke(main, ["status", "--json"]).stdout)
    assert Path(found["location"]) == (tmp_path / ".snapml").resolve()
    assert (tmp_path / ".snapml" / ".gitignore").exists()


def test_verify_leaves_with_one_when_something_is_damaged(call, workspace: Workspace) -> None:  # type: ignore[no-untyped-def]
    digest = workspace.blobs.put(b"content")
    workspace.blobs.path(digest).write_bytes(b"c0ntent")
    result = call("verify")
    assert result.exit_code == 1
    assert digest[:12] in result.output
    again = call("verify", "--json")
    assert again.exit_code == 1
    assert json.loads(again.stdout)["passed"] is False


def test_a_csv_file_becomes_a_version_and_the_same_file_again_does_not(call, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "people.csv"
    file.write_text("name,age\nada,36\ngrace,\n")
    first = json.loads(call("data", "add", str(file), "-m", "first", "--json").stdout)
    assert (first["ref"], first["n_rows"], first["is_new"]) == ("people@v1", 2, True)
    assert "already kept" in call("data", "add", str(file)).output
    assert "1 small table and 0 blobs checked: everything is as it was written." in call("verify").output
    shown = call("data", "show", "people")
    assert "people@v1" in shown.output
    assert "age" in shown.output
    assert "people@v1" in call("data", "list").output


def test_cells_read_well() -> None:
    now = datetime(2026, 11, 1, tzinfo=timezone.utc)
    assert [age(now - timedelta(seconds=s), now) for s in (5, 90, 7300, 200_000)] == ["5 s", "1 min", "2 h", "2 d"]
    assert [size(n) for n in (12, 1400, 2_500_000)] == ["12 B", "1.4 kB", "2.5 MB"]
    assert [show(v) for v in (0.78216, 1234567, None, True, {"auc": 0.5}, [])] == [
        "0.7822",
        "1\u2009234\u2009567",
        "-",
        "yes",
        "auc 0.5",
        "-",
    ]
    assert table(["a"], [], "Nothing.") == "Nothing."


def test_data_is_added_compared_named_and_exported(call, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import sqlite3

    (tmp_path / "flights.csv").write_text("id,delay\n1,5\n2,7\n")
    assert call("data", "add", str(tmp_path / "flights.csv")).output.startswith("flights@v1: 2 rows")
    with sqlite3.connect(tmp_path / "x.db") as database:
        database.execute("CREATE TABLE t (id INTEGER, delay INTEGER)")
        database.execute("INSERT INTO t VALUES (1, 5), (2, 8), (3, 9)")
    url = f"sqlite:///{tmp_path / 'x.db'}"
    added = call("data", "add", "--query", "SELECT * FROM t", "--connection", url, "--name", "flights", "--json")
    assert json.loads(added.stdout)["source"]["kind"] == "query"
    found = json.loads(call("data", "diff", "flights@v1", "flights@v2", "--on", "id", "--json").stdout)
    assert (found["n_added"], found["n_removed"], found["n_changed"]) == (1, 0, 1)
    assert "7 -> 8" in call("data", "diff", "flights@v1", "flights@v2", "--on", "id").output
    assert call("data", "alias", "flights@v1", "first").output == "flights@first is flights@v1.\n"
    assert call("data", "export", "flights@first", str(tmp_path / "out.csv")).exit_code == 0
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == "1,5"
    assert call("data", "export", "flights@first", str(tmp_path / "out.csv")).exit_code == 1
    assert "DISTINCT" in call("data", "profile", "flights").output
    assert call("data", "add", "--query", "SELECT 1").exit_code == 2
