"""The watch: who has ended is told to all, by sockets alone."""

import threading
import time
from contextlib import suppress

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.backend import Alone, Group
from unified_blocks.training.workers.watch import Watch, address_towards, watching


class Threads(Group):
    """Workers that are threads of this process, and add up by what they share."""

    def __init__(self, rank, shared):
        self.rank, self.shared = rank, shared
        self.processes = self.size = shared.parties
        self.mine, self.host = range(rank, rank + 1), f"host{rank}"

    def sum(self, array):
        with self.shared.lock:
            self.shared.total = self.shared.total + np.asarray(array, "float64")
        self.shared.wait()
        return self.shared.total

    def agree(self, net): ...

    def close(self): ...


def watches(count, **times):
    """The watch of each of some workers, connected."""
    shared = threading.Barrier(count)
    shared.lock, shared.total, made = threading.Lock(), 0, [None] * count

    def make(rank):
        made[rank] = Watch(Threads(rank, shared), **times)

    threads = [threading.Thread(target=make, args=(rank,)) for rank in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert all(made)
    return made


@pytest.fixture
def three(request):
    made = watches(3, **getattr(request, "param", {}))
    yield made
    for watch in made:
        watch.close()


def vanish(watch):
    """What the kernel does for a process that is killed."""
    watch.closed.set()
    for line in list(watch.lines):
        with suppress(OSError):
            line.connection.shutdown(2)


def told(watch, seconds=10):
    assert watch.noticed.wait(seconds)
    return watch.lost()


@pytest.mark.parametrize("rank", range(3))
def test_all_others_are_told_who_has_ended(three, rank, capsys):
    assert [watch.lost() for watch in three] == [None] * 3
    deadline = time.monotonic() + 5
    while not all(line.who.startswith("worker") for line in three[0].lines):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    vanish(three[rank])
    others = [watch for watch in three if watch is not three[rank]]
    for watch in others:
        assert told(watch).startswith(f"worker {rank} of 3 (host{rank}, process ")
        assert watch.lost().endswith("has ended")
        words = f"got worker {rank} of 3.*checkpoint="
        with pytest.raises(ub.WorkerLostError, match=words), watch.guarding():
            pass
    assert f"worker {rank} of 3" in capsys.readouterr().err


def test_who_says_goodbye_is_not_lost(three):
    """It has done all that the others are still in."""
    with three[0].guarding(), three[2].guarding():
        with three[1].guarding(), three[1].guarding():  # the inner one is a part of it
            pass
        three[1].close()
        time.sleep(0.3)
    assert three[0].lost() is three[2].lost() is None


@pytest.mark.parametrize("rank", range(3))
def test_who_leaves_before_the_others_have_done_is_lost(three, rank, monkeypatch):
    """As by `sys.exit`, which nobody can tell from an end: it has done less than they need."""
    ended = []
    monkeypatch.setattr("os._exit", ended.append)
    others = [watch for watch in three if watch is not three[rank]]
    with others[0].guarding(), others[1].guarding():
        with pytest.raises(SystemExit), three[rank].guarding():
            raise SystemExit(3)
        three[rank].at_exit()
        for watch in others:
            assert told(watch).startswith(f"worker {rank} of 3")
            assert watch.lost().endswith("has ended")
    assert ended == [3]  # it does not wait for those who are lost now


def test_all_may_leave_together(three, monkeypatch):
    monkeypatch.setattr("os._exit", lambda status: pytest.fail("one was lost"))
    for watch in three:
        with pytest.raises(SystemExit), watch.guarding():
            raise SystemExit
    threads = [threading.Thread(target=watch.at_exit) for watch in three]
    for thread in threads:
        thread.start()
        time.sleep(0.2)  # the others have heard its goodbye
    for thread in threads:
        thread.join(5)
    assert [watch.lost() for watch in three] == [None] * 3
    assert all(watch.closed.is_set() for watch in three)


@pytest.mark.parametrize("rank", [0, 1])
def test_what_needs_who_has_left_is_an_error_at_once(three, rank):
    three[rank].close()
    time.sleep(0.3)
    other = three[1 - rank]
    assert other.lost() is None
    words = f"got worker {rank} of 3.*has ended: start all again"
    with pytest.raises(ub.WorkerLostError, match=words), other.guarding():
        pass
    if rank == 1:  # the first tells all
        assert told(three[2]).startswith("worker 1 of 3")


@pytest.mark.parametrize("three", [{"silence": 0.6, "pulse": 0.1}], indirect=True)
def test_who_is_silent_is_lost(three):
    time.sleep(1)
    assert three[1].lost() is None  # all speak
    three[2].pulse = 1000
    for watch in three[:2]:
        assert told(watch).endswith("has been silent for 0.6 s")


def test_the_error_of_the_framework_is_the_cause(three):
    vanish(three[2])
    failure = RuntimeError("connection closed by peer")
    told(three[0])
    three[0].reason, reason = None, three[0].reason  # it had not come when the call began

    def fail():
        three[0].reason = reason
        raise failure

    with pytest.raises(ub.WorkerLostError) as caught, three[0].guarding():
        fail()
    assert caught.value.__cause__ is failure


def test_an_error_while_all_are_there_stays_what_it_is(three):
    began = time.monotonic()
    with pytest.raises(KeyError, match="own"), three[0].guarding():
        {}["own"]
    assert time.monotonic() - began < 8


def test_a_process_alone_has_no_watch():
    group = Alone()
    watching(group)
    assert group.watch is None
    with group.guarding():
        pass
    assert address_towards("127.0.0.1") == "127.0.0.1"
