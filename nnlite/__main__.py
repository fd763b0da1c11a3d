"""``python -m nnlite``."""

import sys

from nnlite.cli.main import main

sys.exit(main())
