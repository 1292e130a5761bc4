"""A deterministic estimate of how many tokens a text is to a language model."""

from __future__ import annotations

import re

#: The pieces into which BPE tokenizers split first: a word with its leading blank, digits by threes, marks, blanks.
_PIECE = re.compile(r"([^\W\d_]+)|(\d+)|(\s+)|((?:[^\w\s]|_)+)")
#: Common words of this length are one token; the rest of a longer word is cut in pieces of about four letters.
_WHOLE_WORD, _PIECE_OF_WORD = 8, 4
_DIGITS_A_TOKEN, _MARKS_A_TOKEN = 3, 2


def count_tokens(text: str) -> int:
    """About the tokens of *text*, piece by piece as BPE tokenizers cut it.

    A word of common length is one token and a longer one an extra token for about every four letters more; letters
    beyond Latin cost one token for about two (alphabets) or one each (ideographs); digits go by threes, marks by twos;
    one blank belongs to the word after it, while a line's end is a token of its own. On English prose it comes to about
    4.4 characters a token, on code to about 3.
    """
    return sum(_cost(*match.groups()) for match in _PIECE.finditer(text))


def _cost(word: str | None, digits: str | None, blanks: str | None, marks: str | None) -> int:
    if word:
        return _word_cost(word)
    if digits:
        return -(-len(digits) // _DIGITS_A_TOKEN)
    if blanks:
        return 0 if blanks == " " else 1
    return -(-len(marks or "") // _MARKS_A_TOKEN) if (marks or "").isascii() else len(marks or "")


def _word_cost(word: str) -> int:
    if word.isascii():
        return 1 + max(0, -(-(len(word) - _WHOLE_WORD) // _PIECE_OF_WORD))
    if max(word) >= "\u2e80":  # ideographs, kana, hangul
        return len(word)
    return max(1, -(-len(word) // 2))
