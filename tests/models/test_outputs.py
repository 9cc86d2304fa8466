"""What is found in an output, and what of two outputs belongs together."""

from dataclasses import dataclass, field
from typing import Any

import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.structures import Hidden, Marks, Span
from unified_blocks.models.outputs import in_numpy, leaves, output_of, paired, shown


def names(value):
    return [shown(place) for place, _ in leaves(value)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (1, [""]),
        ([1], [""]),
        ((1, 2), ["[0]", "[1]"]),
        ((1, (2, [3])), ["[0]", "[1]", "[2]"]),
        ({"y": 1, "a b": 2, 3: 4}, [".y", "['a b']", "[3]"]),
        (Span(1, (2, 3)), [".start", ".end[0]", ".end[1]"]),
        (Marks(1, {"x": 2}), [".start", ".end.x"]),
        ([{"x": 1}, {"x": 2}], ["[0].x", "[1].x"]),
        ((1, None), ["[0]", "[1]"]),
        ([], []),
        ({}, []),
        ("words", [""]),
    ],
)
def test_a_leaf_has_the_name_of_its_place(value, found):
    assert names(value) == found


def test_a_class_of_fields_is_not_an_output():
    assert names(Marks) == [""]


def test_a_field_that_was_never_set_is_none():
    @dataclass
    class Late:
        value: Any = field(init=False)

    assert names(Late()) == [".value"]


def pairs(a, b):
    places = [[place for place, _ in leaves(value)] for value in (a, b)]
    return paired(*places)


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        (1, (2,), [(0, 0)]),
        (1, {"y": 2}, [(0, 0)]),
        ({"x": 1}, {"y": 2}, [(0, None), (None, 0)]),
        (1, (2, 3), [(0, 0), (None, 1)]),
        ({"x": 1, "y": 2}, {"y": 3, "x": 4}, [(0, 1), (1, 0)]),
        (Span(1, 2), (3, 4), [(0, 0), (1, 1)]),
        (Span(1, 2), {"end": 3, "start": 4}, [(0, 1), (1, 0)]),
        ({"x": 1, "y": 2}, (3, 4), [(0, None), (1, None), (None, 0), (None, 1)]),
        ({"x": (1, 2)}, {"x": 3}, [(0, 0), (1, None)]),
        ((1, (2, 3)), (4, 5, 6), [(0, 0), (1, 1), (2, 2)]),
        ([{"x": 1}, {"x": 2}], [{"x": 3}], [(0, None), (1, None), (None, 0)]),
    ],
)
def test_leaves_of_one_place_belong_together(a, b, found):
    assert pairs(a, b) == found


def test_arrays_and_dtypes_are_those_of_the_tensors(backend_name, backend):
    x = backend.from_numpy(normal(2, 3))
    y = backend.from_numpy(normal(4, dtype="float64"))
    arrays, dtypes = in_numpy(backend, Marks(x, {"y": [None, y, 3]}))
    assert [array.shape for array in arrays] == [(2, 3), (4,)]
    assert dtypes == ["float32", "float64"]


def test_an_output_is_read_as_a_whole(backend_name, backend):
    x = backend.from_numpy(normal(2, 3))
    net = ub.Dense(3)
    found = output_of(backend, {"x": x, "n": 2, "cache": Hidden(x), "none": None}, net)
    assert [(leaf.place, leaf.dtype, leaf.plain) for leaf in found.leaves] == [
        (("x",), "float32", False),
        (("n",), "int64", True),
    ]
    assert found.unread == [".cache, a Hidden"]
    assert not found.is_tensor
    assert output_of(backend, x, net).is_tensor
