"""`%snap_models`, `%snap_register`, `%snap_promote`."""

from __future__ import annotations

from typing import Any

from ..domain.errors import InvalidInputError
from .registration import Call, argument, line_magic


@line_magic(
    "snap_models",
    argument("name", nargs="?", metavar="NAME", help="a model: its versions; without it all models"),
    examples=("%snap_models", "versions = %snap_models late-flights"),
    completes={"name": "model name"},
)
def snap_models(call: Call, name: str | None) -> Any:
    """Registered models, or the versions of one."""
    from ..public.current import workspace
    from ..registry.versions import list_model_versions, list_models
    from .tables import Records, model_versions, models

    if name is None:
        return Records(list_models(workspace()), models)
    return Records(list_model_versions(workspace(), name), model_versions)


@line_magic(
    "snap_register",
    argument("run", metavar="RUN", help="id or name of a run that kept a model"),
    argument("name", metavar="NAME", help="the model it becomes a version of"),
    examples=("%snap_register late-flights late-flights",),
    completes={"run": "run", "name": "model name"},
)
def snap_register(call: Call, run: str, name: str) -> Any:
    """Make the model that a run kept the next version of a registered model."""
    from ..public.current import workspace
    from ..registry.versions import register

    return register(workspace(), run, name)


@line_magic(
    "snap_promote",
    argument("ref", metavar="REF", help="a version: churn:4, churn@challenger, churn"),
    argument("to", metavar="STAGE|@ALIAS", help="staging, production, archived, none; or @champion, @challenger, ..."),
    examples=("%snap_promote late-flights:2 production", "%snap_promote late-flights:2 @champion"),
    completes={"ref": "model", "to": "stage"},
)
def snap_promote(call: Call, ref: str, to: str) -> Any:
    """Move a model version to a stage, or point an alias at it."""
    from ..domain.model import Stage
    from ..public.current import workspace
    from ..registry.stages import promote, set_alias

    if to.startswith("@"):
        return set_alias(workspace(), ref, to[1:])
    stages = [stage.value for stage in Stage]
    if to not in stages:
        raise InvalidInputError(
            f"%snap_promote: '{to}' is neither a stage nor an alias. Stages: {', '.join(stages)}. Aliases start with @."
        )
    return promote(workspace(), ref, Stage(to))
