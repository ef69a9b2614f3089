"""Large new versions are profiled before anybody looks at them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import pandas as pd

from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.datasets.versions import get_version
from snapml_jupyter.store.workspace import Workspace


async def test_a_large_version_is_profiled_in_the_background(extension: Any, call: Any) -> None:
    workspace = Workspace(extension.served.location)
    assert (await call("governance.get_status"))[0] == 200
    while extension.watcher.cursor is None:
        await asyncio.sleep(0.05)
    snapshot(workspace, "large", pd.DataFrame({"id": np.arange(250_000)}))
    snapshot(workspace, "small", pd.DataFrame({"id": np.arange(10)}))
    deadline = time.monotonic() + 90
    while get_version(workspace, "large").profile_digest is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert get_version(workspace, "small").profile_digest is None
    assert (await call("datasets.get_profile", ref="large"))[1]["columns"][0]["maximum"] == 249_999
