"""`python -m realtime_nst`."""

import sys

from realtime_nst.cli.main import main

sys.exit(main())
