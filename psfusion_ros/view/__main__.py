"""``python -m psfusion_ros.view`` runs the executable `view`."""

import sys

from psfusion_ros.view import main

sys.exit(main())
