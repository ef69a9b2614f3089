"""`%snap_lineage`."""

from __future__ import annotations

from typing import Any

from .registration import Call, argument, line_magic


@line_magic(
    "snap_lineage",
    argument("ref", metavar="REF", help="a dataset version, model version, run or endpoint"),
    argument(
        "--direction", choices=("both", "up", "down"), default="both", help="what it came from, what came from it"
    ),
    argument("--depth", type=int, default=20, metavar="N", help="at most so many steps away (20)"),
    examples=("%snap_lineage flights@v3", "%snap_lineage late-flights:2 --direction up"),
    completes={"ref": "dataset"},
)
def snap_lineage(call: Call, ref: str, direction: str, depth: int) -> Any:
    """What a dataset version, model, run or endpoint came from, and what came from it."""
    from ..public.lineage import lineage

    return lineage(ref, direction=direction, depth=depth)
