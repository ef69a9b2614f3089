"""Memory for columns: whether huge pages are slow is told by the machine's devices, and any memory holds what is written."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import pytest

from snapml_jupyter.datasets import memory

#: Features of a balloon as Firecracker has it: statistics, deflating when memory is short, free memory given back (bit 5).
REPORTS = "01100101" + "0" * 24 + "1" + "0" * 31 + "\n"


def a_device(folder: Path, device: str, features: str) -> None:
    folder.mkdir(parents=True)
    (folder / "device").write_text(f"{device}\n")
    (folder / "features").write_text(features)


def test_a_balloon_that_gives_memory_back_is_found_among_other_devices(tmp_path: Path) -> None:
    a_device(tmp_path / "virtio0", "0x0001", REPORTS)  # a network card
    a_device(tmp_path / "virtio1", "0x0005", "0110000" + "0" * 57)
    a_device(tmp_path / "virtio2", "0x0005", "")
    (tmp_path / "virtio3").mkdir()
    assert not memory.gives_memory_back(tmp_path)
    assert not memory.gives_memory_back(tmp_path / "nothing")
    a_device(tmp_path / "virtio4", "0x0005", REPORTS)
    assert memory.gives_memory_back(tmp_path)


@pytest.mark.parametrize("is_slow", [True, False])
def test_arrays_of_any_size_are_writable(is_slow: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_gives_memory_back", lambda: is_slow and hasattr(mmap, "MADV_NOHUGEPAGE"))
    for n_values in (0, 1, 1000, 2**19, 2**19 + 1, 2**21 + 3):
        values = memory.empty(n_values, "int64")
        values[...] = np.arange(n_values)
        assert values.dtype == np.int64 and (values == np.arange(n_values)).all()


@pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage").exists() or not Path("/proc/self/smaps").exists(),
    reason="this system has no huge pages, or does not tell the pages of a process",
)
def test_large_arrays_have_small_pages_where_huge_ones_are_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_gives_memory_back", lambda: True)
    values = memory.empty(2**22, "int64")
    place = values.ctypes.data + 2**22
    flags = ""
    is_it = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        head = line.split()[0]
        if "-" in head and not head.endswith(":"):
            first, last = (int(end, 16) for end in head.split("-"))
            is_it = first <= place < last
        elif is_it and head == "VmFlags:":
            flags = line
    assert " nh" in flags, flags
