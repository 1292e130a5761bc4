"""Write docs/reference/ from the declared events and the command line: ``python deployments/reference.py``."""

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

The events that the pipeline emits to Prefect, for triggers and automations, ours and yours. The payload is a contract:
fields may be added, but no field is removed or changes its meaning without a new `version`. Events contain no text of
stories, comments or articles.

- **Events follow facts.** An event is a row of `ops.outbox`, committed with the data that it announces. It is emitted
  after the commit, at least once; after a crash the next run emits it, `reconcile` included. Polls and failures have no
  data in the warehouse: they are emitted at once.
- **An event may arrive twice**, with the same id (a uuid5 of the fact). Prefect drops the second event within minutes;
  every flow that an event starts is safe to run twice all the same.
- **The next step** is decided by `continue_by`, in the payload and as the label `hn.continue_by` of the resource, which
  triggers match: `parent`, the run continues itself; `event`, the receiver of the event continues.
"""


def page() -> str:
    """Return the text of the page."""
    return "\n".join([_HEAD, *(_section(event) for event in EVENTS.values())])


def _section(event: type[Event]) -> str:
    lines = [
        f"## {event.name}",
        "",
        f"{inspect.getdoc(event)} Resource `{event.resource}`; its fact is `{event.fact}`."
        + (" Emitted by hand, too." if event.by_hand else ""),
        "",
        "| field | type | |",
        "| --- | --- | --- |",
    ]
    comments = _comments(event)
    for name, field in event.model_fields.items():
        kind = str(field.annotation.__name__ if isinstance(field.annotation, type) else field.annotation)
        kind = kind.replace("typing.", "").replace("datetime.", "").replace("|", "or")
        lines.append(f"| `{name}` | {kind} | {comments.get(name, '')} |")
    return "\n".join(lines) + "\n"


def _comments(event: type[Event]) -> dict[str, str]:
    """Return the comment above each field, by the field's name."""
    source = inspect.getsource(events).splitlines()
    tree = ast.parse("\n".join(source))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    comments: dict[str, str] = {}
    for name in ("Event", event.__name__):
        for node in classes[name].body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                above: list[str] = []
                line = node.lineno - 2
                while source[line].strip().startswith("#:"):
                    above.insert(0, source[line].strip().removeprefix("#: "))
                    line -= 1
                comments[node.target.id] = " ".join(above)
    return comments


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
