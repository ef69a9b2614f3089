"""What differs between two versions. Chunks that both have are not read, except those few that hold rows of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..domain.dataset import ChunkFigures, ColumnDiff, DatasetDiff, RowChange, SchemaChange
from ..domain.errors import InvalidInputError, NotFoundError
from ..operations import operation
from ..store import datasets as kept
from ..store.workspace import Workspace

#: Most rows of a sample.
MOST_ROWS = 1_000


@operation(permission="datasets:read")
def diff_versions(
    workspace: Workspace, before: str, after: str, keys: list[str] | None = None, limit: int = 100
) -> DatasetDiff:
    """What differs between two versions: columns, rows, figures of every column, the first `limit` rows that differ.

    Rows are the same when their `keys` are; without keys when all columns that both versions have are equal, whatever
    their order. A column of another type is compared by its values (1 equals 1.0).
    Raises NotFoundError for a version or key column that is not there, InvalidInputError when a key is there twice.
    """
    from .dataset import open_dataset
    from .diff_rows import Side, compare_by_content, compare_by_keys
    from .diff_segments import common_columns

    if not 0 <= limit <= MOST_ROWS:
        raise InvalidInputError(f"A diff shows at most {MOST_ROWS} rows, not {limit}.")
    one, two = (Side(workspace, open_dataset(workspace, ref)) for ref in (before, after))
    sides = (one, two)
    columns = common_columns(one.manifest, two.manifest)
    names = [column.name for column in columns]
    places = [_place(names, key, before, after) for key in dict.fromkeys(keys or [])]
    found = compare_by_keys(one, two, columns, places) if keys else compare_by_content(one, two, columns)
    figures = _figures(workspace, sides)
    digests = [set(side.manifest.content_digests()) for side in sides]
    changes = _schema_changes(one, two)
    described = [
        _described(column, place, figures, sides, found.per_column.get(place, 0) if keys else None)
        for place, column in enumerate(columns)
    ]
    sample_columns, sample = _sample(sides, found, names, places, limit)
    read = {**one.read, **two.read}
    return DatasetDiff(
        before_ref=one.dataset.version.ref,
        after_ref=two.dataset.version.ref,
        is_same=one.dataset.version.digest == two.dataset.version.digest,
        keys=[names[place] for place in places],
        n_rows_before=one.dataset.version.n_rows,
        n_rows_after=two.dataset.version.n_rows,
        n_added=len(found.added),
        n_removed=len(found.removed),
        n_changed=len(found.changed_after),
        schema_changes=changes,
        columns=described,
        sample_columns=sample_columns,
        sample=sample,
        n_chunks_shared=len(digests[0] & digests[1]),
        n_chunks_read=len(read),
        bytes_read=sum(place.length for place in read.values()),
    )


def _place(names: list[str], key: str, before: str, after: str) -> int:
    if key not in names:
        raise NotFoundError.of("key column", key, names, f"Keys are columns that both {before} and {after} have.")
    return names.index(key)


def _figures(workspace: Workspace, sides: Sequence[Any]) -> dict[str, ChunkFigures | None]:
    """The figures of every chunk, by digest."""
    from .diff_figures import figures_beside

    wanted = {digest for side in sides for column in side.manifest.columns for digest in column.parts[0].chunks}
    known = {digest: figures for side in sides for digest, figures in figures_beside(side.manifest)}
    located = kept.locate_chunks(workspace.database, wanted)
    return known | {digest: place.figures for digest, place in located.items()}


def _schema_changes(before: Any, after: Any) -> list[SchemaChange]:
    from .diff_segments import unique_names

    earlier = dict(zip(unique_names(before.manifest), before.manifest.columns, strict=True))
    later = dict(zip(unique_names(after.manifest), after.manifest.columns, strict=True))
    changes = [
        SchemaChange(column=name, change="removed", before=column.dtype)
        for name, column in earlier.items()
        if name not in later
    ]
    changes += [
        SchemaChange(column=name, change="added", after=column.dtype)
        for name, column in later.items()
        if name not in earlier
    ]
    shared = [name for name in later if name in earlier]
    for name in shared:
        one, two = earlier[name], later[name]
        if (one.dtype, one.type) != (two.dtype, two.type):
            alike = one.dtype == two.dtype
            changes.append(
                SchemaChange(
                    column=name,
                    change="retyped",
                    before=one.type if alike else one.dtype,
                    after=two.type if alike else two.dtype,
                )
            )
        if one.is_index != two.is_index:
            said = {True: "index", False: "column"}
            changes.append(
                SchemaChange(column=name, change="index", before=said[one.is_index], after=said[two.is_index])
            )
    order = [name for name in earlier if name in later]
    places = {name: place for place, name in enumerate(order)}
    moved = _moved([places[name] for name in shared])
    changes += [
        SchemaChange(
            column=shared[at],
            change="moved",
            before=str(list(earlier).index(shared[at])),
            after=str(list(later).index(shared[at])),
        )
        for at in moved
    ]
    return changes


def _moved(places: list[int]) -> list[int]:
    """The fewest entries without which the rest is ascending: all that are not on the longest ascending run."""
    best: list[tuple[int, int]] = []  # (length, entry before) of the longest run that ends here
    for at, place in enumerate(places):
        length, previous = max(((best[i][0], i) for i in range(at) if places[i] < place), default=(0, -1))
        best.append((length + 1, previous))
    if not best:
        return []
    at = max(range(len(best)), key=lambda i: best[i][0])
    stay = set()
    while at >= 0:
        stay.add(at)
        at = best[at][1]
    return [at for at in range(len(places)) if at not in stay]


def _described(
    column: Any, place: int, figures: dict[str, ChunkFigures | None], sides: Sequence[Any], n_changed: int | None
) -> ColumnDiff:
    from .diff_figures import column_figures

    before, after = sides
    same = column.is_alike and [p.chunks for p in column.before.parts] == [p.chunks for p in column.after.parts]
    return ColumnDiff(
        name=column.name,
        type=column.after.dtype,
        is_same=same,
        n_changed=n_changed,
        before=column_figures(column.before, figures, before.manifest.n_rows),
        after=column_figures(column.after, figures, after.manifest.n_rows),
    )


def _sample(
    sides: Sequence[Any], found: Any, names: list[str], keys: list[int], limit: int
) -> tuple[list[str], list[RowChange]]:
    """The first rows of each kind, with the values of all columns of either version."""
    from .diff_sample import ValuesOf

    groups = {"changed": len(found.changed_after), "removed": len(found.removed), "added": len(found.added)}
    shown = _shares(groups, limit)
    before, after = (ValuesOf(side) for side in sides)
    columns = list(dict.fromkeys([*(names[place] for place in keys), *after.names, *before.names]))
    changed = list(
        zip(
            found.changed_before[: shown["changed"]].tolist(),
            found.changed_after[: shown["changed"]].tolist(),
            strict=True,
        )
    )
    removed, added = found.removed[: shown["removed"]].tolist(), found.added[: shown["added"]].tolist()
    values_before = before.rows(sorted({*removed, *(one for one, _ in changed)}), columns)
    values_after = after.rows(sorted({*added, *(two for _, two in changed)}), columns)
    sample = [
        RowChange(change="changed", row_before=one, row_after=two, before=values_before[one], after=values_after[two])
        for one, two in changed
    ]
    sample += [RowChange(change="removed", row_before=row, before=values_before[row]) for row in removed]
    sample += [RowChange(change="added", row_after=row, after=values_after[row]) for row in added]
    return columns if sample else [], sample


def _shares(counts: dict[str, int], limit: int) -> dict[str, int]:
    """How many of each kind are shown: evenly, and what one kind does not need goes to the others."""
    shares = dict.fromkeys(counts, 0)
    left = limit
    while left > 0:
        open_kinds = [kind for kind in counts if shares[kind] < counts[kind]]
        if not open_kinds:
            break
        each = max(1, left // len(open_kinds))
        for kind in open_kinds:
            more = min(each, counts[kind] - shares[kind], left)
            shares[kind] += more
            left -= more
    return shares
