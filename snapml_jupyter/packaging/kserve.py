"""KServe: an `InferenceService` and the model folders that it reads, for the Triton runtime that KServe brings.

Fields after https://github.com/kserve/kserve/blob/master/config/crd/full/serving.kserve.io_inferenceservices.yaml and
the canary's rule after https://kserve.github.io/website/docs/model-serving/predictive-inference/rollout-strategies/canary:
the service names the new model with `canaryTrafficPercent`; the last one that was rolled out keeps the rest. So a canary
needs two manifests, applied one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from .docker import image_name
from .triton import model_files

if TYPE_CHECKING:
    from .exporting import Exit, Files, Part

#: Where the storage URI goes when nobody said it.
UNKNOWN_STORAGE = "s3://YOUR-BUCKET/YOUR-FOLDER"
#: KServe's own runtime for Triton.
_RUNTIME = "kserve-tritonserver"

_README = """\
# KServe: {endpoint}

1. Upload the folder `models/` so that {storage}/{first} is what `models/{first}` is here.{unknown}
2. `kubectl apply -f inference-service.yaml` and wait until it is ready.
{canary}
Each model folder is a Triton model repository; the model in it is called '{endpoint}', and clients ask
`/v2/models/{endpoint}/infer`. Missing numbers are NaN, missing text is as the folder's graph wants it: see the
documentation of snapml-jupyter, page "packaging".
"""


def kserve_files(leaving: Exit) -> Files:
    """Manifests and model folders."""
    endpoint = leaving.endpoint.name
    storage = (leaving.storage_uri or UNKNOWN_STORAGE).rstrip("/")
    main, canary = leaving.main, leaving.canary
    files = {"inference-service.yaml": _yaml(inference_service(endpoint, main, storage))}
    steps = ""
    if canary is not None:
        manifest = inference_service(endpoint, canary, storage, leaving.canary_percent)
        files["inference-service-canary.yaml"] = _yaml(manifest)
        steps = (
            f"3. `kubectl apply -f inference-service-canary.yaml`: {canary.version.ref} gets {leaving.canary_percent}% of the "
            f"traffic, {main.version.ref} the rest.\n"
        )
    for part in leaving.parts:
        for path, content in model_files(endpoint, [part]).items():
            files[f"models/{_folder(part)}/{endpoint}/{path}"] = content
    unknown = " Then put its address into the manifests." if leaving.storage_uri is None else ""
    text = _README.format(endpoint=endpoint, storage=storage, first=_folder(main), unknown=unknown, canary=steps)
    files["README.md"] = text.encode()
    return files


def inference_service(endpoint: str, part: Part, storage: str, canary_percent: int | None = None) -> dict[str, Any]:
    """The manifest as a mapping; with `canary_percent` the version gets only that much of the traffic."""
    predictor: dict[str, Any] = {
        "minReplicas": 1,
        "model": {
            "modelFormat": {"name": "onnx", "version": "1"},
            "runtime": _RUNTIME,
            "protocolVersion": "v2",
            "storageUri": f"{storage}/{_folder(part)}",
        },
    }
    if canary_percent is not None:
        predictor["canaryTrafficPercent"] = canary_percent
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": image_name(endpoint),
            "annotations": {"snapml.model": part.version.ref, "snapml.run": part.version.run_id},
        },
        "spec": {"predictor": predictor},
    }


def _folder(part: Part) -> str:
    return f"v{part.number}"


def _yaml(manifest: dict[str, Any]) -> bytes:
    return yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True).encode()
