"""A deterministic estimate of the tokens of a text in a language model."""

from __future__ import annotations

import re

#: The pieces that BPE tokenizers split a text into first: words with a leading blank, digits, marks, blanks.
_PIECE = re.compile(r"([^\W\d_]+)|(\d+)|(\s+)|((?:[^\w\s]|_)+)")
#: A word up to this length is a single token; the rest of a longer word is cut into pieces of about four letters.
_WHOLE_WORD, _PIECE_OF_WORD = 8, 4
_DIGITS_A_TOKEN, _MARKS_A_TOKEN = 3, 2


def count_tokens(text: str) -> int:
    """Estimate the tokens of *text*, from its pieces as BPE tokenizers cut it.

    A word of up to eight letters is a token; a longer word has a further token for about every four letters more. In
    other scripts a token has about two letters (alphabets) or a single character (ideographs). A token has up to three
    digits or two punctuation marks. A blank belongs to the word after it, while other white space is a token. The
    result is about 4.4 characters per token on English prose, and about 3 on code.
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
