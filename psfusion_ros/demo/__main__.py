"""``python -m psfusion_ros.demo`` runs the demo, as `make demo` does."""

import sys

from psfusion_ros.demo import main

sys.exit(main())
