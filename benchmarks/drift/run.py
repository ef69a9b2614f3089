"""Drift between two frames: ours beside whylogs and Evidently, seconds and verdicts, as medians of rounds.

    python benchmarks/drift/run.py                          # 100,000 x 20
    python benchmarks/drift/run.py --rows 1000000 --rounds 1
    python benchmarks/drift/run.py --python other/bin/python  # Evidently where pandas is older than 3, as it needs
    python benchmarks/drift/run.py --chance                 # how often unmoved samples are called drifted
    python benchmarks/drift/run.py --json                   # for machines

Half of the 16 numeric and 4 text columns moved by 0.3 standard deviations (or a tenth of the rows), half did not.
Each tool judges the same frames with its defaults: `whylogs` profiles both frames and compares the profiles.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

Verdicts = dict[str, bool]


def make_frames(n_rows: int, seed: int = 7) -> tuple[pd.DataFrame, pd.DataFrame, set[str]]:
    """Reference, current, and the names of the columns that moved."""
    random = np.random.default_rng(seed)
    letters = np.array(["red", "green", "blue", "black", "white", "grey"])
    reference: dict[str, Any] = {}
    current: dict[str, Any] = {}
    moved = set()
    for place in range(16):
        name, shift = f"number_{place}", 0.3 * (place % 2)
        reference[name] = random.normal(size=n_rows)
        current[name] = random.normal(shift, 1, n_rows)
        moved |= {name} if shift else set()
    for place in range(4):
        name, shift = f"text_{place}", place % 2
        shares = np.full(6, 1 / 6)
        reference[name] = letters[random.choice(6, n_rows, p=shares)]
        shares = shares + shift * np.array([0.15, -0.03, -0.03, -0.03, -0.03, -0.03])
        current[name] = letters[random.choice(6, n_rows, p=shares)]
        moved |= {name} if shift else set()
    return pd.DataFrame(reference), pd.DataFrame(current), moved


def with_ours(reference: pd.DataFrame, current: pd.DataFrame) -> Verdicts:
    """`snap.drift(reference, current)`."""
    import snapml_jupyter as snap

    return {column.name: column.drifted for column in snap.drift(reference, current).columns}


def with_whylogs(reference: pd.DataFrame, current: pd.DataFrame) -> Verdicts:
    """whylogs' own: log both frames, compare the profiles (KS and chi-square, drift below its p-value)."""
    os.environ.setdefault("WHYLOGS_NO_ANALYTICS", "1")
    import whylogs
    from whylogs.core import datatypes
    from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

    # whylogs 1.6 names numpy.unicode_, which numpy 2 removed; only its own module gets a numpy that has it.
    datatypes.np = types.SimpleNamespace(**{**vars(np), "unicode_": np.str_})
    views = [
        whylogs.log(frame.astype({n: object for n in frame if n.startswith("text")})).view()
        for frame in (current, reference)
    ]
    scores = calculate_drift_scores(target_view=views[0], reference_view=views[1], with_thresholds=True)
    return {name: score is not None and score["drift_category"] == "DRIFT" for name, score in scores.items()}


