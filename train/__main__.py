"""`python -m train PICTURE ...` in a checkout: the same as `realtime-nst train`; `distil`, `evaluate` and `optimize` likewise."""

import sys

from realtime_nst.cli.main import main

words = sys.argv[1:]
sys.exit(main(words if words[:1] in (["distil"], ["evaluate"], ["optimize"]) else ["train", *words]))
