"""``python -m nnlite``."""

import sys

from nnlite.cli import main

sys.exit(main())
