"""``python -m psfusion_ros.replay`` runs the executable `replay`."""

import sys

from psfusion_ros.replay import main

sys.exit(main())
