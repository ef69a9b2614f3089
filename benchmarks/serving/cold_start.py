"""From `%snap_deploy` to the first answer: `python cold_start.py MODEL FOLDER`, with SNAPML_WORKSPACE naming an empty folder.

Fits the model as a notebook would, registers it, and then times the magic (which exports it, proves parity on 20,000 rows,
starts the host and waits until a worker has answered) and one request. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import workload
from server_process import tree_memory_mb

from snapml_jupyter.registry.versions import register
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.serving.host_process import stop_host
from snapml_jupyter.store.workspace import Workspace


def main() -> None:
    """Deploy once."""
    frame = workload.make_frame(20_000, seed=1)[list(workload.PEER_COLUMNS)]
    model = getattr(workload, sys.argv[1])(frame)
    workspace = Workspace(Path(os.environ["SNAPML_WORKSPACE"]), actor="bench")
    with start_run(workspace, "bench") as run:
        run.log_model(model, example=frame)
    register(workspace, run.run_id, "bench")
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "snapml_jupyter")
    body = json.dumps({"rows": json.loads(frame.dropna().head(1).to_json(orient="records"))}).encode()
    try:
        began = time.perf_counter()
        endpoint = shell.run_line_magic("snap_deploy", "bench")
        deployed = time.perf_counter()
        request = urllib.request.Request(endpoint.url, body, {"Authorization": f"Bearer {endpoint.api_key}"})
        with urllib.request.urlopen(request, timeout=30) as response:
            json.load(response)
        answered = time.perf_counter()
        from snapml_jupyter.serving.host_process import get_host_status

        host = get_host_status(workspace).pid
        found = {
            "answer_seconds": answered - began,
            "deploy_seconds": deployed - began,
            "tree_memory_mb": tree_memory_mb(host)[1] if host else None,
        }
    finally:
        stop_host(workspace)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
