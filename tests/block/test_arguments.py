"""What the constructors of this library do with their arguments, before their own code runs."""

import re

import pytest

import unified_blocks as ub
from unified_blocks.block import construction
from unified_blocks.block.arguments import Arguments, dtype_by_name
from unified_blocks.block.construction import checked
from unified_blocks.block.origin import Origin


class Layer:
    def __init__(self, units, dtype=None, rate=0.5, *, activation=None):
        if activation == "relu":
            raise TypeError("of the constructor's own code")
        self.got = (units, dtype, rate, activation)


call = checked(Layer.__init__, lambda name: f"native {name}")


class Checked(Layer):
    check_arguments = ub.Block.check_arguments

    def __init__(self, *positional, **keywords):
        self._origin = Origin(Arguments())
        call(self, *dtype_by_name(Layer.__init__, positional, keywords))


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
    recorded = Arguments.of((sizes,), {"dtype": "float64"})
    sizes[1].append(5)
    assert recorded.positional == ([3, [4]],)
    assert recorded.keywords == {"dtype": "float64"}


def test_a_record_is_pickled_by_its_names():
    recorded = Arguments.of((3,), {"dtype": "float64"})
    assert recorded.__reduce_ex__(2)[2] == vars(recorded)


class Deep(ub.MLP):
    """Adds nothing: its constructor is that of `MLP`."""


class Portable(ub.Block):
    def __init__(self, units, dtype=None):
        super().__init__()
        self.body = None

    def forward(self, X):
        return X


@pytest.mark.parametrize(
    "make",
    [lambda: ub.MLP(5, 3), lambda: Deep(5, 3), lambda: Portable(3, "float64"), ub.MySequential],
    ids=["native", "inherited", "portable", "variadic"],
)
def test_the_arguments_of_a_constructor_are_parsed_once(backend_name, make, monkeypatch):
    make()  # its class is made with the first one
    parsed, parse = [], construction.dtype_by_name

    def counted(*given):
        parsed.append(given)
        return parse(*given)

    monkeypatch.setattr(construction, "dtype_by_name", counted)
    make()
    assert len(parsed) == 1


def test_one_record_is_all_that_a_block_is_given(backend_name):
    net, bare = ub.MLP(5, 3), type(ub.MLP(5, 3)).__bases__[1]
    added = vars(net).keys() - vars(bare()).keys()
    frameworks = {name for name in added if name.startswith("_self_")}  # TensorFlow's own
    assert {name for name in added - frameworks if name.startswith("_")} == {"_origin"}
