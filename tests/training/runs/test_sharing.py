"""The file of the first process reaches those that do not see its disk."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock

import numpy as np
import pytest

from unified_blocks.backend import Group
from unified_blocks.training.runs.sharing import of_the_first

PROCESSES = 3


class Thread(Group):
    """One of several threads that stand for processes."""

    def __init__(self, rank, sums, barrier, lock):
        self.rank, self.processes, self.size, self.mine = rank, PROCESSES, PROCESSES, range(1)
        self.sums, self.barrier, self.lock, self.calls = sums, barrier, lock, 0

    def sum(self, array):
        with self.lock:
            self.sums[self.calls] = self.sums.get(self.calls, 0) + np.array(array, "float64")
        self.barrier.wait(10)
        self.calls += 1
        return self.sums[self.calls - 1]

    def agree(self, net):
        raise AssertionError

    def close(self):
        raise AssertionError


def seen_by_all(folders):
    """What each process reads; each has a folder of its own."""
    sums, barrier, lock = {}, Barrier(PROCESSES), Lock()

    def read(rank):
        file = folders[rank] / "run.bin"
        with of_the_first(Thread(rank, sums, barrier, lock), file) as found:
            return None if found is None else found.read_bytes()

    with ThreadPoolExecutor(PROCESSES) as pool:
        return list(pool.map(read, range(PROCESSES)))


@pytest.mark.parametrize("length", [1, 3, 4, 1001])
def test_all_read_what_the_first_has(tmp_path, length):
    folders = [tmp_path / str(i) for i in range(PROCESSES)]
    for folder in folders:
        folder.mkdir()
    data = np.random.default_rng(length).bytes(length)
    (folders[0] / "run.bin").write_bytes(data)
    (folders[1] / "run.bin").write_bytes(b"of another training")
    assert seen_by_all(folders) == [data] * PROCESSES
    assert (folders[1] / "run.bin").read_bytes() == b"of another training"


def test_there_is_none(tmp_path):
    folders = [tmp_path / str(i) for i in range(PROCESSES)]
    folders[2].mkdir()
    (folders[2] / "run.bin").write_bytes(b"of another training")
    assert seen_by_all(folders) == [None] * PROCESSES
    with of_the_first(None, tmp_path / "2" / "run.bin") as found:
        assert found.read_bytes() == b"of another training"
