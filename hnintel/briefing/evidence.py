"""What a claim may rest on: a story supports a claim that shares a word, a name or a subject with it.

This is a check of words and not of truth. It holds a claim to the stories that it cites, so that the words of one story
cannot speak for all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hnintel.briefing.claim_names import STEM, atoms, names, names_of_stories, numbers
from hnintel.engines.offline.ranking import content_words
from hnintel.engines.offline.subjects import headings, subject_sightings
from hnintel.engines.offline.text import folded, words

#: Words that are in claims because they are claims.
_OF_CLAIMS = frozenset(
    (
        "story",
        "stories",
        "theme",
        "trend",
        "launch",
        "hacker",
        "news",
        "article",
        "several",
        "including",
        "com",
        "org",
        "www",
    )
)
_STEMS_OF_CLAIMS = frozenset(word[:STEM] for word in _OF_CLAIMS)
#: A word that more than this share of a day's stories have tells none of them apart, unless it is a subject's.
_COMMON_SHARE = 0.5
#: Of fewer stories than this no word is common: what they share is their subject.
_COMMON_FROM = 10


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the stories of a day say of themselves.

    Args:
        stories: by id, a story's own words: title, takeaway, topic, site and the names it has.
    """

    stories: Mapping[int, str]
    _words: dict[int, frozenset[str]] = field(init=False, default_factory=dict)
    _common: set[str] = field(init=False, default_factory=set)
    _subjects: dict[int, frozenset[str]] = field(init=False, default_factory=dict)
    _atoms: dict[int, frozenset[str]] = field(init=False, default_factory=dict)
    _names: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        of_each = {number: _words_of(text) for number, text in self.stories.items()}
        count = Counter(word for own in of_each.values() for word in own)
        most = _COMMON_SHARE * len(of_each) if len(of_each) >= _COMMON_FROM else len(of_each)
        self._common.update(word for word, stories in count.items() if stories > most)
        self._words.update(of_each)
        self._subjects.update({number: frozenset(subject_sightings(text)) for number, text in self.stories.items()})
        self._atoms.update({number: atoms(text) for number, text in self.stories.items()})
        self._names.update(names_of_stories(self.stories.values()))

    def supporting(self, claim: str, ids: Iterable[int]) -> list[int]:
        """Those of *ids* that are stories with something of *claim* in them, in order, each once."""
        said, subjects = _words_of(claim), _subjects_of_claim(claim)
        said = said - self._common or said  # a claim of what most stories share is held to that
        known = (number for number in dict.fromkeys(ids) if number in self.stories)
        return [number for number in known if said & self._words[number] or subjects & self._subjects[number]]

    def foreign_names(self, claim: str, ids: Iterable[int]) -> list[str]:
        """The names and numbers of *claim* that none of the stories *ids* has, as stems, in order of the alphabet.

        A whole number up to that of the day's stories may count them, and the subject of a cited story may be named.
        """
        cited = [number for number in ids if number in self.stories]
        subjects = frozenset(subject for number in cited for subject in self._subjects[number])
        had = frozenset(atom for number in cited for atom in self._atoms[number])
        had |= atoms(" ".join([*subjects, *(headings().get(subject, "") for subject in subjects)]))
        had |= _subject_words(claim, subjects)
        foreign_numbers = {one for one in numbers(claim) if not (one.isdigit() and int(one) <= len(self.stories))}
        return sorted((names(claim, frozenset(self._names)) | foreign_numbers) - had - _STEMS_OF_CLAIMS)


def _words_of(text: str) -> frozenset[str]:
    """The stems of the words that say what *text* is about."""
    return frozenset(word[:STEM] for word in content_words(text) if word not in _OF_CLAIMS)


def _subjects_of_claim(claim: str) -> frozenset[str]:
    """The known subjects that *claim* speaks of; that it speaks of stories, or of a launch, is none."""
    return frozenset(subject_sightings(" ".join(word for word in words(claim) if folded(word) not in _OF_CLAIMS)))


def _subject_words(claim: str, subjects: frozenset[str]) -> frozenset[str]:
    """The stems of the words of *claim* each of which alone speaks of one of *subjects*."""
    return frozenset(atom for word in words(claim) if subjects & set(subject_sightings(word)) for atom in atoms(word))
