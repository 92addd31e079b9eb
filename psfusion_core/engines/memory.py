"""Returning unused memory to the system."""

from __future__ import annotations

import ctypes
import gc


def free_memory() -> None:
    """Free unreachable objects, and the unused blocks that PyTorch and the C library keep."""
    import torch  # imported late, because it takes seconds

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    trim_heap()


def trim_heap() -> None:
    """Return the freed blocks that glibc keeps; after reading weights they exceed the size of the file."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have no such function
    if trim is not None:
        trim(0)
