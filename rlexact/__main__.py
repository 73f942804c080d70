"""`python -m rlexact`."""

import sys

from rlexact.cli import main

sys.exit(main())
