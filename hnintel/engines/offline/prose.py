"""Rules for quoting a sentence alone, and for shortening a long sentence at the end of a clause."""

from __future__ import annotations

import re
from functools import cache

from hnintel.engines.offline import lexicon

_END_MARK = re.compile(r"[.!?…][\"'”’)\]]{0,2}$")
_ASIDE = re.compile(r" ?\([^()]{0,200}\)| ?\[[^\[\]]{0,80}\]")
#: An apposition, which only explains the subject: "Tarnfield, the company behind Tidepool, has raised".
_APPOSITION = re.compile(
    r"^((?:[A-ZÀ-Þ][\w.&'’-]{0,30} ){0,3}[A-ZÀ-Þ][\w.&'’-]{0,30}), "
    r"(?:the|an?|which|who|whose|formerly|now)\b[^,]{3,120},(?= [a-z]{2,20} )"
)
#: Where a sentence may be cut: before a clause that only adds to it.
_CLAUSE = re.compile(
    r"(?:; |: | [–—] | -- |, (?=(?:which|who|where|whose|but|so|because|while|although|though|whereas|after|before|"
    r"as|since|including|leaving|making|causing|meaning|thanks to|according to|with|without|even|not|rather than|"
    r"compared with|up from|down from) )|,? (?=and (?:it|they|we|he|she|the|that|this|its|their|our|then) )"
    r"|,? (?=(?:because|although|whereas|which) ))"
)
#: Openings of a subordinate clause: the main clause follows the first comma.
_SUBORDINATE = re.compile(
    r"(?:although|though|while|when|whenever|if|unless|because|since|as|after|before|until|once|in|for|with|at|on|by|from|"
    r"to|despite|given|unlike|like|under|over|during|according|instead|rather|\w+ing|\w+ed)\b",
    re.IGNORECASE,
)
#: Openings of a sentence that depends on the sentence before it.
_LEANS = re.compile(
    r"[\"'“‘(]?(?:it|its|this|that|these|those|they|their|he|she|his|her|but|and|so|or|however|also|then|there|here|such|"
    r"instead|meanwhile|nevertheless|therefore|thus|hence|both|another|others|still|yet|again|moreover|furthermore|"
    r"additionally|finally|second|secondly|third|in addition|for example|for instance|as a result|that's|it's|yes|no|"
    r"well|oh|ok|okay|what|why|how|who|hi|hello|hey|thanks|welcome)\b",
    re.IGNORECASE,
)
#: Openings of an instruction; articles state facts.
_INSTRUCTS = re.compile(
    r"(?:please|write|draft|explain|describe|provide|translate|generate|compose|create|craft|analy[sz]e|classify|"
    r"calculate|list|give|tell|summari[sz]e|identify|evaluate|compare|discuss|recommend|suggest|send|reply|respond|answer|ignore|"
    r"imagine|rate|label|print|output|repeat|remember|click|visit|check|download|install|try|see|don't|do not|"
    r"can you|could you|help)\b",
    re.IGNORECASE,
)
_SHORTEST_WORDS, _SHORTEST_CLAUSE_WORDS = 5, 7
_LETTERS_AT_LEAST = 0.6


@cache
def _phrases(name: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(term) for term in sorted(lexicon.terms(name))), re.IGNORECASE)


def is_boilerplate(sentence: str) -> bool:
    return bool(_phrases("boilerplate.txt").search(sentence))


def speaks_to_machines(sentence: str) -> bool:
    """Return whether *sentence* is an instruction to the program that reads the text, not a part of its content."""
    return bool(_phrases("injections.txt").search(sentence))


def leans_on_another(sentence: str) -> bool:
    return bool(_LEANS.match(sentence))


def instructs(sentence: str) -> bool:
    return bool(_INSTRUCTS.match(sentence))


def quotable(sentence: str) -> bool:
    """Return whether *sentence* is a whole sentence of an article: an end mark, mostly letters, no boilerplate."""
    letters = sum(c.isalpha() or c.isspace() for c in sentence)
    return (
        bool(_END_MARK.search(sentence))
        and len(sentence.split()) >= _SHORTEST_WORDS
        and (sentence[0].isalnum() or sentence[0] in "\"'“‘$€£")
        and not sentence[0].islower()
        and letters >= _LETTERS_AT_LEAST * len(sentence)
        and _balanced(sentence)
        and not is_boilerplate(sentence)
        and not speaks_to_machines(sentence)
    )


def shortened(sentence: str, most_words: int) -> str | None:
    """Return *sentence* in at most *most_words* words, cut where a clause ends; None where no cut is possible."""
    if len(sentence.split()) <= most_words:
        return sentence
    bare = _APPOSITION.sub(r"\1", _ASIDE.sub("", sentence))
    if len(bare.split()) <= most_words:
        return bare
    for cut in reversed(list(_CLAUSE.finditer(bare))):
        head = bare[: cut.start()].rstrip(" ,;:–—-")
        if _SHORTEST_CLAUSE_WORDS <= len(head.split()) <= most_words and _stands_alone(head):
            return f"{head}."
    return None


def ended(text: str) -> str:
    """Return *text* with an end mark."""
    text = text.strip().rstrip(",;:–—-").rstrip()
    return text if not text or _END_MARK.search(text) else f"{text}."


def _stands_alone(head: str) -> bool:
    return _balanced(head) and ("," in head or not _SUBORDINATE.match(head))


def _balanced(text: str) -> bool:
    return text.count("(") == text.count(")") and text.count('"') % 2 == 0 and text.count("“") == text.count("”")
