"""How environments are kept: once for each distinct content, under its digest."""

from __future__ import annotations

from dataclasses import replace

from .. import wire
from ..domain.run import Environment
from .blobs import digest_of
from .database import Database
from .workspace import Transaction


def with_digest(environment: Environment) -> Environment:
    """The same environment under the digest of everything but the digest itself."""
    bare = replace(
        environment,
        digest="",
        packages=dict(sorted(environment.packages.items())),
        variables=dict(sorted(environment.variables.items())),
    )
    return replace(bare, digest=digest_of(wire.encode_json(bare)))


def put_environment(tx: Transaction, environment: Environment) -> str:
    """Keep the environment unless its content is there already; returns its digest, computed here."""
    kept = with_digest(environment)
    tx.execute(
        "INSERT INTO environments (digest, content) VALUES (:digest, :content) ON CONFLICT (digest) DO NOTHING",
        {"digest": kept.digest, "content": wire.encode_json(kept).decode()},
    )
    return kept.digest


def find_environment(database: Database, digest: str) -> Environment | None:
    """The environment of that digest."""
    row = database.row("SELECT content FROM environments WHERE digest = :digest", {"digest": digest})
    if row is None:
        return None
    kept: Environment = wire.decode_json(row["content"], Environment, f"environment {digest}")
    return kept
