"""Characters that steer a terminal or turn text around, which no answer is kept with: one table for every engine."""

from __future__ import annotations

#: Code points, first and last, that end a line or part columns; a blank takes their place.
BREAKS = ((0x09, 0x0D), (0x85, 0x85), (0x2028, 0x2029))
#: Code points, first and last, of which nothing is kept: the other controls (C0, DEL, C1) and those of direction.
CONTROLS = (
    *((0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F)),
    *((0x061C, 0x061C), (0x200E, 0x200F), (0x202A, 0x202E), (0x2066, 0x2069)),
)


def code_points(ranges: tuple[tuple[int, int], ...]) -> list[int]:
    """Every code point of *ranges*."""
    return [code for first, last in ranges for code in range(first, last + 1)]


_TABLE = {**dict.fromkeys(code_points(CONTROLS)), **dict.fromkeys(code_points(BREAKS), " ")}


def without_controls(text: str) -> str:
    """*text* with a blank for each break, and without the other controls; as the warehouses' SQL makes it."""
    return text.translate(_TABLE)
