"""The manifests for KServe, checked against the fields of its CRD.

INFERENCE_SERVICE is the part of KServe's InferenceService that the exported manifests use, as a JSON schema that refuses every other field.

Written after the CRD serving.kserve.io/v1beta1 (github.com/kserve/kserve, config/crd/full/
serving.kserve.io_inferenceservices.yaml) and the models of its Python SDK (kserve 0.21.0, V1beta1PredictorSpec,
V1beta1ModelSpec, V1beta1ModelFormat); names by RFC 1123, as Kubernetes wants them for a service.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from snapml_jupyter.packaging.exporting import export_deployment, gather
from snapml_jupyter.packaging.kserve import kserve_files


def _closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


_TEXT = {"type": "string"}
_NAME = {"type": "string", "pattern": "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"}
_ANNOTATION = {"type": "object", "additionalProperties": _TEXT, "propertyNames": {"pattern": "^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"}}  # fmt: skip

INFERENCE_SERVICE = _closed(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "serving.kserve.io/v1beta1"},
    kind={"const": "InferenceService"},
    metadata=_closed(["name"], name=_NAME, annotations=_ANNOTATION),
    spec=_closed(
        ["predictor"],
        predictor=_closed(
            ["model"],
            canaryTrafficPercent={"type": "integer", "minimum": 0, "maximum": 100},
            minReplicas={"type": "integer"},
            model=_closed(
                ["modelFormat"],
                modelFormat=_closed(["name"], name=_TEXT, version=_TEXT),
                runtime=_TEXT,
                protocolVersion={"enum": ["v1", "v2", "grpc-v1", "grpc-v2"]},
                storageUri={"type": "string", "pattern": "^(gs|s3|pvc|https?|hdfs|hf|oci)://"},
            ),
        ),
    ),
)


def check(content: bytes) -> Any:
    manifest = yaml.safe_load(content)
    Draft202012Validator(INFERENCE_SERVICE).validate(manifest)
    return manifest


def test_the_manifest_has_only_fields_that_kserve_knows(taken: Any, tmp_path: Path) -> None:
    exported = export_deployment(taken.workspace, "Price_2", "kserve", tmp_path, storage_uri="s3://bucket/models/")
    manifest = check((tmp_path / "inference-service.yaml").read_bytes())
    assert manifest["metadata"]["name"] == "price-2"
    assert manifest["spec"]["predictor"]["model"]["storageUri"] == "s3://bucket/models/v1"
    assert "canaryTrafficPercent" not in manifest["spec"]["predictor"]
    assert (tmp_path / "models/v1/Price_2/config.pbtxt").exists()
    assert (tmp_path / "models/v1/Price_2/1/model.onnx").exists()
    assert "inference-service-canary.yaml" not in exported.files


def test_a_live_canary_is_a_second_manifest_of_the_same_service(taken: Any) -> None:
    files = kserve_files(gather(taken.workspace, taken.with_canary()))
    stable, canary = check(files["inference-service.yaml"]), check(files["inference-service-canary.yaml"])
    assert canary["metadata"]["name"] == stable["metadata"]["name"] == "trips"
    assert canary["spec"]["predictor"]["canaryTrafficPercent"] == 25
    assert canary["spec"]["predictor"]["model"]["storageUri"].endswith("/v2")
    assert stable["spec"]["predictor"]["model"]["storageUri"].endswith("/v1")
    assert {"models/v1/trips/1/model.onnx", "models/v2/trips/2/model.onnx"} <= set(files)


@pytest.mark.parametrize(
    "wrong",
    [{"canaryTrafficPercent": "25"}, {"canaryTrafficPercentage": 25}, {"model": {"modelFormat": {}}}],
)
def test_the_schema_refuses_what_kserve_would(taken: Any, wrong: dict[str, Any]) -> None:
    manifest = check(kserve_files(gather(taken.workspace, taken.with_canary()))["inference-service.yaml"])
    manifest["spec"]["predictor"].update(wrong)
    assert not Draft202012Validator(INFERENCE_SERVICE).is_valid(manifest)
