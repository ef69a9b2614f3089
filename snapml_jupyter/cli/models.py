"""`snapml model list|show|register|promote|export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..domain.errors import InvalidInputError
from ..domain.model import ModelVersion, Stage
from ..figures import gate_word, size
from ..gates.judging import list_gate_outcomes
from ..gates.reporting import gate_text
from ..registry.exporting import export_onnx
from ..registry.stages import promote, set_alias
from ..registry.versions import get_model, list_model_versions, list_models, register
from .output import AnyWorkspace, answers, facts, table


@click.group()
def model() -> None:
    """Registered models."""


@model.command("list")
@click.argument("name", required=False)
@answers
def list_command(workspace: AnyWorkspace, name: str | None) -> tuple[Any, str]:
    """All models, or the versions of NAME."""
    if name is not None:
        versions = list_model_versions(workspace, name)
        rows = [(v.ref, v.stage, v.aliases, v.metrics, gate_word(v.gate), v.run_id, v.created_at) for v in versions]
        return versions, table(
            ["version", "stage", "aliases", "metrics", "gates", "run", "age"], rows, f"'{name}' has no versions."
        )
    found = list_models(workspace)
    summary = [
        (m.name, m.n_versions, m.champion.ref if m.champion else None, m.latest.ref, m.latest.stage, m.latest.metrics)
        for m in found
    ]
    empty = "No models yet. Register one: %%snap_train NAME --register MODEL, or: snapml model register RUN MODEL"
    return found, table(["model", "versions", "champion", "newest", "stage", "metrics"], summary, empty)


@model.command("show")
@click.argument("ref")
@answers
def show_command(workspace: AnyWorkspace, ref: str) -> tuple[Any, str]:
    """One version: NAME, NAME:4 or NAME@champion."""
    found = get_model(workspace, ref)
    outcomes = list_gate_outcomes(workspace, found.ref, limit=1)
    return found, "\n\n".join([describe(found), *(gate_text(outcome) for outcome in outcomes)])


@model.command("register")
@click.argument("run")
@click.argument("name")
@answers
def register_command(workspace: AnyWorkspace, run: str, name: str) -> tuple[Any, str]:
    """Make the model of RUN the next version of NAME."""
    version = register(workspace, run, name)
    return version, f"Registered {version.ref}" + (f" ({', '.join(version.aliases)})." if version.aliases else ".")


@model.command("promote")
@click.argument("ref")
@click.argument("to", metavar="STAGE|@ALIAS")
@answers
def promote_command(workspace: AnyWorkspace, ref: str, to: str) -> tuple[Any, str]:
    """Move a version to a stage (staging, production, archived, none) or point an alias at it (@champion)."""
    if to.startswith("@"):
        version = set_alias(workspace, ref, to[1:])
    elif to in [stage.value for stage in Stage]:
        version = promote(workspace, ref, Stage(to))
    else:
        stages = ", ".join(stage.value for stage in Stage)
        raise InvalidInputError(f"'{to}' is neither a stage nor an alias. Stages: {stages}. Aliases start with @.")
    return version, f"{version.ref}: stage {version.stage.value}, aliases {', '.join(version.aliases) or 'none'}."


@model.command("export")
@click.argument("ref")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to write; default NAME-N.onnx.")
@click.option("--accept-parity", is_flag=True, help="Although the graph answers otherwise; the audit log says who did.")
@answers
def export_command(workspace: AnyWorkspace, ref: str, output: Path | None, accept_parity: bool) -> tuple[Any, str]:
    """Write the version as one ONNX graph whose answers are proved on training rows."""
    version = get_model(workspace, ref)
    path = output or Path(f"{version.name}-{version.number}.onnx")
    exported = export_onnx(workspace, version.ref, path, accept_parity=accept_parity)
    parity = exported.parity
    return exported, (
        f"{path}: largest difference {parity.max_difference:.2g}, {parity.label_agreement:.2%} equal labels "
        f"on {parity.n_rows} rows."
    )


def describe(version: ModelVersion) -> str:
    """Facts and the signature of a version."""
    parity = version.parity
    text = facts(
        version=version.ref,
        estimator=version.estimator,
        stage=version.stage,
        aliases=version.aliases or None,
        metrics=version.metrics or None,
        run=version.run_id,
        data=version.dataset_refs or None,
        by=version.created_by,
        age=version.created_at,
        kept_as=f"{version.format.value}, {size(version.size_bytes)}",
        gates=gate_word(version.gate),
        parity=f"largest difference {parity.max_difference:.2g} on {parity.n_rows} rows" if parity else None,
    )
    inputs = [(c.name, c.kind, c.nullable, c.example) for c in version.signature.inputs]
    return f"{text}\n\n{table(['input', 'type', 'nullable', 'example'], inputs, 'No inputs.')}"
