"""Every enrichment there is, one after the other: a new file in ``hnintel/enrichments`` is tested by being there."""

from __future__ import annotations

from pathlib import Path

import pytest

from hnintel.enrichment import Enrichment, load_enrichments
from tests.warehouse.world import Asking

REGISTERED = load_enrichments()


@pytest.fixture(params=REGISTERED)
def enrichment(request: pytest.FixtureRequest) -> Enrichment:
    """A registered enrichment."""
    return REGISTERED[request.param]


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    """An empty warehouse whose AI functions are answered by the embedded engine."""
    return Asking(tmp_path)
