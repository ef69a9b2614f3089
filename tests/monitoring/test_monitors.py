"""What one sees of a monitor before anything was logged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from snapml_jupyter.domain.errors import NotFoundError
from snapml_jupyter.monitoring.monitors import get_monitor
from snapml_jupyter.store.workspace import Workspace


def test_an_endpoint_has_its_monitor_as_soon_as_somebody_looks(
    workspace: Workspace, deploy: Callable[..., Any]
) -> None:
    deploy("late")
    found = get_monitor(workspace, "late")
    assert (found.endpoint, found.reference_ref, found.n_predictions, found.windows) == ("late", "late-train@v1", 0, [])


def test_an_unknown_endpoint_has_none(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match="no endpoint 'late'"):
        get_monitor(workspace, "late")
