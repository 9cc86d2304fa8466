"""Records made by hand, as three backends that agree would give."""

import numpy as np

from unified_blocks.equivalence.matrix.records import Entry, Record
from unified_blocks.equivalence.modes import MODES
from unified_blocks.equivalence.watching import Call

DTYPES = ("float64", "float32")
NAMES = {
    "forward": ("state/a.weight", "output", "input"),
    "train": ("output",),
    "gradient": ("gradient/a.weight", "gradient/x"),
    "training": ("loss", "state/a.weight"),
    "compiled": ("output",),
    "saved": ("state/a.weight", "output"),
}
CALLS = {"forward": ("a", "b#1", "b#2", "(model)"), "train": ("a", "(model)")}


def entry_of(case, dtype, mode):
    """An entry of that mode, the same each time."""
    generator = np.random.default_rng(len(case) + 10 * DTYPES.index(dtype))
    arrays = {name: generator.normal(size=(3, 4)).astype(dtype) for name in NAMES[mode]}
    known = arrays.keys() - ({"state/a.weight"} if mode == "forward" else set())
    calls = []
    for at, name in enumerate(CALLS.get(mode, ())):
        x, y = (generator.normal(size=(3, 4)).astype(dtype) for _ in range(2))
        times = {"start": 2 * at + 1, "end": 2 * at + 2}
        if name == "(model)":
            y, times = arrays["output"].copy(), {"start": 0, "end": 2 * at + 1}
        path = "" if name == "(model)" else name.partition("#")[0]
        calls.append(
            Call(name, path, None, "Dense", [x], [y], [dtype], input_dtypes=[dtype], **times)
        )
    expected = {name: arrays[name].astype("float64") for name in known}
    return Entry(arrays=arrays, expected=expected, calls=calls)


def record_of(backend="one", cases=("A", "BB"), dtypes=DTYPES, modes=MODES, **about):
    fields = {"device": "cpu", "framework": "1.0", "library": "0.1.0", "source": "s"}
    fields |= {"platform": "p", "python": "3.11", "numpy": "2.0", **about}
    digests, seeds = {case: f"digest of {case}" for case in cases}, dict.fromkeys(cases, 1)
    record = Record(backend, **fields, cases=digests, seeds=seeds)
    for case in cases:
        for dtype in dtypes:
            for mode in modes:
                record.entries[case, dtype, mode] = entry_of(case, dtype, mode)
    return record


def three():
    return [record_of(name) for name in ("one", "two", "three")]
