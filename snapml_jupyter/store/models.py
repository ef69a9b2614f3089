"""How registered models are kept: versions, aliases, stages, and what the export of a version proved."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from .. import wire
from ..domain.checks import GateSummary
from ..domain.errors import NotFoundError
from ..domain.model import ModelFormat, ModelVersion, Parity, RegisteredModel, Signature, Stage
from ..domain.names import parse_model_ref
from .database import Database
from .gates import newest_summaries
from .workspace import Transaction

#: The alias that `name` alone means.
CHAMPION = "champion"

_SELECT = """SELECT v.*, m.estimator, m.format, m.model_digest, m.size_bytes, m.signature, m.written_by
    FROM model_versions v JOIN run_models m ON m.run_id = v.run_id"""


def get_version(database: Database, ref: str) -> ModelVersion:
    """The version that `churn:4`, `churn@champion` or `churn` (champion, else newest) names. Raises NotFoundError."""
    wanted = parse_model_ref(ref)
    number = wanted.number
    if number is None:
        alias = wanted.alias or CHAMPION
        number = find_alias(database, wanted.name, alias)
        if number is None and wanted.alias is not None and wanted.alias != "latest":
            raise _missing_alias(database, wanted.name, wanted.alias)
        if number is None:
            row = database.row(
                "SELECT MAX(number) AS number FROM model_versions WHERE name = :name", {"name": wanted.name}
            )
            number = row["number"] if row else None
    found = database.row(
        f"{_SELECT} WHERE v.name = :name AND v.number = :number", {"name": wanted.name, "number": number}
    )
    if found is None:
        raise _missing(database, wanted.name, wanted.number)
    return _versions(database, [found])[0]


def list_versions(database: Database, name: str) -> list[ModelVersion]:
    """The versions of one model, newest first. Raises NotFoundError."""
    rows = database.rows(f"{_SELECT} WHERE v.name = :name ORDER BY v.number DESC", {"name": name})
    if not rows:
        raise _missing(database, name, None)
    return _versions(database, rows)


def list_models(database: Database) -> list[RegisteredModel]:
    """Every model with its newest version and its champion, the most recently changed first.

    Reads those two versions of each model, however many it has.
    """
    rows = database.rows(
        f"""SELECT * FROM ({_SELECT}) v JOIN (
                SELECT name AS counted, COUNT(*) AS n_versions, MAX(number) AS newest FROM model_versions GROUP BY name
            ) c ON c.counted = v.name
            WHERE v.number = c.newest OR EXISTS (
                SELECT 1 FROM model_aliases a WHERE a.name = v.name AND a.number = v.number AND a.alias = :champion)""",
        {"champion": CHAMPION},
    )
    pairs = list(zip(rows, _versions(database, rows), strict=True))
    champions = {version.name: version for _, version in pairs if CHAMPION in version.aliases}
    models = [
        RegisteredModel(
            name=version.name, n_versions=row["n_versions"], latest=version, champion=champions.get(version.name)
        )
        for row, version in pairs
        if version.number == row["newest"]
    ]
    return sorted(models, key=lambda model: model.latest.created_at, reverse=True)


def list_names(database: Database) -> list[str]:
    """The names of all registered models."""
    return [row["name"] for row in database.rows("SELECT name FROM models ORDER BY name")]


def add_version(tx: Transaction, name: str, run_id: str, metrics: dict[str, float]) -> int:
    """Insert the next version of the model; the first one becomes its champion. Returns its number."""
    now = tx.workspace.now().isoformat()
    tx.execute(
        "INSERT INTO models (name, created_at) VALUES (:name, :now) ON CONFLICT DO NOTHING", {"name": name, "now": now}
    )
    newest = tx.execute("SELECT MAX(number) FROM model_versions WHERE name = :name", {"name": name}).fetchone()[0]
    number = int(newest or 0) + 1
    tx.insert(
        "model_versions",
        name=name,
        number=number,
        run_id=run_id,
        stage=Stage.none.value,
        metrics=json.dumps(wire.encode(metrics)),
        created_at=now,
        created_by=tx.workspace.actor,
    )
    if number == 1:
        set_alias(tx, name, CHAMPION, number)
    return number


def find_alias(database: Database, name: str, alias: str) -> int | None:
    """The number of the version that the alias points at."""
    row = database.row(
        "SELECT number FROM model_aliases WHERE name = :name AND alias = :alias", {"name": name, "alias": alias}
    )
    return None if row is None else int(row["number"])


def set_alias(tx: Transaction, name: str, alias: str, number: int) -> None:
    """Point the alias at a version, away from any other."""
    tx.execute(
        """INSERT INTO model_aliases (name, alias, number) VALUES (:name, :alias, :number)
           ON CONFLICT (name, alias) DO UPDATE SET number = excluded.number""",
        {"name": name, "alias": alias, "number": number},
    )


def set_stage(tx: Transaction, name: str, number: int, stage: Stage) -> None:
    """Note the stage; whether the move is legal is the service's question."""
    tx.execute(
        "UPDATE model_versions SET stage = :stage WHERE name = :name AND number = :number",
        {"stage": stage.value, "name": name, "number": number},
    )


