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


#: A bundled enrichment that another stands for in the tests of how questions are asked, since it is asked in the same
#: way: by the same function, over an item's own text or its comments. An enrichment that is not named here stands for
#: itself, so that all of this is run for a new one.
STANDS_FOR = {"entities": "discussion", "takeaway": "discussion", "sentiment": "topic"}
REPRESENTATIVES = [
    pytest.param(name, marks=pytest.mark.long) if name in STANDS_FOR and STANDS_FOR[name] in REGISTERED else name
    for name in REGISTERED
]


@pytest.fixture(params=REPRESENTATIVES)
def enrichment(request: pytest.FixtureRequest) -> Enrichment:
    """A registered enrichment, for what does not depend on its file; one of each way of asking is not ``long``."""
    return REGISTERED[request.param]


@pytest.fixture(params=REGISTERED)
def each_enrichment(request: pytest.FixtureRequest) -> Enrichment:
    """A registered enrichment, for what depends on its own file."""
    return REGISTERED[request.param]


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    """An empty warehouse whose AI functions are answered by the embedded engine."""
    return Asking(tmp_path)
