"""``python -m hnintel``."""

import sys

from hnintel.cli import main

sys.exit(main())
