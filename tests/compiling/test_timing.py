"""Paired timing: who is called how often and in which order, and what is made of the times."""

import gc
from itertools import count

import numpy as np
import pytest

from unified_blocks.compiling import timing
from unified_blocks.compiling.timing import WARM_UP, ratio, time_in_turn


@pytest.fixture
def clock(monkeypatch):
    """A clock that calls can move."""
    now = [0.0]
    monkeypatch.setattr(timing, "perf_counter", lambda: now[0])
    return now


def taking(clock, seconds):
    def call():
        clock[0] += seconds

    return call


def test_times_are_of_one_call(clock):
    times = time_in_turn([taking(clock, 2.0), taking(clock, 3.0)], rounds=5)
    np.testing.assert_array_equal(times, [[2.0, 3.0]] * 5)


def test_short_calls_are_repeated_alike_until_the_sample_is_full(clock):
    calls = {"a": 0, "b": 0}

    def counted(name, seconds):
        def call():
            calls[name] += 1
            clock[0] += seconds

        return call

    times = time_in_turn([counted("a", 0.25), counted("b", 0.5)], rounds=4, sample=1.0)
    np.testing.assert_array_equal(times, [[0.25, 0.5]] * 4)
    assert calls == dict.fromkeys("ab", WARM_UP + 1 + 4 * 4)  # one tells how long it takes


def test_what_waits_counts_for_the_call_that_began_it(clock):
    begun = []

    def finish():
        clock[0] += sum(begun)
        begun.clear()

    calls = [lambda: begun.append(1.0), lambda: begun.append(4.0)]
    np.testing.assert_array_equal(time_in_turn(calls, rounds=3, finish=finish), [[1.0, 4.0]] * 3)


def test_each_follows_each_other_one(clock):
    order = []
    calls = [lambda i=i: (order.append(i), taking(clock, 1.0)()) for i in range(3)]
    time_in_turn(calls, rounds=60)
    rounds = np.array(order[-180:]).reshape(60, 3)
    assert (np.sort(rounds, axis=1) == [0, 1, 2]).all()
    pairs = [(a, b) for _, a, b in rounds] + [(a, b) for a, b, _ in rounds]
    assert {pairs.count(pair) for pair in set(pairs)} <= set(range(10, 31))
    assert len(set(pairs)) == 6


def test_the_collector_is_off_meanwhile_and_on_again_after_an_error(clock):
    seen = []
    numbers = count()

    def call():
        seen.append(gc.isenabled())
        clock[0] += 1.0
        if next(numbers) > WARM_UP + 1:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        time_in_turn([call], rounds=3)
    assert seen[: WARM_UP + 1] == [True] * (WARM_UP + 1)
    assert seen[-1] is False
    assert gc.isenabled()


def test_the_ratio_is_of_pairs_and_not_of_averages():
    """The machine gets ten times slower half-way: the pairs do not mind."""
    speed = np.repeat([1.0, 10.0], 50)
    found = ratio(1.25 * speed, speed)
    assert (found.median, found.low, found.high, found.pairs) == (1.25, 1.25, 1.25, 100)
    assert str(found) == "1.250 [1.250, 1.250]"


def test_the_interval_holds_the_median_in_about_95_of_100_cases():
    generator = np.random.default_rng(0)
    inside = 0
    for _ in range(300):
        found = ratio(generator.lognormal(0.1, 0.2, 60), np.ones(60))
        inside += found.low <= np.exp(0.1) <= found.high
    assert 0.90 < inside / 300 < 0.99
