"""Stored results are data: nothing in result storage is executed, and a foreign record is computed again."""

from __future__ import annotations

import ast
import base64
import importlib
import json
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hnintel.ingest.articles import ArticleReading, Wanted
from hnintel.ingest.scraping import Lost, Scraped
from hnintel.models import Comment, Item
from tests.conftest import ROOT

DAY = date(2026, 10, 22)


class Attack:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.mark,)


def pickled(mark: Path) -> str:
    return base64.encodebytes(cloudpickle.dumps(Attack(mark))).decode()


def compressed(mark: Path) -> str:
    import lzma

    return base64.encodebytes(lzma.compress(pickled(mark).encode())).decode()


#: What an attacker writes: the serializer that the metadata names (None: none), and the result.
ATTACKS: dict[str, tuple[dict[str, Any] | None, Callable[[Path], str]]] = {
    "pickle": ({"type": "pickle", "picklelib": "cloudpickle"}, pickled),
    "no serializer, which is pickle": (None, pickled),
    "compressed pickle": ({"type": "compressed/pickle"}, compressed),
    "compressed": ({"type": "compressed", "serializer": {"type": "pickle"}}, compressed),
    "json of a class": (
        {"type": "json"},
        lambda mark: json.dumps({"__class__": "subprocess.getoutput", "data": {"cmd": f"touch {mark}"}}),
    ),
    "json by another decoder": (
        {"type": "json", "object_decoder": "subprocess.getoutput"},
        lambda mark: json.dumps({f"touch {mark}": 1}),
    ),
}


@dataclass
class Kept:
    """A task with stored results, and arguments to run it."""

    task: Any
    arguments: dict[str, Any]
    prefix: str


@pytest.fixture(params=["scrape", "read"])
def kept(request: pytest.FixtureRequest, small_dump: Path) -> Kept:
    from tasks import articles, ingest

    source = {"source": f"replay:{small_dump}", "identity": str(small_dump), "day": DAY}
    if request.param == "scrape":
        return Kept(ingest.scrape, {"ids": [100, 201], **source}, "items-")
    wanted = [Wanted("https://pump.example/", "https://pump.example/")]
    return Kept(articles.read, {"wanted": wanted, **source}, "articles-")


@pytest.fixture
def results(tmp_path: Path, prefect_server: None, home: Path) -> Iterator[Path]:
    """A separate result storage."""
    from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings

    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: str(tmp_path / "results")}):
        yield tmp_path / "results"


def run(kept: Kept) -> tuple[str, Any]:
    """Run within a flow; return the name of the task's final state, and its result."""
    state = kept.task(**kept.arguments, return_state=True)
    return state.name, state.result()


def in_flow(body: Callable[[], None]) -> None:
    """Run *body* in a single flow run, which takes longer to start than many tasks."""
    from prefect import flow

    flow(name="kept")(body)()


def record(results: Path, kept: Kept) -> Path:
    (found,) = [path for path in results.glob(f"{kept.prefix}*") if path.suffix != ".meta"]
    return found


def test_a_stored_result_is_not_computed_again(results: Path, kept: Kept) -> None:
    def body() -> None:
        first, read = run(kept)
        again, same = run(kept)
        assert (first, again) == ("Completed", "Cached")
        assert same == read
        assert type(same) is type(read)
        if isinstance(read, list):
            assert [type(one) for one in same] == [type(one) for one in read]
        assert b"pickle" not in record(results, kept).read_bytes()

    in_flow(body)


def planted(attack: str, path: Path, mark: Path) -> dict[str, Any]:
    """Return the record of an attack that creates *mark*, in Prefect's format."""
    serializer, plant = ATTACKS[attack]
    metadata = {"storage_key": str(path), "expiration": None, "prefect_version": "3.8.8"}
    return {"metadata": metadata | ({"serializer": serializer} if serializer else {}), "result": plant(mark)}


@pytest.mark.parametrize("attack", ATTACKS)
def test_prefect_itself_runs_what_is_planted(attack: str, tmp_path: Path) -> None:
    """The control: only our reader refuses what the next test sees refused."""
    from prefect.results import ResultRecord

    mark = tmp_path / "ran"
    with suppress(Exception):  # what it comes to is no result, but it ran
        ResultRecord.deserialize(json.dumps(planted(attack, tmp_path, mark)).encode())
    assert mark.exists()


