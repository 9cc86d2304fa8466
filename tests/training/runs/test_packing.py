"""What callbacks keep comes back as it was, by way of JSON."""

import json

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.training.runs.packing import packed, unpacked

KEPT = {
    "numbers": [1, 2**80, 0.1, float("inf"), True, None, "é"],
    ("a", 1): (1, [2, (3,)]),
    7: {"inner": {"array": np.arange(6, dtype="int16").reshape(2, 3)}},
    "array": "a word of the format",
    "scalar": np.float32(0.1),
    "empty": {},
}


def test_it_comes_back():
    arrays = {}
    text = json.dumps(packed(KEPT, "callback.0", arrays))
    assert list(arrays) == ["callback.0.2.0.0"]
    found = unpacked(json.loads(text), arrays.__getitem__)
    assert found.keys() == KEPT.keys()
    for name in ("numbers", ("a", 1), "array", "empty"):
        assert found[name] == KEPT[name]
    assert [type(value) for value in found["numbers"]] == list(map(type, KEPT["numbers"]))
    assert found["scalar"] == np.float32(0.1)
    np.testing.assert_array_equal(found[7]["inner"]["array"], KEPT[7]["inner"]["array"])
    assert np.isnan(unpacked(json.loads(json.dumps(packed(np.nan, "", {}))), None))


STRANGE = [{1}, b"bytes", object(), 1j, [1, {"a": lambda: 1}]]


@pytest.mark.parametrize("value", STRANGE, ids=["set", "bytes", "object", "complex", "function"])
def test_what_cannot_be_kept(value):
    with pytest.raises(ub.UnsupportedError, match=r"must be numbers, strings and arrays.*got a"):
        packed({"one": value}, "callback.0", {})
