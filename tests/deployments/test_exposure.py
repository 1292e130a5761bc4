"""docs/reference/exposure.md names every port and every listener of the deployment files."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "reference" / "exposure.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """Return the text of the page below a heading."""
    found = re.search(rf"^## {re.escape(heading)}[^\n]*\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def test_every_store_and_published_port_of_compose_is_on_the_page() -> None:
    compose = yaml.safe_load((ROOT / "deployments" / "compose.yaml").read_text(encoding="utf-8"))
    told = section("`deployments/compose.yaml`")
    for name, service in compose["services"].items():
        assert re.search(rf"\b{name}\b", told, re.IGNORECASE), name
        for port in service.get("ports", ()):
            address, _, published = port.rpartition(":")[0].partition(":")
            assert address in told
            assert published in told
    for network in compose["networks"]:
        assert f"`{network}`" in told


def test_the_kubernetes_workers_port_is_on_the_page() -> None:
    text = (ROOT / "deployments" / "kubernetes" / "worker.yaml").read_text(encoding="utf-8")
    told = section("Kubernetes")
    assert {port for port in re.findall(r"port: (\d+)", text) if port not in told} == set()


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/security.md", "docs/reference/exposure.md", "docs/snowflake.md"])
def test_what_the_pages_about_security_link_to_is_there(page: str) -> None:
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not target.startswith("http")]
    assert [one for one in targets if not (path.parent / (one.partition("#")[0] or path.name)).exists()] == []
    for target in targets:
        file, _, anchor = target.partition("#")
        if anchor:
            headings = re.findall(r"^#+ (.*)$", (path.parent / (file or path.name)).read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in headings}, target
