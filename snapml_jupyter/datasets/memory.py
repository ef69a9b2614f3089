"""Memory for the columns that are read: Arrow's, which is used again, in small pages where huge ones are slow.

A virtual machine that gives free memory back to its host comes by a huge page (2 MB) only through some 500 faults on the host:
4 ms and more each, 2 to 3 seconds a GB. It gives back whole huge pages alone, so small ones are mostly made of memory that it still
has: 0.4 seconds a GB. Everywhere else huge pages are the faster ones.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

#: Smaller arrays are left alone.
_LARGE = 4 * 2**20
#: The devices of a virtual machine; the number of a balloon among them, and of the feature to give free memory back.
_DEVICES, _BALLOON, _REPORTS = Path("/sys/bus/virtio/devices"), "0x0005", 5


def empty(n_values: int, dtype: str) -> Any:
    """A writable array of any content; numpy would fetch large arrays from the system page by page, each time."""
    if not n_values:
        return np.empty(0, dtype)
    buffer = pa.allocate_buffer(n_values * np.dtype(dtype).itemsize)
    if buffer.size >= _LARGE and _gives_memory_back():
        _use_small_pages(buffer.address, buffer.size)
    return np.frombuffer(buffer, dtype=dtype)


def gives_memory_back(devices: Path) -> bool:
    """Whether a device of the virtual machine is a balloon (virtio 1.2, 5.5) that gives the host what memory is free."""
    for device in devices.glob("*"):
        try:
            kind, features = ((device / name).read_text() for name in ("device", "features"))
        except OSError:  # not a device like the others
            continue
        if kind.strip() == _BALLOON and features[_REPORTS : _REPORTS + 1] == "1":
            return True
    return False


@functools.cache
def _gives_memory_back() -> bool:
    return hasattr(mmap, "MADV_NOHUGEPAGE") and gives_memory_back(_DEVICES)


def _use_small_pages(address: int, size: int) -> None:
    """For as much of it as is not there yet. It does not matter what the system says to it: the memory is as good either way."""
    first = -(-address // mmap.PAGESIZE) * mmap.PAGESIZE
    whole = (address + size - first) // mmap.PAGESIZE * mmap.PAGESIZE
    _madvise()(first, whole, mmap.MADV_NOHUGEPAGE)


@functools.cache
def _madvise() -> Any:
    function = ctypes.CDLL(None).madvise
    function.argtypes, function.restype = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int), ctypes.c_int
    return function