def test_a_planted_record_is_refused_unread_and_the_task_runs_again(results: Path, kept: Kept, tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    def body() -> None:
        _, read = run(kept)
        path = record(results, kept)
        beside = path.with_name(f"{path.name}.meta")
        for attack in ATTACKS:
            whole = planted(attack, path, mark)
            for result, metadata in (
                (json.dumps(whole), None),  # as Prefect keeps a record where no policy of ours is
                (whole["result"], json.dumps(whole["metadata"])),
                (json.dumps(whole), json.dumps(whole["metadata"])),
                (whole["result"], beside.read_text()),  # only the result was replaced
            ):
                path.write_text(result)
                if metadata is None:
                    beside.unlink()
                else:
                    beside.write_text(metadata)
                found = run(kept)
                assert not mark.exists(), attack
                assert found == ("Completed", read), attack
        assert run(kept) == ("Cached", read)

    in_flow(body)


def test_a_damaged_record_is_computed_again(results: Path, kept: Kept) -> None:
    def body() -> None:
        _, read = run(kept)
        path = record(results, kept)
        for content in (b"", b"\xff", b"[]", b"{}", b"null", b"[" * 100_000):
            for damaged in (path, path.with_name(f"{path.name}.meta")):
                damaged.write_bytes(content)
                assert run(kept) == ("Completed", read), content[:10]

    in_flow(body)


def test_every_task_that_is_kept_is_kept_as_typed_json_and_no_flow_is() -> None:
    from prefect import Flow, Task
    from prefect.cache_policies import NO_CACHE

    import flows
    import tasks
    from tasks.kept_results import KeptRecords, TypedJSON

    found = {}
    for package in (tasks, flows):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for name, thing in vars(importlib.import_module(module.name)).items():
                if isinstance(thing, Flow):
                    assert thing.persist_result is False, name
                if isinstance(thing, Task) and (thing.persist_result or thing.cache_policy != NO_CACHE):
                    found[thing.name] = thing
    assert set(found) == {"scrape", "read"}
    for task in found.values():
        assert isinstance(task.result_serializer, TypedJSON)
        assert isinstance(task.cache_policy.key_storage, KeptRecords)
        assert task.cache_policy.key_storage.serializer is task.result_serializer


def test_no_module_of_ours_loads_pickles() -> None:
    """Loading a pickle executes its content: the modules that load pickles, including numpy's and multiprocessing's."""
    modules = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "pickletools", "_pickle"}
    calls = {"allow_pickle", "read_pickle", "recv", "PickleSerializer", "CompressedPickleSerializer"}
    found = []
    for folder in ("flows", "tasks", "hnintel", "deployments"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names: set[str] = set()
                if isinstance(node, ast.Import):
                    names = {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    names = {(node.module or "").partition(".")[0]}
                elif isinstance(node, ast.Attribute):
                    names = {node.attr} & calls
                elif isinstance(node, ast.keyword):
                    names = {node.arg or ""} & calls
                if names & (modules | calls):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {names}")
    assert found == []


# Times as the warehouse has them, and text as parsers give it: no half of a surrogate pair.
_text = st.text(st.characters(codec="utf-8"), max_size=8)
_times = st.none() | st.datetimes()
_items = st.builds(
    Item, id=st.integers(), day=st.dates(), type=st.none() | _text, title=st.none() | _text, posted_at=_times
)
_comments = st.builds(Comment, id=st.integers(), text=st.none() | _text, posted_at=_times)
_lost = st.builds(Lost, _text, _text, _text)
_counts = st.dictionaries(_text, st.integers(), max_size=3).map(Counter)
_losses = st.lists(_lost, max_size=2)
_scraped = st.builds(
    Scraped, st.lists(_items, max_size=3), st.lists(_comments, max_size=2), _losses, _losses, _counts, _counts
)
_articles = st.builds(
    ArticleReading,
    canonical_url=_text,
    url=_text,
    http_status=st.none() | st.integers(),
    text=st.none() | _text,
    published_on=st.none() | st.dates(),
    retry_at=_times,
    etag=st.none() | _text,
    unchanged=st.booleans(),
)


@given(_scraped)
def test_a_scraped_chunk_comes_back_exactly(scraped: Scraped) -> None:
    from tasks.kept_results import SCRAPED

    found = SCRAPED.loads(SCRAPED.dumps(scraped))
    assert found == scraped
    assert {type(one) for one in (found.new_fields, found.missing_fields)} == {Counter}
    assert [one.content_hash() for one in found.items] == [one.content_hash() for one in scraped.items]


@given(st.lists(_articles, max_size=3))
def test_articles_come_back_exactly(articles: list[ArticleReading]) -> None:
    from tasks.kept_results import ARTICLES

    assert ARTICLES.loads(ARTICLES.dumps(articles)) == articles


def test_an_error_is_kept_by_its_name_alone_and_is_no_result() -> None:
    from tasks.kept_results import ARTICLES, SCRAPED

    for serializer in (ARTICLES, SCRAPED):
        kept = serializer.dumps(ValueError("a page's words"))
        assert kept == b'{"error": "ValueError"}'
        with pytest.raises(ValidationError):
            serializer.loads(kept)


def test_a_time_with_a_microsecond_is_the_same_time_after(tmp_path: Path) -> None:
    from tasks.kept_results import ARTICLES

    when = datetime(2026, 10, 22, 1, 2, 3, 4)
    one = ArticleReading(canonical_url="a", url="a", status="retry_at", retry_at=when)
    assert ARTICLES.loads(ARTICLES.dumps([one])) == [one]
