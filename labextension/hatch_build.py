"""Build hook: the root folders `magics/` and `server_ext/` go inside the package, in real wheels only.

An editable install keeps them where they are (`snapml_jupyter/__init__.py` adds the checkout to its path). A static
force-include would also copy them there, as dead copies that hide every later edit.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RootFolders(BuildHookInterface):  # type: ignore[type-arg]  # its parameter is the builder's config, unused here
    """Map each root folder to `snapml_jupyter/<folder>`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is "standard" for wheels and "editable" for `pip install -e`."""
        if version == "standard":
            for name in ("magics", "server_ext"):
                build_data["force_include"][name] = f"snapml_jupyter/{name}"
