"""What an exported deployment is: files that another server runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedDeployment:
    """An endpoint written for another server: `files` below `path`, for `form` (docker, kserve, triton, mlflow)."""

    endpoint: str
    form: str
    path: str
    model_refs: list[str]
    files: list[str]
