"""The servers beside which ours is measured: what each is installed from, and how it is started and asked.

Each gets an environment of its own with the versions below, made once in the folder of `--peers-folder`, and the same fitted
pipeline, which its own Python runs; requests have the form that its documentation shows for one row of named columns.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server_process import Server, ServerError
from workload import Live

SERVICES = Path(__file__).resolve().parent / "peer_services"
#: The pipeline is read by the version that wrote it.
MODEL_PACKAGES = ("scikit-learn==1.9.1", "joblib==1.6.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """`prepare` writes what the server starts from: (python of its environment, folder with model.joblib, the live model)."""

    name: str
    packages: tuple[str, ...]
    prepare: Callable[[Path, Path, Live], Server]
    #: Of the environment; peers of the same packages share one.
    environment: str


def environment_python(peer: Peer, folder: Path) -> Path:
    """The Python of the peer's environment, which is made if it is missing or has other versions. Raises ServerError."""
    place = folder / peer.environment
    python, stamp = place / "bin" / "python", place / "installed.txt"
    wanted = "\n".join([sys.version, *peer.packages])
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing {peer.environment} in {place}", file=sys.stderr, flush=True)
    shutil.rmtree(place, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", str(place)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.packages],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
            raise ServerError(f"{peer.name} cannot be installed: {said}")
    stamp.write_text(wanted)
    return python


def default_folder() -> Path:
    """Where the environments go unless another folder is named."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "snapml-serving-peers"


def _mlflow(python: Path, folder: Path, live: Live) -> Server:
    model = folder / "mlflow-model"
    example = json.dumps([live.row])
    command = [str(python), str(SERVICES / "save_mlflow_model.py"), str(folder / "model.joblib"), str(model), example]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **_QUIET})
    if done.returncode != 0:
        raise ServerError(f"mlflow cannot save the model: {done.stderr[-800:]}")
    program = str(python.with_name("mlflow"))
    return Server(
        name="mlflow models serve",
        command=lambda port: [program, "models", "serve", "-m", str(model), "-p", str(port), "--env-manager", "local"],
        path="/invocations",
        body=json.dumps({"dataframe_split": {"columns": list(live.row), "data": [list(live.row.values())]}}).encode(),
        read=lambda answer: float(answer["predictions"][0][1]),
        # The command starts uvicorn by name.
        environment={**_QUIET, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"},
        note="one worker, signature enforced",
    )


def _bentoml(service: str) -> Callable[[Path, Path, Live], Server]:
    def prepare(python: Path, folder: Path, live: Live) -> Server:
        program = str(python.with_name("bentoml"))
        return Server(
            name="bentoml" if service == "Rows" else "bentoml, batching",
            command=lambda port: [
                *(program, "serve", f"bentoml_service:{service}", "--working-dir", str(SERVICES)),
                *("--host", "127.0.0.1", "--port", str(port)),
            ],
            path="/predict",
            body=json.dumps({"rows": [live.row]}).encode(),
            read=lambda answer: float(answer[0][1]),
            environment={**_QUIET, "MODEL_FILE": str(folder / "model.joblib"), "BENTOML_HOME": str(folder / "bentoml")},
            note="one request a run" if service == "Rows" else "adaptive batching, at most 64 rows",
        )

    return prepare


def _litserve(batch_timeout: float | None) -> Callable[[Path, Path, Live], Server]:
    def prepare(python: Path, folder: Path, live: Live) -> Server:
        batching = [] if batch_timeout is None else [str(batch_timeout)]
        script, model = str(SERVICES / "litserve_server.py"), str(folder / "model.joblib")
        return Server(
            name="litserve" if batch_timeout is None else "litserve, batching",
            command=lambda port: [str(python), script, model, str(port), *batching],
            path="/predict",
            body=json.dumps(live.row).encode(),
            read=lambda answer: float(answer["probabilities"][1]),
            note="batches of at most 64, waiting 2 ms" if batching else "one request a run",
        )

    return prepare


def _mlserver(batch_seconds: float | None) -> Callable[[Path, Path, Live], Server]:
    def prepare(python: Path, folder: Path, live: Live) -> Server:
        models = folder / ("mlserver" if batch_seconds is None else "mlserver-batching")
        models.mkdir(exist_ok=True)
        said: dict[str, Any] = {
            "name": "bench",
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": str(folder / "model.joblib")},
        }
        if batch_seconds is not None:
            said |= {"max_batch_size": 64, "max_batch_time": batch_seconds}
        (models / "model-settings.json").write_text(json.dumps(said))
        (models / "settings.json").write_text(json.dumps({"parallel_workers": 0, "debug": False}))
        inputs = [_column(name, value) for name, value in live.row.items()]
        request = {"parameters": {"content_type": "pd"}, "inputs": inputs, "outputs": [{"name": "predict_proba"}]}
        return Server(
            name="mlserver" if batch_seconds is None else "mlserver, batching",
            command=lambda port: [
                *("env", f"MLSERVER_HTTP_PORT={port}", f"MLSERVER_GRPC_PORT={port + 1}"),
                *(f"MLSERVER_METRICS_PORT={port + 2}", "MLSERVER_HOST=127.0.0.1"),
                *(str(python.with_name("mlserver")), "start", str(models)),
            ],
            path="/v2/models/bench/infer",
            body=json.dumps(request).encode(),
            read=lambda answer: float(answer["outputs"][0]["data"][1]),
            note="in-process"
            if batch_seconds is None
            else f"in-process, batches of at most 64, waiting {batch_seconds * 1e3:g} ms",
        )

    return prepare


def _column(name: str, value: Any) -> dict[str, Any]:
    """One value of a row as an input of the Open Inference Protocol."""
    column = {"name": name, "shape": [1, 1], "data": [value]}
    if isinstance(value, str):
        return {**column, "datatype": "BYTES", "parameters": {"content_type": "str"}}
    return {**column, "datatype": "INT64" if isinstance(value, int) else "FP64"}


#: None of them reports home from here.
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "BENTOML_DO_NOT_TRACK": "True"}

_BENTOML = ("bentoml==1.4.40", "pandas==3.1.1", *MODEL_PACKAGES)
_MLSERVER = ("mlserver==1.7.1", "mlserver-sklearn==1.7.1", *MODEL_PACKAGES)
_LITSERVE = ("litserve==0.2.19", "pandas==3.1.1", *MODEL_PACKAGES)
PEERS = (
    Peer(name="mlflow", packages=("mlflow==3.17.2", *MODEL_PACKAGES), prepare=_mlflow, environment="mlflow"),
    Peer(name="bentoml", packages=_BENTOML, prepare=_bentoml("Rows"), environment="bentoml"),
    Peer(name="bentoml, batching", packages=_BENTOML, prepare=_bentoml("BatchedRows"), environment="bentoml"),
    Peer(name="mlserver", packages=_MLSERVER, prepare=_mlserver(None), environment="mlserver"),
    Peer(name="mlserver, batching", packages=_MLSERVER, prepare=_mlserver(0.002), environment="mlserver"),
    Peer(name="litserve", packages=_LITSERVE, prepare=_litserve(None), environment="litserve"),
    Peer(name="litserve, batching", packages=_LITSERVE, prepare=_litserve(0.002), environment="litserve"),
)
