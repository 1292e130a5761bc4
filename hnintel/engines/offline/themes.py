"""Themes of a group of stories: clusters of lines, each described by a heading and its most central line."""

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
#: The largest cosine distance (0 to 1) of lines that share a theme.
_FARTHEST = 0.86
#: The similarity of two lines about the same subject that share no word.
_SUBJECT_SHARE = 0.35
_CLUSTER_AT_MOST = 400


def themes(lines: Sequence[Line]) -> list[str]:
    """Return the largest themes of *lines*, each as a line with a heading, the most central statement and the ids."""
    lines = lines[:_CLUSTER_AT_MOST]
    if len(lines) < 2:
        return [cited(line.statement, [line]) for line in lines]
    names = names_of(lines)
    likeness = _likeness(lines, names)
    clusters = [cluster for cluster in _clusters(likeness) if len(cluster) > 1]
    clusters.sort(key=lambda cluster: (-len(cluster), cluster[0]))
    described = (_describe(lines, names, cluster, likeness) for cluster in clusters)
    return [theme for theme in described if theme][:THEMES_AT_MOST]


def _likeness(lines: Sequence[Line], names: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the similarity of every two lines by their words, their names (counted twice) and their subjects."""
    import numpy as np

    words = similarities([" ".join([line.said, *own]) for line, own in zip(lines, names, strict=True)])
    subjects = [_subjects(line) for line in lines]
    same = np.array([[_shared(first, second) for second in subjects] for first in subjects])
    likeness = np.clip(words + _SUBJECT_SHARE * same, 0.0, 1.0)
    np.fill_diagonal(likeness, 0.0)
    return np.round(likeness, 6)


def _shared(first: Counter[str], second: Counter[str]) -> float:
    """Return the cosine of the subjects of two lines."""
    both = sum(first[subject] * second[subject] for subject in first)
    size = sum(n * n for n in first.values()) * sum(n * n for n in second.values())
    return both / size**0.5 if size else 0.0


def _clusters(likeness: np.ndarray) -> list[list[int]]:
    import numpy as np
    from sklearn.cluster import AgglomerativeClustering

    distances = 1.0 - likeness
    np.fill_diagonal(distances, 0.0)
    clustering = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=_FARTHEST
    ).fit(distances)
    members: dict[int, list[int]] = defaultdict(list)
    for place, cluster in enumerate(clustering.labels_):
        members[int(cluster)].append(place)
    return list(members.values())


def _describe(
    lines: Sequence[Line], names: Sequence[Sequence[str]], cluster: Sequence[int], likeness: np.ndarray
) -> str | None:
    """Describe the theme of a cluster by its lines that match the heading; None where fewer than two lines match."""
    shared, subject = _shared_names([names[place] for place in cluster]), _subject(lines, cluster)
    members = [
        place
        for place in cluster
        if set(shared) & set(names[place]) or (subject and subject in _subjects(lines[place]))
    ]
    if len(members) < 2:
        return None
    ranks = centrality(likeness[members][:, members])
    ranked = [lines[members[place]] for place in sorted(range(len(members)), key=lambda place: (-ranks[place], place))]
    # "among them": the statement is of a single story, while the number and the ids are of all stories of the theme.
    heading = f"{_heading(shared, subject)}, {len(ranked)} stories, among them"
    return cited(f"{heading}: {ranked[0].statement}", ranked[:IDS_AT_MOST])


def _shared_names(names: Sequence[Sequence[str]]) -> list[str]:
    """Return the (at most two) names that several lines share, the most shared first."""
    count = Counter(name for line_names in names for name in line_names)
    return [name for name, times in sorted(count.items(), key=lambda item: (-item[1], item[0])) if times > 1][:2]


def _subject(lines: Sequence[Line], cluster: Sequence[int]) -> str | None:
    """Return the subject that most of the lines are about; all lines have the same weight."""
    voices: dict[str, float] = defaultdict(float)
    for place in cluster:
        subjects = _subjects(lines[place])
        for subject, weight in subjects.items():
            voices[subject] += weight / subjects.total()
    return max(voices, key=lambda subject: (round(voices[subject], 6), subject)) if voices else None


def _subjects(line: Line) -> Counter[str]:
    """Return the subjects of a line; its title counts twice."""
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
