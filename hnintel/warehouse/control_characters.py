"""Characters that steer a terminal, turn text around or hide in it, which no answer is kept with, by any engine."""

from __future__ import annotations

#: Code points, first and last, that end a line or part columns; a blank takes their place.
BREAKS = ((0x09, 0x0D), (0x85, 0x85), (0x2028, 0x2029))
#: Code points, first and last, of which nothing is kept: the other controls (C0, DEL, C1), those of direction, and all
#: that show nothing: soft hyphen, zero-width space, word joiner and its kin, byte order mark, tags. The two joiners
#: U+200C and U+200D stay, since Persian, Indic scripts and emoji are misspelt without them.
CONTROLS = (
    *((0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F)),
    *((0x061C, 0x061C), (0x200E, 0x200F), (0x202A, 0x202E)),
    *((0x00AD, 0x00AD), (0x200B, 0x200B), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xE0000, 0xE007F)),
)
#: Code points, first and last, that stay in a text and of which alone it is blank: spaces of all widths, letters and
#: marks that show nothing, the joiners, selectors of a character's variant.
BLANKS = (
    *((0x20, 0x20), (0xA0, 0xA0), (0x034F, 0x034F), (0x115F, 0x1160), (0x1680, 0x1680), (0x180B, 0x180E)),
    *((0x2000, 0x200A), (0x200C, 0x200D), (0x202F, 0x202F), (0x205F, 0x205F), (0x2800, 0x2800), (0x3000, 0x3000)),
    *((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0)),
)


def code_points(ranges: tuple[tuple[int, int], ...]) -> list[int]:
    """Every code point of *ranges*."""
    return [code for first, last in ranges for code in range(first, last + 1)]


_TABLE = {**dict.fromkeys(code_points(CONTROLS)), **dict.fromkeys(code_points(BREAKS), " ")}


def without_controls(text: str) -> str:
    """*text* with a blank for each break, and without the other controls; as the warehouses' SQL makes it."""
    return text.translate(_TABLE)
