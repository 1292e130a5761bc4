"""What a group of stories is about: clusters of lines, each told by its most central line under a heading."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hnintel.engines.offline.ranking import centrality, similarities
from hnintel.engines.offline.story_lines import Line, cited, names_of
from hnintel.engines.offline.subjects import headings, subject_sightings

if TYPE_CHECKING:
    import numpy as np

THEMES_AT_MOST, IDS_AT_MOST = 6, 8
#: Lines further apart than this (as cosine distance, 0 to 1) share no theme.
_FARTHEST = 0.86
#: How far two lines of one subject come together though they share no word.
_SUBJECT_SHARE = 0.35
_CLUSTER_AT_MOST = 400


def themes(lines: Sequence[Line]) -> list[str]:
    """The largest themes of *lines*, one line each: a heading, the most central statement, the ids."""
    lines = lines[:_CLUSTER_AT_MOST]
    if len(lines) < 2:
        return [cited(line.statement, [line]) for line in lines]
    names = names_of(lines)
    likeness = _likeness(lines, names)
    clusters = [cluster for cluster in _clusters(likeness) if len(cluster) > 1]
    clusters.sort(key=lambda cluster: (-len(cluster), cluster[0]))
    told = (_told(lines, names, cluster, likeness) for cluster in clusters)
    return [theme for theme in told if theme][:THEMES_AT_MOST]


def _likeness(lines: Sequence[Line], names: Sequence[Sequence[str]]) -> np.ndarray:
    """How alike every two lines are: by their words, their names twice, and the subject that they are about."""
    import numpy as np

    words = similarities([" ".join([line.said, *own]) for line, own in zip(lines, names, strict=True)])
    subjects = [_subjects(line) for line in lines]
    same = np.array([[_shared(one, other) for other in subjects] for one in subjects])
    likeness = np.clip(words + _SUBJECT_SHARE * same, 0.0, 1.0)
    np.fill_diagonal(likeness, 0.0)
    return np.round(likeness, 6)


def _shared(one: Counter[str], other: Counter[str]) -> float:
    """The cosine of two lines' subjects."""
    both = sum(one[subject] * other[subject] for subject in one)
    size = sum(n * n for n in one.values()) * sum(n * n for n in other.values())
    return both / size**0.5 if size else 0.0


def _clusters(likeness: np.ndarray) -> list[list[int]]:
    import numpy as np
    from sklearn.cluster import AgglomerativeClustering

    distances = 1.0 - likeness
    np.fill_diagonal(distances, 0.0)
    found = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=_FARTHEST
    ).fit(distances)
    members: dict[int, list[int]] = defaultdict(list)
    for place, cluster in enumerate(found.labels_):
        members[int(cluster)].append(place)
    return list(members.values())


def _told(
    lines: Sequence[Line], names: Sequence[Sequence[str]], cluster: Sequence[int], likeness: np.ndarray
) -> str | None:
    """The theme of a cluster, told by its lines that have what its heading names; nothing where fewer than two do."""
    shared, subject = _shared_names([names[place] for place in cluster]), _subject(lines, cluster)
    members = [
        place
        for place in cluster
        if set(shared) & set(names[place]) or (subject and subject in _subjects(lines[place]))
    ]
    if len(members) < 2:
        return None
    ranks = centrality(likeness[members][:, members])
    told = [lines[members[place]] for place in sorted(range(len(members)), key=lambda place: (-ranks[place], place))]
    # It says of how many stories it speaks, and that the statement is of one of them: the ids are for the whole theme.
    heading = f"{_heading(shared, subject)}, {len(told)} stories, among them"
    return cited(f"{heading}: {told[0].statement}", told[:IDS_AT_MOST])


def _shared_names(names: Sequence[Sequence[str]]) -> list[str]:
    """The names that more than one line has, the most shared first."""
    count = Counter(name for line_names in names for name in line_names)
    return [name for name, times in sorted(count.items(), key=lambda item: (-item[1], item[0])) if times > 1][:2]


def _subject(lines: Sequence[Line], cluster: Sequence[int]) -> str | None:
    """The subject that most of the lines are about, each line having one voice."""
    voices: dict[str, float] = defaultdict(float)
    for place in cluster:
        subjects = _subjects(lines[place])
        for subject, weight in subjects.items():
            voices[subject] += weight / subjects.total()
    return max(voices, key=lambda subject: (round(voices[subject], 6), subject)) if voices else None


def _subjects(line: Line) -> Counter[str]:
    """What a line is about, its title counted twice."""
    return subject_sightings(f"{line.subject} {line.said}")


def _heading(names: Sequence[str], subject: str | None) -> str:
    if len(names) == 1 and subject:
        return (
            f"{names[0]}, {headings()[subject]}"
            if " and " in headings()[subject]
            else f"{names[0]} and {headings()[subject]}"
        )
    heading = " and ".join(names) if names or not subject else headings()[subject]
    return heading if names else heading[:1].upper() + heading[1:]
