"""Counts over all nouns, and every place in the database that refers to a blob."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobReference:
    """`subject` (by the name users know) needs the blob `digest` as its `role`."""

    subject: str
    role: str
    digest: str


def count_nouns(database: Database) -> dict[str, int]:
    """How many of each noun there are, by the field names of WorkspaceStatus."""
    row = database.row(
        """SELECT (SELECT COUNT(*) FROM runs) AS n_runs, (SELECT COUNT(*) FROM datasets) AS n_datasets,
                  (SELECT COUNT(*) FROM models) AS n_models,
                  (SELECT COUNT(*) FROM endpoints WHERE removed_at IS NULL) AS n_endpoints,
                  (SELECT COUNT(*) FROM alerts WHERE state = 'open') AS n_open_alerts"""
    )
    assert row is not None
    return {name: int(row[name]) for name in row.keys()}  # noqa: SIM118  sqlite3.Row iterates values


#: The manifests of small tables are kept in the database (see `manifests`).
_BLOB_MANIFESTS = "(SELECT * FROM dataset_versions WHERE manifest_digest NOT IN (SELECT digest FROM dataset_manifests))"

#: (role, table, expression that names the subject, column with the digest)
_REFERRING = (
    ("manifest", _BLOB_MANIFESTS, "name || '@v' || number", "manifest_digest"),
    ("profile", "dataset_versions", "name || '@v' || number", "profile_digest"),
    ("artifact", "run_artifacts", "'run ' || run_id || ' ' || path", "digest"),
    ("model", "run_models", "'run ' || run_id", "model_digest"),
    ("outcome", "run_programs", "'run ' || run_id", "outcome_digest"),
    ("part of the program", "run_program_blobs", "'run ' || run_id", "digest"),
    ("ONNX graph", "model_versions", "name || ':' || number", "onnx_digest"),
    ("prediction log", "prediction_batches", "'endpoint ' || endpoint || ' ' || batch", "digest"),
    ("window profile", "monitor_windows", "'monitor ' || endpoint || ' window ' || number", "profile_digest"),
    ("window answers", "monitor_windows", "'monitor ' || endpoint || ' window ' || number", "answers_digest"),
    ("reference answers", "reference_answers", "'answers of graph ' || onnx_digest", "answers_digest"),
)


def list_blob_references(database: Database) -> Iterator[BlobReference]:
    """Every blob that a row refers to, with the row's name."""
    for role, table, subject, column in _REFERRING:
        for row in database.rows(
            f"SELECT {subject} AS subject, {column} AS digest FROM {table} WHERE {column} IS NOT NULL"
        ):
            yield BlobReference(subject=row["subject"], role=role, digest=row["digest"])
