"""A desk to write briefings at, for the tests that are content with the embedded engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.briefing.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with the embedded engine."""
    return Desk(tmp_path)
