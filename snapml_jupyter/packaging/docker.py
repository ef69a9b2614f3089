"""A folder that Docker builds: the graph, the deployment's record, and the few libraries that a worker imports."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.metadata import version as installed
from typing import TYPE_CHECKING

from .. import wire
from ..domain.endpoint import DeploymentStatus
from ..domain.traffic import Arm
from ..serving.standalone import DEPLOYMENT_FILE, GRAPH_FILE
from ..version import __version__

if TYPE_CHECKING:
    from .exporting import Files, Part

#: What `serving.standalone` imports; the rest of this package's requirements is for notebooks and training.
RUNTIME = ("blake3", "httptools", "msgspec", "numpy", "onnxruntime", "psutil", "uvicorn", "uvloop")

_DOCKERFILE = """\
# Serves {ref} as the endpoint '{endpoint}', without a workspace. See README.md.
FROM python:{python}-slim
# A wheel beside this file, another version or a repository will do as well: --build-arg SNAPML=./snapml_jupyter-....whl
ARG SNAPML="snapml-jupyter=={version}"
WORKDIR /endpoint
COPY . .
RUN pip install --no-cache-dir -r requirements.txt && pip install --no-cache-dir --no-deps "$SNAPML"
ENV PYTHONUNBUFFERED=1
USER 65534:65534
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/v2/health/ready', timeout=2)"]
CMD ["python", "-m", "snapml_jupyter.serving.standalone", "/endpoint", "--address", "0.0.0.0", "--port", "8080"]
"""

_README = """\
# {endpoint}: {ref}

    docker build -t {image} .
    docker run -e SNAPML_API_KEY=CHOOSE_ONE -p 8080:8080 {image}
    curl -H "Authorization: Bearer CHOOSE_ONE" -H "Content-Type: application/json" \\
         -d '{body}' http://127.0.0.1:8080/endpoints/{endpoint}/predict

Without Docker, where snapml-jupyter is installed:

    SNAPML_API_KEY=CHOOSE_ONE python -m snapml_jupyter.serving.standalone . --port 8080

Behind something that asks for a key itself, pass `--open` instead of setting one. Predictions are not logged and feedback
is refused, because there is no workspace here. One process uses one core: run several containers for more.
{canary}"""


def docker_files(part: Part, canary: Part | None) -> Files:
    """The files of the build folder."""
    endpoint, ref = part.deployment.endpoint, part.version.ref
    requirements = "".join(f"{name}=={installed(name)}\n" for name in RUNTIME)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    left_out = f"\nThe canary {canary.version.ref} is not in this folder.\n" if canary is not None else ""
    readme = _README.format(
        endpoint=endpoint, ref=ref, image=image_name(endpoint), body=example_body(part), canary=left_out
    )
    return {
        "Dockerfile": _DOCKERFILE.format(endpoint=endpoint, ref=ref, python=python, version=__version__).encode(),
        "README.md": readme.encode(),
        "requirements.txt": requirements.encode(),
        # There it answers alone, whatever its part was here.
        DEPLOYMENT_FILE: wire.encode_json(
            replace(part.deployment, status=DeploymentStatus.live, arm=Arm.champion, share_fraction=1.0)
        ),
        GRAPH_FILE: part.graph,
    }


def image_name(endpoint: str) -> str:
    """A name that Docker and Kubernetes take: small letters, digits and dashes.

    >>> image_name("Late_Flights.v2")
    'late-flights-v2'
    """
    letters = [letter if letter.isascii() and letter.isalnum() else "-" for letter in endpoint.lower()]
    return "".join(letters).strip("-")[:63].strip("-") or "endpoint"


def example_body(part: Part) -> str:
    """A request of the signature's example, on one line."""
    row = {column.name: column.example for column in part.version.signature.inputs}
    return wire.encode_json({"rows": [row]}).decode().replace("'", "'\\''")
