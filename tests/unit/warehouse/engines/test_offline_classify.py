"""What the offline engine says of a text's sentiment and subject."""

from __future__ import annotations

import pytest

from hnintel.engines.base import Label
from hnintel.engines.offline import MODEL, OfflineEngine

SENTIMENTS = [Label("positive"), Label("neutral"), Label("negative")]
SUBJECTS = [
    Label("ai", "machine learning, language models, neural networks and their use"),
    Label("databases", "database engines, storage engines, SQL, query optimisers, indexes"),
    Label("security", "vulnerabilities, breaches, malware, cryptography, supply chain"),
    Label("careers", "jobs, hiring, interviews, management, remote work"),
    Label("science", "physics, biology, space, mathematics, medicine, climate"),
    Label("other", "none of these"),
]
NEUTRAL_PARAGRAPH = (
    "The storage layer keeps each partition in its own file. A reader opens it, reads the footer and picks the "
    "column chunks that it needs. Writers share a good number of buffers, and a free list helps them like a cache. "
)


def one(engine: OfflineEngine, text: str | None, labels: list[Label], **config: object) -> list[str]:
    [answer] = engine.classify([text], labels, config)
    assert answer.error is None
    return answer.value["labels"]


@pytest.fixture
def engine() -> OfflineEngine:
    return OfflineEngine()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thanks, this is excellent, it saved my afternoon!", "positive"),
        ("What a horrible API, I hate every call of it.", "negative"),
        ("The function returns a list of integers.", "neutral"),
        ("How do I kill a child process that ignores the abort signal?", "neutral"),
        ("This is not great.", "negative"),
        ("Set the flag to true and the fatal error is raised as an exception.", "neutral"),
        ("Postmortem: how an expired certificate took us down\n\nFor six hours nobody could log in.", "negative"),
        ("Quarrystone lays off a third of its staff\n\nThe company told employees on Monday.", "negative"),
        ("Breach at a payroll firm exposed two million records", "negative"),
        ("I love this little synthesizer\n\nIt is a delight to play, and a beautiful piece of work.", "positive"),
        ("Launch HN: Marlpit (YC S26) – Backups you can trust\n\nWe are thrilled to show what we built.", "positive"),
        ("Version 4.2 of the parser is out\n\nThis version reads comments and keeps line numbers.", "neutral"),
    ],
)
def test_the_sentiment_follows_the_text(engine: OfflineEngine, text: str, expected: str) -> None:
    assert one(engine, text, SENTIMENTS) == [expected]


def test_a_long_neutral_article_stays_neutral(engine: OfflineEngine) -> None:
    assert one(engine, "How the storage layer works\n\n" + NEUTRAL_PARAGRAPH * 40, SENTIMENTS) == ["neutral"]


def test_mixed_is_told_only_where_it_is_asked_for(engine: OfflineEngine) -> None:
    text = "The editor is wonderful and I love it, but the updater is horrible and I hate it."
    assert one(engine, text, [*SENTIMENTS, Label("mixed")]) == ["mixed"]
    assert one(engine, text, SENTIMENTS) != ["mixed"]


def test_labels_are_answered_as_they_are_spelt(engine: OfflineEngine) -> None:
    assert one(engine, "Thanks, excellent!", [Label("Positive"), Label("Negative")]) == ["Positive"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Postgres: the index that made every query slower", "databases"),
        ("A heap overflow in an image decoder gives remote code execution", "security"),
        ("What a language model learns last", "ai"),
        ("Ask HN: How do you prepare for interviews after parental leave?", "careers"),
        ("A telescope finds water on a small exoplanet", "science"),
        ("Qwerty zxcvb lorem", "other"),
    ],
)
def test_the_subject_follows_the_text(engine: OfflineEngine, text: str, expected: str) -> None:
    assert one(engine, text, SUBJECTS) == [expected]


def test_labels_that_name_no_known_subject_go_by_their_own_words(engine: OfflineEngine) -> None:
    labels = [Label("beekeeping", "hives, honey, queens"), Label("sailing", "boats, masts, tides")]
    assert one(engine, "Two of my hives lost their queens this spring", labels) == ["beekeeping"]


def test_several_labels_are_given_where_several_are_allowed(engine: OfflineEngine) -> None:
    text = "A malware hides in the weights of a language model\n\nThe backdoor runs when the neural network is loaded."
    assert set(one(engine, text, SUBJECTS, output_mode="multi")) == {"ai", "security"}
    assert len(one(engine, text, SUBJECTS)) == 1


def test_no_evidence_and_no_fallback_is_an_error_and_no_guess(engine: OfflineEngine) -> None:
    [answer] = engine.classify(["Qwerty zxcvb lorem"], SUBJECTS[:-1], {})
    assert answer.value is None
    assert answer.error is not None
    assert answer.error.startswith(f"{MODEL} has no method for")


def test_one_bad_row_leaves_the_others_alone(engine: OfflineEngine) -> None:
    answers = engine.classify([None, "", "Thanks, excellent!"], SENTIMENTS, {})
    assert [answer.error is None for answer in answers] == [False, False, True]


def test_the_model_is_always_its_own(engine: OfflineEngine) -> None:
    assert {engine.model("claude-haiku-4-5"), engine.model("")} == {MODEL} == {"offline-1"}
