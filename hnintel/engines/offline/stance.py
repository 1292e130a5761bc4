"""Recognizes by its words whether a comment agrees or disagrees with what was said."""

from __future__ import annotations

import re
from enum import Enum


class Stance(Enum):
    """The stance of a comment towards the statements of others."""

    ALONG = "along"
    AGAINST = "against"
    NONE = "none"


_WE = r"(?:I|we)(?: \w+)?"
#: The commenter's own doubts ("not sure why", "no doubt") are not disagreement.
_AGAINST = re.compile(
    rf"\b(?:{_WE} (?:disagree|doubt)|(?:hard|strong|strongly|respectfully) disagree|"
    rf"{_WE} (?:do not|don't|can't|cannot) (?:really |quite |honestly )?(?:think|believe|buy|agree|see (?:how|why))|"
    r"(?:I'm|I am) (?:not (?:so )?(?:sure|convinced) (?:that|it|this|these|they)|(?:\w+ )?s[kc]eptical)|"
    r"not convinced|unconvinced|you(?:'re| are) (?:just |simply |plain )?(?:wrong|mistaken)|"
    r"(?:that|this|it|which|there)(?:'s| is| was) (?:just |simply |plain |plainly |demonstrably )?"
    r"(?:not (?:true|right|correct|the case|how)|wrong|false|untrue|incorrect|nonsense|misleading|overblown|overrated|"
    r"a myth)|(?:isn't|aren't|wasn't) (?:true|right|correct|the case|how)|"
    r"on the contrary|quite the opposite|miss(?:es|ing) the point|overstated|straw ?man)\b|"
    r"^(?:disagreed?|counterpoint|(?:yes|yeah|true|sure|agreed|right|fair(?: enough)?)\s?,? but)\b",
    re.IGNORECASE,
)
_ALONG = re.compile(
    rf"\b(?:{_WE} agree|(?:can't|couldn't) agree more|same (?:here|experience)|second(?:ed)? (?:this|that)|me too|"
    r"as others (?:have )?(?:said|say|noted|mentioned|pointed out))\b|^(?:agreed?|exactly|seconded)\b",
    re.IGNORECASE,
)
#: Openings whose stance applies to the rest of the comment.
_OPENS_AGAINST = re.compile(
    r"(?:no|nope|nah|not really|not true|wrong|(?:strong |hard )?disagreed?)\s?[,.!;:–—](?!\s+(?:my guess|I)\b)",
    re.IGNORECASE,
)
_OPENS_ALONG = re.compile(
    r"(?:yes|yep|yeah|agreed?|exactly|this|same(?: here)?|seconded|\+1|true|indeed)\s?[,.!;:–—]", re.IGNORECASE
)


def stance(sentence: str) -> Stance:
    """Return the stance of a sentence by itself."""
    sentence = sentence.replace("’", "'")
    if _AGAINST.search(sentence):
        return Stance.AGAINST
    return Stance.ALONG if _ALONG.search(sentence) else Stance.NONE


def opening_stance(comment: str) -> Stance:
    """Return the stance of a comment by its first words."""
    comment = comment.replace("’", "'")
    if _OPENS_AGAINST.match(comment):
        return Stance.AGAINST
    return Stance.ALONG if _OPENS_ALONG.match(comment) else Stance.NONE
