"""What a cell left behind, as leaves that a replay can be compared with, and as the bytes that are kept of it.

An outcome is a list of leaves with paths (`model.coef_`, `scores['auc'][3]`), never a pickle: comparing runs no code of
whoever wrote it. `taking_apart` makes it.
"""

from __future__ import annotations

import json
import struct
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

#: Leaves of one outcome, and bytes of arrays whose values are kept.
MAX_LEAVES = 50_000
MAX_KEPT_BYTES = 64_000_000
#: Aliases that lead to aliases are followed so far.
_MAX_ALIASES = 6
#: What stands behind the path of an object in the paths of its parts.
_ENDS = ("", ".", "[", "(", "#")
_MAGIC = b"snapml-outcome-1\n"


@dataclass(slots=True)
class Outcome:
    """Leaves by path. A leaf is [kind, value]: number, text, digest, array, type, opaque."""

    leaves: dict[str, list[Any]] = field(default_factory=dict)
    arrays: list[bytes] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    clock: list[str] = field(default_factory=list)
    masks_durations: bool = False
    is_cut: bool = False

    def to_bytes(self) -> bytes:
        """As it is kept: a JSON head and the arrays' bytes, compressed."""
        import zstandard

        head = json.dumps(
            {
                "leaves": self.leaves,
                "sizes": [len(array) for array in self.arrays],
                "not_compared": self.not_compared,
                "clock": self.clock,
                "masks_durations": self.masks_durations,
                "is_cut": self.is_cut,
            }
        ).encode()
        body = b"".join([_MAGIC, struct.pack("<Q", len(head)), head, *self.arrays])
        return zstandard.ZstdCompressor(level=1).compress(body)

    def expanded(self) -> dict[str, list[Any]]:
        """The leaves with aliases replaced by what they stand for: whether an object is shared is no difference."""
        if not any(leaf[0] == "alias" for leaf in self.leaves.values()):
            return self.leaves
        ordered = sorted(self.leaves)
        leaves: dict[str, list[Any]] = {}

        def add(path: str, target: str, depth: int) -> None:
            """The leaves of `target` under `path`."""
            for place in range(bisect_left(ordered, target), len(ordered)):
                other = ordered[place]
                if not other.startswith(target) or len(leaves) > 2 * MAX_LEAVES:
                    return
                if other[len(target) : len(target) + 1] not in _ENDS:
                    continue
                here, leaf = path + other[len(target) :], self.leaves[other]
                if leaf[0] != "alias":
                    leaves[here] = leaf
                elif depth >= _MAX_ALIASES or _is_inside(here, leaf[1]) or _is_inside(other, leaf[1]):
                    leaves[here] = ["text", "a circle"]
                else:
                    add(here, leaf[1], depth + 1)

        for path, leaf in self.leaves.items():
            if leaf[0] != "alias":
                leaves[path] = leaf
            elif _is_inside(path, leaf[1]):
                leaves[path] = ["text", "a circle"]
            else:
                add(path, leaf[1], 0)
        return leaves

    @classmethod
    def from_bytes(cls, content: bytes) -> Outcome:
        """The outcome of `to_bytes`. Raises DamagedContentError."""
        import zstandard

        from ..domain.errors import DamagedContentError

        body = zstandard.ZstdDecompressor().decompress(content, max_output_size=4 * MAX_KEPT_BYTES)
        if not body.startswith(_MAGIC):
            raise DamagedContentError("This is no recorded outcome, or it was written by another version.")
        start = len(_MAGIC) + 8
        (length,) = struct.unpack("<Q", body[len(_MAGIC) : start])
        head = json.loads(body[start : start + length])
        position, arrays = start + length, []
        for size in head["sizes"]:
            arrays.append(body[position : position + size])
            position += size
        return cls(head["leaves"], arrays, head["not_compared"], head["clock"], head["masks_durations"], head["is_cut"])


def _is_inside(path: str, other: str) -> bool:
    """Whether the path leads through the other."""
    return path.startswith(other) and path[len(other) : len(other) + 1] in _ENDS[1:4]
