"""``python -m psfusion_ros.demo`` is `make demo`."""

import sys

from psfusion_ros.demo import main

sys.exit(main())
