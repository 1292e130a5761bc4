"""Whether a package that is installed by hash has a known vulnerability: ``python deployments/audit.py``.

pip-audit asks PyPI, or a service of OSV's kind where ``HN_AUDIT_OSV_URL`` names one. Where nobody can be asked, that is
said aloud and is no failure: a mirror of the index may have files only.
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
    """Audit the pinned packages and print one line a finding, or one line in all.

    Args:
        environ: may name the service to ask.
        listed: the file of ``name==version`` with hashes.

    Returns:
        1 where there is a finding, else 0.
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
    """The call of pip-audit: the list alone, nothing resolved or installed."""
    osv = environ.get("HN_AUDIT_OSV_URL")
    service = ["--vulnerability-service", "osv", "--osv-url", osv] if osv else []
    accepted = [word for one in ACCEPTED for word in ("--ignore-vuln", one)]
    told = ["--require-hashes", "--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    return [sys.executable, "-m", "pip_audit", *told, *service, *accepted, "--requirement", str(listed)]


def _report(packages: Sequence[Mapping[str, Any]]) -> int:
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if len(skipped) == len(packages):
        return _not_run("the index has no advisories")
    findings = [(one, each) for one in packages for each in one.get("vulns", ())]
    for package, finding in findings:
        fixed = ", ".join(finding["fix_versions"]) or "no version yet"
        print(f"error: {package['name']} {package['version']}: {finding['id']}, mended in {fixed}", file=sys.stderr)
    print(f"dependency audit: {len(packages) - len(skipped)} packages asked about, {len(findings)} vulnerabilities")
    if skipped:
        print(f"dependency audit: NOT asked about: {', '.join(skipped)}", file=sys.stderr)
    return 1 if findings else 0


def _not_run(why: str) -> int:
    print(f"dependency audit: NOT RUN ({why}); run `make audit` where PyPI itself can be asked", file=sys.stderr)
    return 0


def _reason(printed: str) -> str:
    """What the last line that pip-audit printed begins with; behind it are addresses."""
    lines = [line for line in printed.strip().splitlines() if line]
    return lines[-1].split(": ")[0][:160] if lines else "pip-audit printed nothing"


if __name__ == "__main__":
    raise SystemExit(main(os.environ))
