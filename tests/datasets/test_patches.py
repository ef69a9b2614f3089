"""Rows that change here and there cost their own bytes; whatever was patched comes back exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapml_jupyter.datasets.chunks import canonical_buffers, chunk_digest, number_type
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.diff import diff_versions
from snapml_jupyter.datasets.patches import apply_patch, make_patch
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.errors import DamagedContentError
from snapml_jupyter.governance.retention import collect_garbage
from snapml_jupyter.governance.verify import verify
from snapml_jupyter.store.workspace import Workspace

N = 40_000


def _frame() -> pd.DataFrame:
    draw = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "id": np.arange(N) * 7 + draw.integers(0, 7, N),
            "amount": draw.normal(size=N),
            "gaps": np.where(draw.random(N) < 0.2, np.nan, draw.normal(size=N)),
            "count": pd.array(np.where(draw.random(N) < 0.1, None, draw.integers(0, 10**9, N)), dtype="Int64"),
            "name": pd.Series([f"n{value}" for value in draw.integers(0, 10**9, N)], dtype="str"),
            "flag": draw.random(N) < 0.5,
            "at": pd.Timestamp("2026-01-01") + pd.to_timedelta(draw.integers(0, 10**9, N), unit="ms"),
            "kind": pd.Categorical(draw.choice(list("abc"), N)),
        }
    )


_CHANGES: dict[str, Any] = {
    "amount": 0.5,
    "gaps": np.nan,
    "count": pd.NA,
    "name": "a much longer text than before",
    "flag": True,
    "at": pd.NaT,
    "kind": "a",
}


@pytest.mark.parametrize("change", ["XYZ", "WXYZ", "", None])
def test_texts_of_one_length_come_back(workspace: Workspace, change: str | None) -> None:
    draw = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "id": np.arange(N) * 7 + draw.integers(0, 7, N),
            "origin": pd.Series(draw.choice(["JFK", "LGA", "EWR"], N), dtype="str"),
            "dest": pd.Series(draw.choice(["SFO", "\N{LATIN SMALL LETTER E WITH ACUTE}t"], N), dtype="str"),
            "nothing": pd.Series([""] * N, dtype="str"),
            "code": pd.Series([b"%03d" % value for value in draw.integers(0, 999, N)], dtype=object),
        }
    )
    changed = frame.copy()
    changed.loc[draw.choice(N, 50, replace=False), ["origin", "nothing"]] = change
    snapshot(workspace, "codes", frame)
    assert open_dataset(workspace, snapshot(workspace, "codes", changed).ref).manifest.patches
    for ref, expected in (("codes@v1", frame), ("codes@v2", changed)):
        dataset = open_dataset(workspace, ref)
        assert len(dataset.manifest.rows) > 1
        pd.testing.assert_frame_equal(dataset.to_pandas(), expected)
        part = dataset.to_pandas(rows=slice(11, N - 11))
        pd.testing.assert_frame_equal(part, expected.iloc[11 : N - 11])


@pytest.mark.parametrize("column", _CHANGES)
def test_one_per_cent_of_scattered_changes_adds_a_few_per_cent(workspace: Workspace, column: str) -> None:
    frame = _frame()
    first = snapshot(workspace, "orders", frame)
    changed = frame.copy()
    changed.loc[np.random.default_rng(4).choice(N, N // 100, replace=False), column] = _CHANGES[column]
    second = snapshot(workspace, "orders", changed)
    assert second.added_bytes < 0.05 * first.size_bytes
    pd.testing.assert_frame_equal(open_dataset(workspace, second.ref).to_pandas(), changed)
    pd.testing.assert_frame_equal(open_dataset(workspace, first.ref).to_pandas(), frame)
    assert open_dataset(workspace, second.ref).manifest.patches


def test_a_long_history_of_changes_stays_one_patch_deep(workspace: Workspace) -> None:
    frame = _frame()
    snapshot(workspace, "orders", frame)
    draw = np.random.default_rng(5)
    for number in range(5):
        frame = frame.copy()
        frame.loc[draw.choice(N, 50, replace=False), "amount"] = number
        version = snapshot(workspace, "orders", frame)
        manifest = open_dataset(workspace, version.ref).manifest
        assert not {patch.base for patch in manifest.patches.values()} & set(manifest.patches)
        pd.testing.assert_frame_equal(open_dataset(workspace, version.ref).to_pandas(), frame)


def test_equal_content_has_one_digest_patched_or_not(workspace: Workspace) -> None:
    frame = _frame()
    changed = frame.assign(amount=frame["amount"].where(frame["id"] % 97 != 0, 1.0))
    snapshot(workspace, "orders", frame)
    patched = snapshot(workspace, "orders", changed)
    assert open_dataset(workspace, patched.ref).manifest.patches
    whole = snapshot(workspace, "others", changed)
    assert not open_dataset(workspace, whole.ref).manifest.patches
    assert patched.digest == whole.digest
    again = snapshot(workspace, "orders", changed)
    assert (again.ref, again.is_new) == (patched.ref, False)


def test_a_column_that_differs_everywhere_is_kept_whole(workspace: Workspace) -> None:
    frame = _frame()
    snapshot(workspace, "orders", frame)
    version = snapshot(workspace, "orders", frame.assign(amount=frame["amount"] + 1))
    assert not open_dataset(workspace, version.ref).manifest.patches


def test_what_a_patch_is_of_stays_when_its_own_version_goes(workspace: Workspace) -> None:
    frame = _frame()
    snapshot(workspace, "orders", frame)
    changed = frame.assign(amount=frame["amount"].where(frame["id"] % 97 != 0, 1.0))
    version = snapshot(workspace, "orders", changed)
    collect_garbage(workspace, dry_run=False, keep=1)
    pd.testing.assert_frame_equal(open_dataset(workspace, version.ref).to_pandas(), changed)
    assert verify(workspace).problems == []


def test_versions_with_patches_are_compared(workspace: Workspace) -> None:
    frame = _frame()
    snapshot(workspace, "orders", frame)
    rows = np.flatnonzero(frame["id"] % 97 == 0)
    changed = frame.copy()
    changed.loc[rows, "amount"] += 1.0
    snapshot(workspace, "orders", changed)
    found = diff_versions(workspace, "orders@v1", "orders@v2", ["id"])
    assert found.n_changed == len(rows)
    amount = next(column for column in found.columns if column.name == "amount")
    assert amount.after is not None
    assert amount.after.mean == pytest.approx(changed["amount"].mean())
    assert [column.name for column in found.columns if not column.is_same] == ["amount"]


#: Some values of each type; a chunk is drawn of them, so that examples are quick to make.
_VALUES: dict[pa.DataType, list[Any]] = {
    pa.int64(): [0, -1, 2**63 - 1, -(2**63), 7],
    pa.float32(): [0.0, -0.0, float("nan"), float("inf"), 1.5],
    pa.bool_(): [True, False],
    pa.large_string(): ["", "a", "ä€𝄞", "a longer text", "b"],
    pa.binary(): [b"", b"\x00", b"\xff\xfe", b"abc"],
    pa.decimal128(20, 2): [Decimal("1.00"), Decimal("-99.99")],
    pa.timestamp("us", tz="UTC"): [0, 1, -(10**15)],
}


@pytest.mark.parametrize("held", _VALUES, ids=str)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n_changed=st.integers(0, 60), has_nulls=st.booleans())
def test_any_patch_gives_the_chunk_it_was_made_for(
    held: pa.DataType, seed: int, n_changed: int, has_nulls: bool
) -> None:
    draw = np.random.default_rng(seed)
    values = pa.array([*_VALUES[held], None] if has_nulls else _VALUES[held], type=held)
    places = draw.integers(0, len(values), 20_000)
    before = values.take(pa.array(places))
    places[draw.choice(len(places), n_changed, replace=False)] = draw.integers(0, len(values), n_changed)
    after = values.take(pa.array(places))
    wanted = canonical_buffers(after)
    patch = make_patch(canonical_buffers(before), wanted, number_type(held))
    assert patch is not None
    made = apply_patch(canonical_buffers(before), patch, chunk_digest(wanted))
    assert list(map(bytes, made)) == list(map(bytes, wanted))


def test_a_patch_of_another_chunk_is_noticed() -> None:
    one, two = (canonical_buffers(pa.array(range(start, start + 5000))) for start in (0, 1))
    wanted = canonical_buffers(pa.array([*range(4999), 0]))
    patch = make_patch(one, wanted, "i8")
    assert patch is not None
    with pytest.raises(DamagedContentError, match="no longer matches its digest"):
        apply_patch(two, patch, chunk_digest(wanted))
