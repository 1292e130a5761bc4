"""Every enrichment there is, one after the other: a new file in ``hnintel/enrichments`` is tested by being there.

``HNINTEL_ENRICHMENTS_PATH`` names another folder, as it does for a run.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hnintel.enrich.declaration import Enrichment, load_enrichments
from tests.warehouse.world import Asking

_named = os.environ.get("HNINTEL_ENRICHMENTS_PATH")
#: None: the bundled ones.
FOLDER = Path(_named) if _named else None
REGISTERED = load_enrichments(FOLDER)


@pytest.fixture(params=REGISTERED)
def enrichment(request: pytest.FixtureRequest) -> Enrichment:
    """A registered enrichment."""
    return REGISTERED[request.param]


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    """An empty warehouse whose AI functions are answered by the embedded engine."""
    return Asking(tmp_path)
