"""Memory given back to the system."""

from __future__ import annotations

import ctypes
import gc


def free_memory() -> None:
    """Give back what nobody uses: unreachable objects, and blocks that PyTorch and the C library keep."""
    import torch  # late: takes seconds, and tools that never run out of memory need not wait

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    trim_heap()


def trim_heap() -> None:
    """Give back the freed blocks that glibc keeps; reading a file of weights leaves more than their size."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have no such function
    if trim is not None:
        trim(0)
