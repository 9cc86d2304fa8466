"""`doctor` tells when a framework's threads cost more than they give."""

from contextlib import contextmanager

import pytest

import unified_blocks as ub
from unified_blocks.cli import threads


def test_each_is_measured_where_it_can_be_changed(backend_name, backend):
    found = threads.cost_of_threads(backend)
    if backend_name != "torch":
        assert found is None
        return
    several, one = found
    assert 0 < one < 1
    assert 0 < several < 1


def test_one_thread_is_one_and_for_the_while_only(backend_name, backend):
    if backend_name != "torch":
        pytest.skip("its threads are settled when it is imported")
    import torch

    before = torch.get_num_threads()
    seen = []

    def failing():
        with backend.one_thread():
            seen.append(torch.get_num_threads())
            raise LookupError

    with pytest.raises(LookupError):
        failing()
    assert (seen, torch.get_num_threads()) == ([1], before)


def test_steps_are_timed_in_turn(backend_name, monkeypatch):
    """By a clock of our own, on which a step with all threads takes twelve times as long."""
    now, slow = [0.0], [True]

    class Slow(type(ub.get_backend(backend_name))):
        @contextmanager
        def one_thread(self):
            slow[0] = False
            yield
            slow[0] = True

    class Steps:
        def __init__(self, *arguments, **options):
            pass

        def step(self, x, y):
            now[0] += 0.012 if slow[0] else 0.001

    monkeypatch.setattr(threads, "Trainer", Steps)
    monkeypatch.setattr(threads.time, "perf_counter", lambda: now[0])
    assert threads.cost_of_threads(Slow()) == pytest.approx((0.012, 0.001))
    assert "takes 12.00 ms with its threads and 1.00 ms with one" in threads.advice(Slow())


@pytest.mark.parametrize(("found", "told"), [(None, False), ((2.9, 1), False), ((3.1, 1), True)])
def test_what_costs_little_is_not_told(backend, monkeypatch, found, told):
    monkeypatch.setattr(threads, "cost_of_threads", lambda backend: found)
    assert bool(threads.advice(backend)) == told
