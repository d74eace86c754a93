"""`python -m train PICTURE ...` in a checkout: the same as `realtime-nst train`."""

import sys

from realtime_nst.cli import main

sys.exit(main(["train", *sys.argv[1:]]))