def set_export(tx: Transaction, name: str, number: int, onnx_digest: str, parity: Parity) -> None:
    """Note the ONNX graph of a version and what it proved."""
    tx.execute(
        "UPDATE model_versions SET onnx_digest = :digest, parity = :parity WHERE name = :name AND number = :number",
        {"digest": onnx_digest, "parity": wire.encode_json(parity).decode(), "name": name, "number": number},
    )


def find_run_version(database: Database, name: str, run_id: str) -> int | None:
    """The number under which the run's model is already registered, if it is."""
    row = database.row(
        "SELECT number FROM model_versions WHERE name = :name AND run_id = :run_id", {"name": name, "run_id": run_id}
    )
    return None if row is None else int(row["number"])


def _versions(database: Database, rows: Sequence[sqlite3.Row]) -> list[ModelVersion]:
    """Rows as records; aliases, data and gates are read once for all of them."""
    names = {row["name"] for row in rows}
    only = next(iter(names)) if len(names) == 1 else None
    aliases: dict[tuple[str, int], list[str]] = {}
    for row in database.rows(
        "SELECT name, alias, number FROM model_aliases WHERE :name IS NULL OR name = :name ORDER BY alias",
        {"name": only},
    ):
        aliases.setdefault((row["name"], row["number"]), []).append(row["alias"])
    refs: dict[str, list[str]] = {}
    for row in database.rows(
        """SELECT DISTINCT i.run_id, i.dataset_name, i.dataset_number FROM run_inputs i
           JOIN model_versions v ON v.run_id = i.run_id WHERE :name IS NULL OR v.name = :name
           ORDER BY i.dataset_name, i.dataset_number""",
        {"name": only},
    ):
        refs.setdefault(row["run_id"], []).append(f"{row['dataset_name']}@v{row['dataset_number']}")
    gates = newest_summaries(database, only)
    return [
        _version(row, aliases.get(key, []), refs.get(row["run_id"], []), gates.get(key))
        for row in rows
        for key in [(row["name"], row["number"])]
    ]


def _version(row: sqlite3.Row, aliases: list[str], dataset_refs: list[str], gate: GateSummary | None) -> ModelVersion:
    return ModelVersion(
        ref=f"{row['name']}:{row['number']}",
        name=row["name"],
        number=row["number"],
        run_id=row["run_id"],
        stage=Stage(row["stage"]),
        aliases=aliases,
        signature=wire.decode_json(row["signature"], Signature),
        metrics=wire.decode_json(row["metrics"], dict[str, float]),
        format=ModelFormat(row["format"]),
        estimator=row["estimator"],
        model_digest=row["model_digest"],
        size_bytes=row["size_bytes"],
        created_at=datetime.fromisoformat(row["created_at"]),
        created_by=row["created_by"],
        written_by=row["written_by"],
        dataset_refs=dataset_refs,
        onnx_digest=row["onnx_digest"],
        parity=wire.decode_json(row["parity"], Parity) if row["parity"] else None,
        gate=gate,
    )


def _missing(database: Database, name: str, number: int | None) -> NotFoundError:
    newest = database.row("SELECT MAX(number) AS newest FROM model_versions WHERE name = :name", {"name": name})
    if newest is not None and newest["newest"] is not None:
        versions = "1" if newest["newest"] == 1 else f"1-{newest['newest']}"
        return NotFoundError(f"Model '{name}' has no version {number}. Versions: {versions}.")
    hint = "Register one: %%snap_train NAME --register MODEL." if not list_names(database) else ""
    return NotFoundError.of("model", name, list_names(database), hint)


def _missing_alias(database: Database, name: str, alias: str) -> NotFoundError:
    if name not in list_names(database):
        return _missing(database, name, None)
    known = [
        row["alias"]
        for row in database.rows("SELECT alias FROM model_aliases WHERE name = :name ORDER BY alias", {"name": name})
    ]
    return NotFoundError(
        f"Model '{name}' has no alias '{alias}'. Aliases: {', '.join(known) or 'none'}. Set it: %snap_promote {name}:1 @{alias}"
    )
