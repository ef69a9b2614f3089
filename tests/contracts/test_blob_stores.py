"""What every blob store promises, checked on each member of the family."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from snapml_jupyter.domain.errors import DamagedContentError, InvalidInputError, NotFoundError
from snapml_jupyter.store.blobs import BlobStore, FileBlobs, digest_of

MEMBERS: dict[str, Callable[[Path], BlobStore]] = {"files": lambda folder: FileBlobs(folder / "blobs")}

CONTENTS = [b"", b"a", b"\x00" * 10, bytes(range(256)) * 5_000]


@pytest.fixture(params=sorted(MEMBERS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return MEMBERS[request.param](tmp_path)


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: f"{len(content)} bytes")
def test_content_comes_back_under_the_digest_of_its_bytes(store: BlobStore, content: bytes) -> None:
    digest = store.put(content)
    assert digest == digest_of(content)
    assert store.read(digest) == content
    assert store.size(digest) == len(content)
    assert store.exists(digest)
    with store.open(digest) as file:
        assert file.read() == content


def test_buffers_of_any_kind_are_content(store: BlobStore) -> None:
    assert store.put(b"abc") == store.put(bytearray(b"abc")) == store.put(memoryview(b"xabc")[1:])


def test_what_is_written_under_the_write_lock_is_kept_as_well(store: BlobStore) -> None:
    assert store.put(b"abc", locked=True) == digest_of(b"abc") == store.put(b"abc")
    assert store.read(digest_of(b"abc")) == b"abc"


def test_a_range_can_be_read_without_the_rest(store: BlobStore) -> None:
    digest = store.put(bytes(range(100)))
    with store.open(digest) as file:
        file.seek(10)
        assert file.read(5) == bytes(range(10, 15))
        assert file.seek(0, 2) == 100


def test_equal_content_is_kept_once(store: BlobStore) -> None:
    assert store.put(b"same") == store.put(b"same")
    assert list(store.digests()) == [digest_of(b"same")]


def test_every_digest_is_listed_and_nothing_else(store: BlobStore) -> None:
    assert list(store.digests()) == []
    kept = {store.put(content) for content in CONTENTS}
    assert set(store.digests()) == kept
    assert len(list(store.digests())) == len(kept)


def test_a_missing_blob_is_named(store: BlobStore) -> None:
    digest = digest_of(b"never put")
    assert not store.exists(digest)
    for ask in (store.open, store.read, store.size):
        with pytest.raises(NotFoundError, match=digest):
            ask(digest)


def test_a_removed_blob_is_gone_and_may_be_removed_again(store: BlobStore) -> None:
    digest = store.put(b"short-lived")
    store.remove(digest)
    store.remove(digest)
    assert not store.exists(digest)
    assert list(store.digests()) == []
    assert store.put(b"short-lived") == digest


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 63 + "\n"])
def test_what_is_not_a_digest_never_becomes_a_path(store: BlobStore, digest: str) -> None:
    for ask in (store.open, store.read, store.size, store.exists, store.remove):
        with pytest.raises(InvalidInputError, match="not a digest"):
            ask(digest)


def test_threads_may_put_the_same_content_at_once(store: BlobStore) -> None:
    content = b"shared" * 50_000
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(store.put(content))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [digest_of(content)] * 8
    assert list(store.digests()) == [digest_of(content)]


def test_a_changed_file_is_found_and_a_half_written_one_is_not_a_blob(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path / "blobs")
    digest = blobs.put(b"precious")
    blobs.path(digest).write_bytes(b"precioux")
    with pytest.raises(DamagedContentError, match=digest):
        blobs.read(digest)
    (blobs.path(digest).parent / ".new-abc").write_bytes(b"half")
    assert list(blobs.digests()) == [digest]
