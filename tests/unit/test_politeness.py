"""Turns at a host, on a clock of the test's own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hnintel.web.host_limits import HostTurns, WaitedEnough


class Clock:
    """Time that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def turns(at_once: int = 1, delay: float = 0.0, most_waiting: float = 1e9) -> tuple[HostTurns, Clock]:
    clock = Clock()
    return HostTurns(at_once, delay, clock, clock.sleep, most_waiting), clock


async def test_requests_to_one_host_start_the_delay_apart_and_the_first_at_once() -> None:
    gate, clock = turns(delay=0.5)
    starts = []
    for _ in range(4):
        async with gate.turn("a.example"):
            starts.append(clock.now)
    assert starts == [0.0, 0.5, 1.0, 1.5]


async def test_the_pauses_at_a_host_are_bounded_all_together_and_others_are_not_held_up() -> None:
    gate, clock = turns(most_waiting=100)
    starts = []
    for _ in range(4):
        async with gate.turn("slow.example", 30):
            starts.append(clock.now)
    for _ in range(3):
        with pytest.raises(WaitedEnough):
            async with gate.turn("slow.example", 30):
                pass
    assert starts == [0.0, 30.0, 60.0, 90.0]
    async with gate.turn("other.example", 30):
        assert clock.now == 90


async def test_two_that_wait_side_by_side_make_one_pause_of_it() -> None:
    gate, _ = turns(at_once=2, most_waiting=100)
    begun = 0

    async def one() -> None:
        nonlocal begun
        async with gate.turn("slow.example", 30):
            begun += 1

    ended = await asyncio.gather(*(one() for _ in range(10)), return_exceptions=True)
    assert begun == 4
    assert [type(error) for error in ended if error] == [WaitedEnough] * 6


async def test_time_that_passes_by_itself_is_no_pause_of_a_host() -> None:
    gate, clock = turns(most_waiting=10)
    for _ in range(20):
        async with gate.turn("slow.example", 30):
            clock.now += 31


async def test_a_turn_that_is_refused_is_no_turn() -> None:
    gate, clock = turns(most_waiting=0)
    assert await _take(gate) == "had a turn"
    async with gate.turn("slow.example", 30):
        pass
    for _ in range(3):
        with pytest.raises(WaitedEnough):
            async with gate.turn("slow.example", 30):
                pass
    clock.now = 30
    async with gate.turn("slow.example", 30):
        assert clock.now == 30


async def test_other_hosts_do_not_wait() -> None:
    gate, clock = turns(delay=0.5)
    for host in ("a.example", "b.example", "c.example"):
        async with gate.turn(host):
            assert clock.now == 0.0


async def test_a_longer_delay_that_the_site_wants_is_kept_to_and_a_shorter_one_is_not() -> None:
    gate, clock = turns(delay=0.5)
    for wish in (3.0, 0.1, 0.1):
        async with gate.turn("a.example", wish):
            pass
    assert clock.now == 3.5


async def test_time_that_passed_by_itself_counts_as_waiting() -> None:
    gate, clock = turns(delay=0.5)
    async with gate.turn("a.example"):
        clock.now += 10
    async with gate.turn("a.example"):
        assert clock.now == 10


async def test_no_more_than_the_set_number_hold_a_turn_and_they_come_in_order() -> None:
    gate, _ = turns(at_once=2)
    holding, most, order = 0, 0, []

    async def one(number: int) -> None:
        nonlocal holding, most
        async with gate.turn("a.example"):
            holding += 1
            most = max(most, holding)
            order.append(number)
            await asyncio.sleep(0)
            holding -= 1

    await asyncio.gather(*(one(number) for number in range(20)))
    assert (most, order) == (2, list(range(20)))


async def test_whoever_gives_up_waiting_leaves_the_place_to_the_next() -> None:
    gate, _ = turns()
    async with gate.turn("a.example"):
        waiting = [asyncio.create_task(_take(gate)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    waiting[1].cancel()  # given its turn and taken out of the queue in the same moment
    await asyncio.gather(*waiting, return_exceptions=True)
    assert waiting[2].result() == "had a turn"
    assert await _take(gate) == "had a turn"


async def _take(gate: HostTurns) -> str:
    async with gate.turn("a.example"):
        return "had a turn"


async def test_a_failure_in_a_turn_gives_it_back() -> None:
    gate, _ = turns()
    for _ in range(3):
        try:
            async with gate.turn("a.example"):
                raise ValueError
        except ValueError:
            pass
    assert await _take(gate) == "had a turn"


def test_the_number_holds_across_threads_with_event_loops_of_their_own() -> None:
    gate, lock = HostTurns(2, 0.0), threading.Lock()
    holding, most, done = 0, 0, 0

    async def one() -> None:
        nonlocal holding, most, done
        async with gate.turn("a.example"):
            with lock:
                holding += 1
                most = max(most, holding)
            await asyncio.sleep(0.001)
            with lock:
                holding -= 1
                done += 1

    async def chunk() -> None:
        await asyncio.gather(*(one() for _ in range(10)))

    threads = [threading.Thread(target=lambda: asyncio.run(chunk())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (done, most) == (60, 2)


def test_a_host_rests_as_long_as_the_longest_it_asked_for() -> None:
    gate, clock = turns()
    assert gate.resting("a.example") == 0
    gate.rest("a.example", 60)
    gate.rest("a.example", 10)
    assert gate.resting("a.example") == 60
    clock.now = 61
    assert gate.resting("a.example") == 0
    assert gate.resting("b.example") == 0
