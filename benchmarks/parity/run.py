"""Every flight of 2013 through the endpoint of the quickstart, beside the pipeline itself.

    make demo && .venv/bin/python benchmarks/parity/run.py

Prints the largest difference of a probability and the share of equal labels over all 336,776 flights, and the rows a
second that one client got over HTTP.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

import snapml_jupyter as snap
from snapml_jupyter.serving.host_process import get_host_status, start_host, stop_host

ROOT = Path(__file__).resolve().parents[2]


def flights_of_2013() -> tuple[object, list[str]]:
    """The frame and the features, made by the quickstart's own cell."""
    notebook = json.loads((ROOT / "examples" / "quickstart.ipynb").read_text())
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "data")
    names: dict[str, object] = {}
    exec("".join(cell["source"]), names)  # our own notebook, so that the features cannot differ from it
    features = names["FEATURES"]
    return names["data"][features], features  # type: ignore[index]  # a DataFrame and a list of names


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", default=str(ROOT / ".demo" / "workspace"))
    options = parser.parse_args()
    workspace = snap.workspace(options.workspace)
    was_running = get_host_status(workspace).running
    start_host(workspace)
    try:
        frame, _ = flights_of_2013()
        model, endpoint = snap.load_model("late-flights"), snap.endpoint("late-flights")
        expected = model.predict_proba(frame)
        started = time.perf_counter()
        answers = endpoint.predict(frame)
        seconds = time.perf_counter() - started
        given = answers[[f"probability_{str(label).lower()}" for label in model.classes_]].to_numpy()
        difference = float(np.abs(given - expected).max())
        agreement = float((answers["prediction"].to_numpy() == model.predict(frame)).mean())
        print(f"{len(answers)} flights over HTTP: {len(answers) / seconds:,.0f} rows/s by one client")
        print(f"largest difference of a probability {difference:.2g}, equal labels {agreement:.4%}")
        if difference > 1e-5 or agreement < 0.9999:
            raise SystemExit("The endpoint does not answer like the pipeline.")
    finally:
        if not was_running:
            stop_host(workspace)


if __name__ == "__main__":
    main()
