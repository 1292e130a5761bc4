"""Characters that control a terminal, reverse text or are invisible; they are removed from every engine's answers."""

from __future__ import annotations

#: Ranges of code points, first and last, that break a line or separate columns; each is replaced by a blank.
BREAKS = ((0x09, 0x0D), (0x85, 0x85), (0x2028, 0x2029))
#: Ranges of code points, first and last, that are removed: the other controls (C0, DEL, C1), marks of direction, and
#: invisible characters: soft hyphen, zero-width space, word joiner and its kin, byte order mark, tags. The joiners
#: U+200C and U+200D stay, since Persian, Indic scripts and emoji are misspelt without them.
CONTROLS = (
    *((0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F)),
    *((0x061C, 0x061C), (0x200E, 0x200F), (0x202A, 0x202E)),
    *((0x00AD, 0x00AD), (0x200B, 0x200B), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xE0000, 0xE007F)),
)
#: Ranges of code points, first and last, that stay in a text but are invisible; a text of only these is blank: spaces
#: of all widths, invisible letters and marks, the joiners, variation selectors.
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
    """*text* with a blank for each break and without the other controls, as the warehouses' SQL returns it."""
    return text.translate(_TABLE)
