"""Errors that mean there is no memory left, and returning unused memory to the system."""

from __future__ import annotations

import ctypes
import gc

SIGNS = (
    "out of memory", "outofmemory", "no memory", "alloc_failed", "bad_alloc", "bad allocation",
    "can't allocate memory", "cannot allocate memory", "failed to allocate", "unable to allocate",
    "could not be allocated", "insufficient memory",
)  # fmt: skip
"""Words of PyTorch, cuBLAS, cuDNN, ONNX Runtime, TensorRT, OpenCV and the C++ library, in lower case."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception means that a device or the machine has no memory left.

    The libraries share no type for it: PyTorch raises RuntimeError and its subclasses, ONNX Runtime its own
    Fail and RuntimeException, OpenCV cv2.error. A ValueError is about arguments, whatever its words.
    """
    if isinstance(error, MemoryError):
        return True
    words = str(error).lower()
    return not isinstance(error, ValueError) and any(sign in words for sign in SIGNS)


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
