"""Reports input files that have no partner."""

from __future__ import annotations

import sys

from psfusion_core.cameras.image_files import FolderPairing


def report_unpaired(pairing: FolderPairing) -> int:
    """Print the files without a partner, and return their number."""
    for path in pairing.unpaired:
        print(f"skipped {path}: it has no partner of the same name", file=sys.stderr)
    return len(pairing.unpaired)
