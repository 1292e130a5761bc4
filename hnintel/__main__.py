"""``python -m hnintel``."""

import sys

from hnintel.cli.app import main

sys.exit(main())
