"""A new enrichment is one file: in a folder of its own it passes the suites, and no other file is changed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

COMPLETION = '''
"""Who is named in a story that many have read."""

from hnintel.enrich.declaration import Column, Enrichment

enrichment = Enrichment(
    __name__,
    doc="The people and technologies of a story that many have read.",
    version=1,
    model="claude-haiku-4-5",
    prompt="List the people and technologies that this story names.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {'temperature': 0}, {{ response_format }})",
    columns=(
        Column("people", list[str], "People, by their full name."),
        Column("technologies", list[str], "Languages, databases and tools."),
        Column("summary", str, "What it says, in a sentence or two.", max_length=400),
    ),
    where="type = 'story' AND score >= 20",
)
'''


def examples() -> list[str]:
    """The enrichments of docs/how-to/add-an-enrichment.md: over one text an item, and over many."""
    text = (ROOT / "docs" / "how-to" / "add-an-enrichment.md").read_text(encoding="utf-8")
    one, many = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return [one, f"from hnintel.enrich.declaration import Column, Enrichment\n\n{many}"]


@pytest.mark.parametrize(
    ("name", "text"), [("purpose", examples()[0]), ("wishes", examples()[1]), ("named", COMPLETION)]
)
def test_a_new_enrichment_passes_every_suite_by_being_there(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    suites = [f"tests/enrichments/test_{which}.py" for which in ("every_enrichment", "money", "versions")]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", "-k", name, *suites],
        cwd=ROOT,
        env={**os.environ, "HNINTEL_ENRICHMENTS_PATH": str(tmp_path), "HNINTEL_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None
    assert int(passed[1]) >= 25
