"""``python -m psfusion_core.cli`` is ``psfusion``."""

import sys

from psfusion_core.cli import main

sys.exit(main())
