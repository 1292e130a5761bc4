"""Check the packages installed by hash for known vulnerabilities: ``python deployments/audit.py``.

pip-audit queries PyPI, or the OSV service that ``HN_AUDIT_OSV_URL`` names. If no service answers, the script says
so and does not fail: a mirror of the index may have no advisories.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HASHED = ROOT / "deployments" / "requirements.txt"
#: Vulnerabilities that do not concern this project, with the reason why.
ACCEPTED: dict[str, str] = {}
_WITHIN = 300.0


def main(environ: Mapping[str, str], listed: Path = HASHED) -> int:
    """Audit the pinned packages; print a line for each vulnerability, and a summary.

    Args:
        environ: may name the service to query.
        listed: the file of ``name==version`` with hashes.

    Returns:
        1 if a vulnerability is known, else 0.
    """
    try:
        ran = subprocess.run(  # noqa: S603 - our own interpreter
            command(environ, listed), capture_output=True, text=True, timeout=_WITHIN, check=False, cwd=ROOT
        )
        packages = json.loads(ran.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return _not_run(f"no answer within {_WITHIN:g} s")
    except ValueError:
        return _not_run(_reason(ran.stderr))
    return _report(packages)


def command(environ: Mapping[str, str], listed: Path) -> Sequence[str]:
    """Return the command of pip-audit, which checks only the listed packages, and resolves or installs none."""
    osv = environ.get("HN_AUDIT_OSV_URL")
    service = ["--vulnerability-service", "osv", "--osv-url", osv] if osv else []
    accepted = [word for vulnerability in ACCEPTED for word in ("--ignore-vuln", vulnerability)]
    options = ["--require-hashes", "--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    return [sys.executable, "-m", "pip_audit", *options, *service, *accepted, "--requirement", str(listed)]


def _report(packages: Sequence[Mapping[str, Any]]) -> int:
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        return _not_run("the index has no advisories")
    findings = [(audited, each) for audited in packages for each in audited.get("vulns", ())]
    for package, finding in findings:
        fixed = ", ".join(finding["fix_versions"]) or "no version yet"
        print(f"error: {package['name']} {package['version']}: {finding['id']}, fixed in {fixed}", file=sys.stderr)
    print(f"dependency audit: {len(packages) - len(skipped)} packages checked, {len(findings)} vulnerabilities")
    if skipped:
        print(f"dependency audit: NOT checked: {', '.join(skipped)}", file=sys.stderr)
    return 1 if findings else 0


def _not_run(why: str) -> int:
    print(f"dependency audit: NOT RUN ({why}); run `make audit` where PyPI itself can be reached", file=sys.stderr)
    return 0


def _reason(printed: str) -> str:
    """Return the beginning of the last line that pip-audit printed; addresses follow it."""
    lines = [line for line in printed.strip().splitlines() if line]
    return lines[-1].split(": ")[0][:160] if lines else "pip-audit printed nothing"


if __name__ == "__main__":
    raise SystemExit(main(os.environ))
