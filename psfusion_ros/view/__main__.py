"""``python -m psfusion_ros.view`` is the executable `view`."""

import sys

from psfusion_ros.view import main

sys.exit(main())