def with_evidently(reference: pd.DataFrame, current: pd.DataFrame) -> Verdicts:
    """Evidently's DataDriftPreset."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    numbers = [name for name in reference if name.startswith("number")]
    texts = [name for name in reference if name.startswith("text")]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    frames = [Dataset.from_pandas(frame, definition) for frame in (current, reference)]
    found = Report([DataDriftPreset()]).run(*frames).dict()["metrics"]
    by_column = {m["config"]["column"]: (float(m["value"]), m["config"]) for m in found if "column" in m["config"]}
    return {
        name: (value < config["threshold"]) if "p_value" in config["method"] else (value >= config["threshold"])
        for name, (value, config) in by_column.items()
    }


TOOLS: dict[str, Callable[[pd.DataFrame, pd.DataFrame], Verdicts]] = {
    "ours": with_ours,
    "whylogs": with_whylogs,
    "evidently": with_evidently,
}


def measure(tool: str, n_rows: int, rounds: int) -> dict[str, Any]:
    """Seconds (median, after one warm-up on few rows) and what the tool got wrong."""
    reference, current, moved = make_frames(n_rows)
    TOOLS[tool](reference[:2000], current[:2000])
    seconds = []
    verdicts: Verdicts = {}
    for _ in range(rounds):
        began = time.perf_counter()
        verdicts = TOOLS[tool](reference, current)
        seconds.append(time.perf_counter() - began)
    found = {name for name, drifted in verdicts.items() if drifted}
    return {
        "tool": tool,
        "seconds": statistics.median(seconds),
        "found": len(found & moved),
        "false_alarms": len(found - moved),
    }


def measure_elsewhere(python: str, tool: str, n_rows: int, rounds: int) -> dict[str, Any]:
    """The same in another interpreter."""
    command = [python, __file__, "--only", tool, "--rows", str(n_rows), "--rounds", str(rounds), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{tool} in {python} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)["tools"][0]
    return result


def measure_chance(seeds: int = 400) -> list[dict[str, Any]]:
    """Share of unmoved samples that are called drifted: by our threshold, and by 0.1 alone as is usual."""
    from snapml_jupyter.monitoring.measures import MEASURES

    random = np.random.default_rng(0)
    numbers: dict[str, Callable[[int], Any]] = {
        "uniform": random.random,
        "normal": lambda n: random.normal(size=n),
        "exponential": lambda n: random.exponential(size=n),
        "log-normal": lambda n: random.lognormal(size=n),
        "t(3)": lambda n: random.standard_t(3, n),
    }
    found = []
    for n, m in ((2_000, 200), (20_000, 1_000), (50_000, 5_000)):
        for name, draw in numbers.items():
            measured = [MEASURES["wasserstein"](np.sort(draw(n)), np.sort(draw(m))) for _ in range(seeds)]
            found.append(_chance(f"{name}, {n:,} against {m:,}", measured))
        for k in (2, 20, 300, 4_000):
            shares = 1 / np.arange(1, k + 1)
            shares /= shares.sum()
            draws = [(random.multinomial(n, shares), random.multinomial(m, shares)) for _ in range(seeds)]
            found.append(
                _chance(f"{k} categories, {n:,} against {m:,}", [MEASURES["jensenshannon"](a, b) for a, b in draws])
            )
    return found


def _chance(what: str, measured: list[Any]) -> dict[str, Any]:
    return {
        "sample": what,
        "ours": float(np.mean([m.exceeds for m in measured])),
        "plain": float(np.mean([m.score >= 0.1 for m in measured])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", help="an interpreter that has evidently")
    parser.add_argument("--only", choices=list(TOOLS))
    parser.add_argument("--chance", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # the other tools' own
    if given.chance:
        chances = measure_chance()
        if given.json:
            print(json.dumps({"chance": chances}))
            return
        for row in chances:
            print(f"{row['sample']:<42} ours {row['ours']:6.1%}   0.1 alone {row['plain']:6.1%}")
        return
    results = []
    for tool in [given.only] if given.only else list(TOOLS):
        if tool == "evidently" and given.python:
            results.append(measure_elsewhere(given.python, tool, given.rows, given.rounds))
        elif tool != "evidently" or importlib.util.find_spec("evidently"):
            results.append(measure(tool, given.rows, given.rounds))
    if given.json:
        print(json.dumps({"rows": given.rows, "tools": results}))
        return
    print(f"{given.rows:,} x 20 against as many; 10 columns moved, 10 did not")
    for row in results:
        ratio = row["seconds"] / results[0]["seconds"]
        print(
            f"{row['tool']:<10} {row['seconds']:8.3f} s {ratio:8.1f}x   "
            f"found {row['found']:2d} of 10, false alarms {row['false_alarms']}"
        )


if __name__ == "__main__":
    main()
