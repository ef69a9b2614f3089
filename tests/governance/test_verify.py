"""`snapml verify` names what is damaged or gone."""

from __future__ import annotations

from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.datasets.versions import locate_chunks
from snapml_jupyter.governance.verify import verify
from snapml_jupyter.store.workspace import Workspace


def test_an_untouched_workspace_passes(workspace: Workspace) -> None:
    workspace.blobs.put(b"content")
    report = verify(workspace)
    assert (report.passed, report.n_blobs, report.problems) == (True, 1, [])


def test_a_changed_byte_is_found_and_named(workspace: Workspace) -> None:
    digest = workspace.blobs.put(b"content")
    workspace.blobs.path(digest).write_bytes(b"c0ntent")
    report = verify(workspace)
    assert not report.passed
    assert report.problems[0].kind == "damaged"
    assert digest[:12] in report.problems[0].message


def test_a_missing_blob_is_named_by_what_needs_it(workspace: Workspace) -> None:
    digest = workspace.blobs.put(b"figure")
    with workspace.transaction() as tx:
        tx.insert(
            "runs", run_id="r1", name="a", experiment="default", status="finished", actor="ada",
            started_at=workspace.now().isoformat(), source="{}",
        )  # fmt: skip
        tx.insert("run_artifacts", run_id="r1", path="roc.png", digest=digest, size_bytes=6, media_type="image/png")
    assert verify(workspace).passed
    workspace.blobs.remove(digest)
    report = verify(workspace)
    assert [p.message for p in report.problems] == [f"Blob {digest[:12]} is missing: the artifact of run r1 roc.png."]


def test_damaged_data_is_named_by_every_version_that_holds_it(workspace: Workspace) -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": range(1000), "b": [f"word {n}" for n in range(1000)]})
    snapshot(workspace, "first", frame)
    snapshot(workspace, "second", frame)
    assert verify(workspace).passed
    for digest in list(workspace.blobs.digests()):
        path = workspace.blobs.path(digest)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    report = verify(workspace)
    said = " ".join(problem.message for problem in report.problems)
    assert not report.passed
    assert "manifest of first@v1" in said
    assert "manifest of second@v1" in said


def test_damaged_rows_are_named_when_the_manifest_is_whole(workspace: Workspace) -> None:
    import pandas as pd

    version = snapshot(workspace, "people", pd.DataFrame({"a": range(1000)}))
    (pack,) = set(workspace.blobs.digests()) - {version.manifest_digest}
    path = workspace.blobs.path(pack)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert [p.message for p in verify(workspace).problems] == [
        f"Blob {pack[:12]} is damaged. It is the data of people@v1."
    ]


def test_a_changed_byte_of_a_column_names_the_column_and_its_versions_alone(workspace: Workspace) -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": range(1000), "b": [f"word {n}" for n in range(1000)]})
    version = snapshot(workspace, "people", frame)
    snapshot(workspace, "others", frame[["a"]])
    (digest,) = {place.pack_digest for place in locate_chunks(workspace, _chunks(workspace, version.ref, "b"))}
    place = locate_chunks(workspace, _chunks(workspace, version.ref, "b"))[0]
    path = workspace.blobs.path(digest)
    content = bytearray(path.read_bytes())
    content[place.offset + place.length // 2] ^= 1
    path.write_bytes(content)
    assert [p.message for p in verify(workspace).problems] == [
        f"Blob {digest[:12]} is damaged. It holds column 'b' of people@v1."
    ]


def _chunks(workspace: Workspace, ref: str, column: str) -> list[str]:
    stored = next(one for one in open_dataset(workspace, ref).manifest.columns if one.name == column)
    return [digest for part in stored.parts for digest in part.chunks]
