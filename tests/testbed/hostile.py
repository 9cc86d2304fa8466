"""Damaged files: each is refused by a `FileFormatError` or readable, soon and in little memory."""

import os
import resource
import time
import tracemalloc
from random import Random

from hypothesis import HealthCheck, settings

from unified_blocks.errors import FileFormatError

SOAK = bool(os.environ.get("UNIFIED_BLOCKS_SOAK"))
MUTATIONS = 10_000 if SOAK else 500
EACH_SEED = settings(
    max_examples=MUTATIONS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""Of a test that takes the seed of a mutation: the same seeds every time."""
SECONDS = 5.0
"""What one file may take at most, on a slow machine: a hang is meant, not a timing."""

MEBIBYTES = 8
"""What one file may take beyond ten times its size: NumPy, the interpreter and small files."""


def read_all(module, path):
    """Everything in the file `path`, or None if it is refused. Nothing else may be raised."""
    try:
        state = module.read(path)
        return {name: state[name].tobytes() for name in state}
    except FileFormatError as error:
        message = str(error)
        assert str(path) in message, message
        assert "must" in message, message
        assert "; got " in message, message
        return None


def measured(module, path):
    """`read_all`, of which time and memory are looked at."""
    most = 10 * path.stat().st_size + MEBIBYTES * 2**20
    resident, started = _most_resident(), time.process_time()
    tracemalloc.start()
    try:
        found = read_all(module, path)
        allocated = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < SECONDS  # of its own: others may be at work
    assert allocated < most
    assert _most_resident() - resident < most + MEBIBYTES * 2**20  # libraries in C are seen here
    return found


def _most_resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def mutated(data: bytes, seed: int) -> bytes:
    """`data` with some bytes changed, cut out, doubled or put in, as `seed` says."""
    random = Random(seed)
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        at = random.randrange(len(changed))
        kind = random.randrange(6)
        if kind == 0:
            changed[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            changed[at] = random.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
        elif kind == 2:
            size = random.choice((2, 4, 8))
            changed[at : at + size] = random.choice((b"\xff", b"\0", b"\x7f")) * size
        elif kind == 3:
            del changed[at : at + random.randrange(1, 9)]
        elif kind == 4:
            start = random.randrange(len(changed))
            changed[at:at] = changed[start : start + random.randrange(1, 64)]
        else:
            changed[at] = random.randrange(256)
        if not changed:
            return b"\0"
    return bytes(changed)


def every_truncation(module, path, data, step=1):
    """Reads each beginning of `data`; returns how many of them were not refused."""
    accepted = 0
    for size in range(0, len(data), step):
        path.write_bytes(data[:size])
        accepted += read_all(module, path) is not None
    return accepted
