"""``python -m hnintel``: the command ``hnintel``."""

import sys
from importlib import import_module
from importlib.util import find_spec


def _main() -> int:
    """Run the whole command; where the package of the flows is not installed, the commands that do without it."""
    if find_spec("flows") is not None and find_spec("flows.local") is not None:
        return int(import_module("flows.local.console").script("python -m hnintel"))
    return int(import_module("hnintel.cli.app").main())


sys.exit(_main())
