"""`python -m ff_helpers.cli` is `ff`."""

import sys

from ff_helpers.cli import main

sys.exit(main())
