"""Write docs/reference/ from the code, events and command line: ``python deployments/reference.py``."""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from deployments import command_line
from hnintel import events
from hnintel.events import EVENTS, Event

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "events.md"

_HEAD = """\
# Events

Written by `python deployments/reference.py` from [`hnintel/events.py`](../../hnintel/events.py); do not edit.

What the pipeline announces to Prefect, for triggers and automations, ours and yours. The payload is a contract: a field
may be added, none is taken away or turned into something else without a new `version`. No text that was read is in an
event.

- **Events come after facts.** What is to be announced is a row of `ops.outbox`, committed with the data it speaks of.
  It is emitted after the commit, at least once; what a crash kept back is emitted by the next run, `reconcile` among
  them. Polls and failures have no data in the warehouse: they are emitted at once.
- **An event may come twice**, with the same id (a uuid5 of the fact). Prefect drops the second within minutes; whatever
  is started by one is safe to run twice all the same.
- **Who goes on** is in `continue_by`, in the payload and as the label `hn.continue_by` of the resource, which triggers
  match: `parent`, the run does so itself; `event`, whoever is told should.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(event) for event in EVENTS.values())])


def _section(event: type[Event]) -> str:
    lines = [
        f"## {event.name}",
        "",
        f"{inspect.getdoc(event)} Resource `{event.resource}`; one fact is `{event.fact}`."
        + (" Emitted by hand, too." if event.by_hand else ""),
        "",
        "| field | type | |",
        "| --- | --- | --- |",
    ]
    told = _comments(event)
    for name, field in event.model_fields.items():
        kind = str(field.annotation.__name__ if isinstance(field.annotation, type) else field.annotation)
        kind = kind.replace("typing.", "").replace("datetime.", "").replace("|", "or")
        lines.append(f"| `{name}` | {kind} | {told.get(name, '')} |")
    return "\n".join(lines) + "\n"


def _comments(event: type[Event]) -> dict[str, str]:
    """What stands above a field, by its name."""
    source = inspect.getsource(events).splitlines()
    tree = ast.parse("\n".join(source))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    found: dict[str, str] = {}
    for name in ("Event", event.__name__):
        for node in classes[name].body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                above: list[str] = []
                line = node.lineno - 2
                while source[line].strip().startswith("#:"):
                    above.insert(0, source[line].strip().removeprefix("#: "))
                    line -= 1
                found[node.target.id] = " ".join(above)
    return found


def main(argv: Sequence[str]) -> int:
    """Write the pages; 0."""
    parser = argparse.ArgumentParser(
        prog="python deployments/reference.py",
        description="Write docs/reference/events.md and docs/reference/command-line.md from the code.",
        epilog="Example: python deployments/reference.py",
    )
    parser.parse_args(argv)
    for path, text in ((PAGE, page()), (command_line.PAGE, command_line.page())):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
