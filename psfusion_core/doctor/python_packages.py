"""Checks Python and the required libraries."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from psfusion_core.doctor.check import Finding, Subject

OLDEST, NEWEST_TESTED = (3, 10), (3, 13)

REQUIRED = {
    "numpy": "numpy",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "kornia": "kornia",
    "safetensors": "safetensors",
    "psutil": "psutil",
    "yaml": "PyYAML",
    "tqdm": "tqdm",
}
"""Modules, and the names of their packages."""


def check_python(_: Subject) -> Finding:
    found = f"{platform.python_version()}, {sys.executable}"
    if sys.version_info < OLDEST:
        return Finding("error", f"{found}: expected 3.10 or newer", "use a newer Python")
    if sys.version_info[:2] > NEWEST_TESTED:
        return Finding("warning", f"{found}: tested up to 3.13", "use Python 3.10 to 3.13 if something fails")
    return Finding("ok", found)


def check_libraries(_: Subject) -> Finding:
    """Check that the libraries are installed, without importing them."""
    missing = [package for module, package in REQUIRED.items() if find_spec(module) is None]
    if missing:
        return Finding("error", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return Finding("ok", ", ".join(f"{package} {installed(package)}" for package in REQUIRED.values()))


def installed(package: str) -> str:
    """Return the version of an installed package from its metadata."""
    try:
        return version(package)
    except PackageNotFoundError:  # a package from apt may have another name or no metadata
        return "(version unknown)"
