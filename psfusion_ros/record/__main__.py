"""``python -m psfusion_ros.record`` runs the recorder."""

import sys

from psfusion_ros.record import main

sys.exit(main())
