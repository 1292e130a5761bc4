"""The conformance suite of the warehouse protocol, on a real account: ``make test-live``.

Left out are the tests that count what an engine was asked, for nobody can count that within Cortex.
"""

from __future__ import annotations

from inspect import signature

import pytest

from tests.warehouse import test_warehouse_protocol

pytestmark = pytest.mark.live

_SUITE = {name: one for name, one in vars(test_warehouse_protocol).items() if name.startswith("test_")}
globals().update({name: one for name, one in _SUITE.items() if "engine" not in signature(one).parameters})
