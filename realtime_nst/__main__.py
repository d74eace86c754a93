"""`python -m realtime_nst`."""

import sys

from realtime_nst.cli import main

sys.exit(main())
