"""Verdicts of replays over a corpus: scikit-learn's docstrings, the notebooks beside this file, or a folder of notebooks.

    python benchmarks/replay/run.py [--notebooks FOLDER] [--only docstrings|notebooks] [--match TEXT] [--limit N] [--workers 2] [--json FILE]

Every case runs its cells in a shell, records one with %%snap_train and replays it. Prints counts, and every cell that is
not identical or equivalent with the reason. Cells that do not run here (they need a network or a library that is absent)
are counted apart.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def cases(
    only: str | None, match: str, limit: int | None, skip: str | None
) -> list[tuple[str, list[str], str, str, dict[str, str]]]:
    """(name, cells before, recorded cell, expected verdict, files)."""
    found = []
    if only in (None, "docstrings"):
        from docstrings import docstring_cases

        found += [(c.name, c.before, c.cell, "", {}) for c in docstring_cases()]
    if only in (None, "notebooks"):
        from notebooks import notebook_cases

        found += [(c.name, c.before, c.cell, c.expected, c.files) for c in notebook_cases()]
    done = {json.loads(line)["name"] for line in Path(skip).read_text().splitlines()} if skip else set()
    found = [case for case in found if match in case[0] and case[0] not in done]
    return found[:limit] if limit else found


def work(mine: list, out: Path) -> None:
    """Run cases one after the other in this process; a JSON line for each."""
    folder = Path(tempfile.mkdtemp(prefix="replay-corpus-"))
    os.environ.update(SNAPML_WORKSPACE=str(folder / "workspace"), SNAPML_ACTOR="ada", MPLBACKEND="Agg")
    os.chdir(folder)
    from IPython.core.interactiveshell import InteractiveShell

    import snapml_jupyter as snap

    shell = InteractiveShell.instance()
    shell.run_line_magic("colors", "nocolor" if hasattr(shell, "colors") else "NoColor")
    shell.run_cell("%load_ext snapml_jupyter")
    with out.open("a") as lines:
        for number, (name, before, cell, expected, files) in enumerate(mine):
            place = folder / f"case{number}"
            place.mkdir()
            os.chdir(place)
            for path, text in files.items():
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                (place / path).write_text(text)
            shell.reset(new_session=True, aggressive=False)
            record = {"name": name, "expected": expected, "verdict": "does not run", "reason": ""}
            sys.path.insert(0, str(place))
            try:
                for source in before:
                    result = shell.run_cell(source, store_history=True)
                    error = result.error_in_exec or result.error_before_exec
                    if error is not None and not expected:
                        record["reason"] = f"{type(error).__name__}: {error}"[:200]
                        break
                else:
                    began = time.perf_counter()
                    result = shell.run_cell(f"%%snap_train case{number}\n{cell}", store_history=True)
                    record["seconds"] = time.perf_counter() - began
                    error = result.error_in_exec or result.error_before_exec
                    if error is not None and not expected:
                        record["reason"] = f"{type(error).__name__}: {error}"[:200]
                    else:
                        record.update(_replayed(snap, f"case{number}"))
            except BaseException as error:  # a case that breaks the runner is a result
                record.update(verdict="broken", reason=f"{type(error).__name__}: {error}"[:300])
            sys.path.remove(str(place))
            lines.write(json.dumps(record) + "\n")
            lines.flush()


def work_notebooks(given: argparse.Namespace, number: int, of: int) -> None:
    """Judge every `of`th notebook of the folder; a JSON line for each training cell."""
    from notebook_files import judge_notebook, notebook_files

    files = notebook_files(Path(given.notebooks).resolve(), given.match)
    if given.skip:
        lines_before = Path(given.skip).read_text().splitlines()
        done = {json.loads(line)["name"].partition("[")[0] for line in lines_before}
        files = [path for path in files if path.stem not in done]
    with Path(given.out).open("a") as lines:
        for path in (files[: given.limit] if given.limit else files)[number::of]:
            for record in judge_notebook(path, given.seconds):
                lines.write(json.dumps(record) + "\n")
                lines.flush()


def _replayed(snap: object, name: str) -> dict[str, object]:
    from verdicts import line_of

    began = time.perf_counter()
    report = snap.replay(name)  # type: ignore[attr-defined]  # loaded on first use
    return line_of(report, time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["docstrings", "notebooks"])
    parser.add_argument("--match", default="")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--notebooks", metavar="FOLDER", help="judge every training cell of the notebooks in the folder"
    )
    parser.add_argument("--seconds", type=float, default=120.0, help="most a cell of these notebooks may take")
    parser.add_argument("--json", metavar="FILE", help="write every record as a JSON line")
    parser.add_argument(
        "--skip", metavar="FILE", help="leave out the cells (notebooks) of which FILE (of --json) has a record"
    )
    parser.add_argument("--share", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.share:
        number, of = map(int, given.share.split("/"))
        if given.notebooks:
            work_notebooks(given, number, of)
        else:
            work(cases(given.only, given.match, given.limit, given.skip)[number::of], Path(given.out))
        return
    out = Path(given.json or tempfile.mktemp(suffix=".jsonl"))
    out.unlink(missing_ok=True)
    command = [sys.executable, __file__, *sys.argv[1:], "--out", str(out)]
    workers = [
        subprocess.Popen(
            [*command, "--share", f"{n}/{given.workers}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for n in range(given.workers)
    ]
    for worker in workers:
        worker.wait()
    report([json.loads(line) for line in out.read_text().splitlines()])


def report(records: list[dict]) -> None:
    """Counts, then every cell that is not identical or equivalent."""
    counts = collections.Counter(record["verdict"] for record in records)
    ran = [r for r in records if r["verdict"] != "does not run"]
    wrong = [r for r in ran if r["expected"] and r["verdict"] not in r["expected"].split("|")]
    free = [r for r in ran if not r["expected"]]
    good = [r for r in free if r["verdict"] in ("identical", "equivalent")]
    for record in sorted(records, key=lambda r: r["verdict"]):
        if record in good or (record["expected"] and record not in wrong):
            continue
        print(f"{record['verdict']:>15}  {record['name']}  {record['reason']}")
        for what, one, other, far in record.get("differences", []):
            print(f"{'':>17}{what}: {one[:80]} / {other[:80]} ({far})")
        for cause in [*record.get("causes", []), *record.get("missing", [])][:3]:
            print(f"{'':>17}- {cause}")
    for record in good:
        if record.get("witness"):
            print(f"{'to look at':>15}  {record['name']} is {record['verdict']}, but {', '.join(record['witness'])}")
    print(f"\n{len(records)} cells: {dict(counts)}")
    if free:
        print(f"of {len(free)} that run, {len(good)} are identical or equivalent ({len(good) / len(free):.1%})")
    expecting = [r for r in ran if r["expected"]]
    if expecting:
        print(f"of {len(expecting)} with a known verdict, {len(expecting) - len(wrong)} got it")


if __name__ == "__main__":
    main()
