"""The loopback server keeps its word: what tests rely on when they rely on its weather."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.servers import LoopbackServer, Page, Weather, World
from tests.servers.faults import BOMB_BYTES
from tests.servers.material import day_of_stories
from tests.servers.web import article

Serve = Callable[..., LoopbackServer]
START = 1_760_000_000


def _search(server: LoopbackServer, **params: object) -> dict[str, object]:
    asked = {"tags": "(story,poll,job)", "hitsPerPage": 1000, **params}
    answer: dict[str, object] = httpx.get(f"{server.algolia_url}/search_by_date", params=asked).json()
    return answer


def test_a_search_gives_a_thousand_hits_and_past_them_none_and_a_message(serve: Serve) -> None:
    server = serve(World.of(day_of_stories(1_200, START)))
    first, second = _search(server), _search(server, page=1)
    assert (len(first["hits"]), first["nbHits"]) == (1_000, 1_200)  # type: ignore[arg-type]
    assert (second["hits"], second["nbHits"]) == ([], 0)
    assert "1000 hits" in str(second["message"])


def test_numeric_filters_bound_a_search_at_both_ends(serve: Serve) -> None:
    server = serve(World.of(day_of_stories(10, START, seconds=100)))  # one every ten seconds
    found = _search(server, numericFilters=f"created_at_i>={START + 10},created_at_i<{START + 40}")
    assert found["nbHits"] == 3


def test_old_hits_carry_explicit_nulls_and_new_ones_leave_keys_out(serve: Serve) -> None:
    world = World.of([{"id": 1, "type": "story", "time": START, "title": "T"}])
    [old] = _search(serve(world, shape="old"))["hits"]  # type: ignore[misc]
    [new] = _search(serve(world))["hits"]  # type: ignore[misc]
    assert old["url"] is None
    assert "url" not in new
    assert {"children", "story_id", "updated_at"} <= new.keys()
    assert old["objectID"] == new["objectID"] == "1"


def test_sites_are_told_apart_by_their_host_name(serve: Serve) -> None:
    server = serve(World(pages={"one.example/": Page(b"the one")}), make_page=article)
    url = f"http://127.0.0.1:{server.port}"
    assert httpx.get(f"{url}/", headers={"Host": "one.example"}).text == "the one"
    assert "two.example" in httpx.get(f"{url}/a", headers={"Host": "two.example:80"}).text
    assert httpx.get(f"{url}/robots.txt", headers={"Host": "one.example"}).status_code == 404


def test_the_same_seed_gives_the_same_weather_in_whatever_order_it_is_asked() -> None:
    urls = [f"/item/{number}.json" for number in range(2_000)]
    one, other = Weather({"503": 0.2, "hang": 0.05}, seed=3), Weather({"503": 0.2, "hang": 0.05}, seed=3)
    met = {url: one.fault(url) for url in urls}
    assert met == {url: other.fault(url) for url in reversed(urls)}
    assert 340 < list(met.values()).count("503") < 460
    assert 70 < list(met.values()).count("hang") < 130


def test_weather_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="no such weather: hail"):
        Weather({"hail": 0.1})


@pytest.mark.parametrize("status", ["429", "503"])
def test_a_server_that_is_too_busy_says_when_to_come_again(serve: Serve, status: str) -> None:
    server = serve(World(), Weather({status: 1.0}, retry_after=7))
    answer = httpx.get(f"{server.firebase_url}/maxitem.json")
    assert (str(answer.status_code), answer.headers["Retry-After"]) == (status, "7")


def test_a_bomb_is_small_until_it_is_unpacked(serve: Serve) -> None:
    server = serve(World(), Weather({"bomb": 1.0}))
    with httpx.stream("GET", f"{server.firebase_url}/maxitem.json", timeout=30) as answer:
        assert int(answer.headers["Content-Length"]) < BOMB_BYTES / 500
        assert answer.headers["Content-Encoding"] == "gzip"


def test_a_redirect_to_a_private_address_names_one(serve: Serve) -> None:
    server = serve(World(), Weather({"redirect_private": 1.0}))
    answer = httpx.get(f"http://127.0.0.1:{server.port}/", headers={"Host": "a.example"})
    assert answer.headers["Location"].startswith("http://169.254.169.254/")
