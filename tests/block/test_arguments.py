"""What the constructors of this library do with their arguments, before their own code runs."""

import re

import pytest

from unified_blocks.block.arguments import Arguments, checked


class Layer:
    def __init__(self, units, dtype=None, rate=0.5, *, activation=None):
        if activation == "relu":
            raise TypeError("of the constructor's own code")
        self.got = (units, dtype, rate, activation)


class Checked(Layer):
    __init__ = checked(Layer.__init__, lambda name: f"native {name}")


@pytest.mark.parametrize(
    ("positional", "keywords", "got"),
    [
        ((3,), {}, (3, "native float32", 0.5, None)),
        ((3, "float64"), {}, (3, "native float64", 0.5, None)),
        ((3, None, 0.25), {}, (3, "native float32", 0.25, None)),
        ((3,), {"rate": 0.25, "dtype": "float16"}, (3, "native float16", 0.25, None)),
        ((), {"units": 3, "activation": "tanh"}, (3, "native float32", 0.5, "tanh")),
    ],
)
def test_the_dtype_is_native_wherever_it_is_given(positional, keywords, got):
    assert Checked(*positional, **keywords).got == got


@pytest.mark.parametrize(
    ("positional", "keywords", "message"),
    [
        ((), {}, "missing a required argument: 'units'"),
        ((3, "float64", 0.5, "tanh"), {}, "too many positional arguments"),
        ((3, "float64"), {"dtype": "float64"}, "multiple values for argument 'dtype'"),
        ((3,), {"width": 3}, "got an unexpected keyword argument 'width'"),
    ],
)
def test_arguments_that_do_not_fit_are_named_with_the_signature(positional, keywords, message):
    with pytest.raises(TypeError, match=re.escape("Checked(units, dtype=None, ")) as raised:
        Checked(*positional, **keywords)
    assert str(raised.value).endswith(message)


def test_an_error_of_the_constructor_itself_is_left_alone():
    with pytest.raises(TypeError, match=r"^of the constructor's own code$"):
        Checked(3, activation="relu")


@pytest.mark.parametrize(
    ("positional", "keywords", "error"),
    [
        ((True,), {}, TypeError),
        ((0,), {}, ValueError),
        ((3, "int8"), {}, ValueError),
        ((3, None, 1.0), {}, ValueError),
        ((3,), {"rate": -0.5}, ValueError),
        ((3,), {"activation": "softmax"}, ValueError),
    ],
)
def test_an_argument_is_held_to_its_rule_wherever_it_is_given(positional, keywords, error):
    with pytest.raises(error, match="got "):
        Checked(*positional, **keywords)


def test_a_record_holds_its_own_lists():
    sizes = [3, [4]]
    recorded = Arguments.record(Layer, (sizes, "float64"), {})
    sizes[1].append(5)
    assert recorded.positional == ([3, [4]],)
    assert recorded.keywords == {"dtype": "float64"}


def test_a_record_is_pickled_by_its_names():
    """As blocks in older pickles are."""
    recorded = Arguments.record(Layer, (3, "float64"), {})
    assert recorded.__reduce_ex__(2)[2] == vars(recorded)
