"""`python -m spinedsl` is `spine`."""

import sys

from spinedsl.cli import main

sys.exit(main())
