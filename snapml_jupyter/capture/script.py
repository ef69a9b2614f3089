"""Autologging of a run that is no recorded cell: `with snap.start_run()` in a script, a notebook or a function."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .autolog import Autolog

if TYPE_CHECKING:
    from ..runs.tracking import ActiveRun


def autolog_run(active: ActiveRun) -> None:
    """Record what libraries do until the run ends: numbers at once, the params of what was fitted at its end."""
    active.is_autologged = True
    namespace = sys.modules["__main__"].__dict__
    autolog = Autolog(active, namespace)

    def end() -> None:
        autolog.stop()
        found = autolog.params(namespace, own_only=True)
        if found:
            given = active.run.params
            active.log_params({name: value for name, value in found.items() if name not in given})
        if autolog.fit_seconds:
            active.set_tag("fit_seconds", round(autolog.fit_seconds, 6))

    active.before_end(end)
    autolog.start()
