"""Prints the structure of the code from its imports alone: rooms, imports between them, chains and circles.

A room is a package or a loose module directly in ``hnintel/``, ``flows/``, ``tasks/`` or ``deployments/``. By folders,
the last three are one room each. Imports inside functions and for type checking count. The code is parsed, and nothing
of it is imported or run::

    python bench/structure.py [--repo DIR] [--edges]
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

TOPS = ("hnintel", "tasks", "flows", "deployments")
#: What imports what: a name to the names that it imports.
Graph = Mapping[str, Set[str]]
Edge = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Import:
    """An import: ``module`` is absolute, ``names`` are the imported names (empty: the module itself)."""

    line: int
    module: str
    names: tuple[str, ...] = ()

    def modules(self, known: Set[str]) -> Iterator[str]:
        """Which of the *known* modules it imports; a name that is no module counts as the module that has it."""
        for name in (f"{self.module}.{name}" for name in self.names):
            if name in known:
                yield name
            elif self.module in known:
                yield self.module
        if not self.names and self.module in known:
            yield self.module


def modules(root: Path) -> dict[str, Path]:
    """Every module of the four packages below *root*: its dotted name to its file."""
    paths = {}
    for top in TOPS:
        for path in sorted((root / top).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return paths


def imports(path: Path, root: Path) -> Iterator[Import]:
    """Yield every import anywhere in the file *path*; relative imports become absolute from *root*.

    Raises:
        SyntaxError: the file is no Python.
    """
    package = path.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *([node.module] if node.module else [])))
            yield Import(node.lineno, module, tuple(alias.name for alias in node.names))


def room_of(module: str) -> str:
    """Return the package or module directly below one of the four packages; a package's own file is a room itself."""
    return ".".join(module.split(".")[:2])


def folder_of(module: str) -> str:
    """The room of *module* in ``hnintel/``, and the package of all other modules."""
    return room_of(module) if module.startswith("hnintel.") else module.split(".")[0]


def loose_modules(root: Path) -> list[str]:
    """The modules that are a file directly in ``hnintel/``, and no package."""
    return [name for name, path in modules(root).items() if name.count(".") == 1 and path.parent == root / "hnintel"]


def graph_of_files(root: Path) -> dict[str, set[str]]:
    """Each module of the four packages to the modules of them that it imports."""
    known = modules(root)
    return {
        name: {other for imported in imports(path, root) for other in imported.modules(known.keys())} - {name}
        for name, path in known.items()
    }


def graph_of_rooms(files: Graph, room: Callable[[str], str] = room_of) -> dict[str, set[str]]:
    """Each room to the rooms that its files import; *room* names the room of a module."""
    rooms: dict[str, set[str]] = {room(name): set() for name in files}
    for name, others in files.items():
        rooms[room(name)] |= {room(other) for other in others} - {room(name)}
    return rooms


def circles(graph: Graph) -> list[list[str]]:
    """The groups of two or more names each of which imports, by way of others, every other (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(graph.get(name, ())):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            start = stack.index(name)
            group = sorted(stack[start:])
            del stack[start:]
            if len(group) > 1:
                groups.append(group)

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return groups


def upward(graph: Graph) -> list[Edge]:
    """Return a small set of imports whose removal leaves no circle: those from a lower floor to a higher floor.

    Repeatedly removes the import whose removal leaves the fewest names in circles.
    """
    removed: list[Edge] = []
    while groups := circles(_without(graph, removed)):
        group = groups[0]
        inside = [(name, other) for name in group for other in sorted(graph[name] & set(group))]
        left = [edge for edge in inside if edge not in removed]
        removed.append(min(left, key=lambda edge: sum(map(len, circles(_without(graph, [*removed, edge]))))))
    return removed


def longest_chain(graph: Graph) -> list[str]:
    """Return the names of the longest chain of imports, the importing name first, without upward imports."""
    chains: dict[str, list[str]] = {}
    downward = _without(graph, upward(graph))
    for name in TopologicalSorter(downward).static_order():
        below = [chains[other] for other in sorted(downward.get(name, ()))]
        chains[name] = [name, *max(below, key=len, default=[])]
    return max(chains.values(), key=len, default=[])


def _without(graph: Graph, edges: list[Edge]) -> Graph:
    return {name: {other for other in others if (name, other) not in edges} for name, others in graph.items()}


def main() -> None:
    """Print the figures of a checkout."""
    parser = argparse.ArgumentParser(description="The structure of the code, from its imports alone.")
    parser.add_argument("--repo", type=Path, default=Path(__file__).resolve().parent.parent, help="the checkout")
    parser.add_argument("--edges", action="store_true", help="print what each room imports, too")
    arguments = parser.parse_args()
    files = graph_of_files(arguments.repo)
    rooms = graph_of_rooms(files)
    chain, up, groups = longest_chain(rooms), upward(rooms), circles(files)
    print(f"files                      {len(files)}")
    print(f"rooms                      {len(rooms)}")
    print(f"loose modules in hnintel/  {len(loose_modules(arguments.repo))}")
    print(f"imports between rooms      {sum(map(len, rooms.values()))}")
    print(f"longest chain of rooms     {len(chain)}: {' > '.join(chain)}")
    print(f"imports upward, rooms      {len(up)} {'; '.join(f'{name} > {other}' for name, other in up)}".rstrip())
    print(f"circles of files           {len(groups)} {'; '.join(' '.join(group) for group in groups)}".rstrip())
    folders = graph_of_rooms(files, folder_of)
    by_folders = longest_chain(folders)
    print(f"imports between folders    {sum(map(len, folders.values()))}")
    print(f"longest chain of folders   {len(by_folders)}: {' > '.join(by_folders)}")
    if arguments.edges:
        for name, others in sorted(rooms.items()):
            print(f"{name}: {' '.join(sorted(others))}".rstrip())


if __name__ == "__main__":
    main()
