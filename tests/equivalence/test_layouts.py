"""`ub.compare` of models that have the channels of images on different axes."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, normal
from testbed.images import MAKE, TO_LAST, X, keras_net, last, layouts_of, started

FIRST = [name for name in MAKE if name in HERE]
pytestmark = pytest.mark.skipif("tensorflow" not in HERE or not FIRST, reason="it needs both")
native = pytest.mark.parametrize("first", FIRST)
MODES = ("forward", "train", "gradient", "training")
SAME = "the same, channels last"


def options_of(first, mode):
    """Of a network whose running statistics are the same: PyTorch's are of n - 1."""
    return {"norm": first != "torch" or mode not in ("train", "training")}


def port_of(a, x, **options):
    """A port of a model, with its numbers, to Keras in its default layout."""
    return ub.transfer(a, started(keras_net(**options), x))


@native
@pytest.mark.parametrize("mode", MODES)
def test_a_transpose_at_the_entry_is_no_difference(first, mode):
    options = options_of(first, mode)
    a = started(MAKE[first](**options), X)
    found = ub.compare(a, port_of(a, X, **options, entry=TO_LAST), X, mode=mode)
    assert found, str(found)
    moved = layouts_of(found)
    assert moved == dict.fromkeys(("conv", "bn", "act"), SAME)
    assert SAME in str(found)


@native
@pytest.mark.parametrize("mode", [*MODES, "compiled"])
@pytest.mark.parametrize("layouts", [("NCHW", "NHWC"), ("channels_first", "channels_last")])
def test_the_second_input_is_made_from_the_first(first, mode, layouts):
    options = options_of(first, mode)
    a = started(MAKE[first](**options), X)
    b = port_of(a, last(X), **options)
    found = ub.compare(a, b, X, mode=mode, layouts=layouts)
    assert found, str(found)
    back = ub.compare(b, a, last(X), mode=mode, layouts=layouts[::-1])
    assert back, str(back)


@native
@pytest.mark.parametrize("mode", MODES)
def test_two_inputs_can_be_given(first, mode):
    options = options_of(first, mode)
    a = started(MAKE[first](**options), X)
    found = ub.compare(a, port_of(a, last(X), **options), X, inputs_b=last(X), mode=mode)
    assert found, str(found)
    assert not any("not compared" in note for note in found.notes)


@native
def test_inputs_of_other_numbers_have_no_gradient_to_compare(first):
    a = started(MAKE[first](), X)
    found = ub.compare(a, port_of(a, last(X)), X, inputs_b=2 * last(X), mode="gradient")
    assert not found
    b = started(MAKE[first](), X)
    ub.transfer(a, b)
    found = ub.compare(a, b, X, inputs_b=X + np.float32(1e-7), mode="gradient")
    assert found, str(found)
    assert [note for note in found.notes if "not compared" in note], str(found)
    assert "x" not in [row.name for row in found.rows]


@native
@pytest.mark.parametrize("mode", MODES)
def test_an_output_is_in_the_layout_that_was_named(first, mode):
    options = options_of(first, mode) | {"flat": False}
    a = started(MAKE[first](**options), X)
    found = ub.compare(a, port_of(a, last(X), **options), X, layouts=("NCHW", "NHWC"), mode=mode)
    assert found, str(found)
    assert layouts_of(found)["output"] == SAME


@native
def test_from_outside_an_output_with_other_axes_is_another_one(first):
    a = started(MAKE[first](flat=False), X)
    b = port_of(a, X, flat=False, entry=TO_LAST)
    for found in (ub.compare(a, b, X), ub.compare(b, a, X)):
        assert (found.first_difference.name, found.cause) == ("(model)", "another_layout")
        assert [note for note in found.notes if "layouts=('NCHW', 'NHWC')" in note]
    named = {"inputs_b": X, "layouts": ("NCHW", "NHWC")}
    assert ub.compare(a, b, X, mode="gradient", **named)


@native
@pytest.mark.parametrize(
    ("options", "place", "cause"),
    [
        ({"epsilon": 1e-3}, "bn", "epsilon"),
        ({"before": None}, "flat", "flatten_order"),
        ({"middle": (0, 2, 1, 3)}, "act", "unknown"),
    ],
    ids=["epsilon", "flatten", "height and width"],
)
@pytest.mark.parametrize("x", [X, normal(2, 6, 8, 8)], ids=["sizes differ", "sizes are equal"])
def test_the_right_layer_is_named(first, x, options, place, cause):
    """Of the second input, convolved, there are as many channels as rows and columns."""
    channels = 8 if x is X else 6
    a = started(MAKE[first](channels=channels, inside=x.shape[1]), x)
    b = port_of(a, last(x), channels=channels, **options)
    named = {"layouts": ("NCHW", "NHWC")}
    for found in (
        ub.compare(a, b, x, **named),
        ub.compare(b, a, last(x), layouts=("NHWC", "NCHW")),
    ):
        difference = found.first_difference
        if place == "act":  # a transpose between two layers
            assert (difference.name, difference.after) == ("(model)", "bn"), str(found)
        else:
            assert difference.name == place, str(found)
        assert found.cause == cause, str(found)


@native
def test_equal_sizes_are_told_apart_by_the_numbers(first):
    x = normal(2, 6, 6, 6)
    for mode in MODES:
        options = options_of(first, mode) | {"channels": 6, "kernel": 1}
        a = started(MAKE[first](**options, inside=6), x)
        found = ub.compare(
            a, port_of(a, last(x), **options), x, layouts=("NCHW", "NHWC"), mode=mode
        )
        assert found, str(found)


@native
def test_images_that_should_have_been_moved_are_told_of(first):
    """Every shape fits, and the layer says what it takes."""
    x = normal(2, 6, 6, 6)
    a = started(MAKE[first](channels=6, kernel=1, inside=6), x)
    found = ub.compare(a, port_of(a, x, channels=6, kernel=1), x)
    difference = found.first_difference
    assert (difference.name, difference.row.name) == ("(model)", "conv"), str(found)
    assert found.cause == "another_layout", str(found)


@native
@pytest.mark.parametrize("order", [(1, 0, 2), (2, 0, 1)])
def test_channels_in_another_order_are_a_difference(first, order):
    a = started(MAKE[first](), X)
    b = port_of(a, last(X))
    assert ub.compare(a, b, X, inputs_b=last(X))
    assert not ub.compare(a, b, X, inputs_b=last(X)[..., order])


@native
def test_rows_and_columns_exchanged_are_a_difference(first):
    x = normal(2, 3, 6, 6)
    a = started(MAKE[first](), x)
    b = port_of(a, last(x))
    assert ub.compare(a, b, x, inputs_b=last(x))
    assert not ub.compare(a, b, x, inputs_b=last(x).transpose(0, 2, 1, 3))


@native
def test_a_shape_that_a_framework_refuses_is_told_in_our_words(first):
    a = started(MAKE[first](), X)
    b = port_of(a, last(X))
    with pytest.raises(ub.InputError, match="on TensorFlow must get images with the channels") as e:
        ub.compare(a, b, X)
    assert str(e.value).endswith(
        "on the last axis; got inputs of shape (2, 3, 8, 6): give layouts=('NCHW', 'NHWC')"
    )
    with pytest.raises(ub.InputError, match="on the axis after the batch's; got") as e:
        ub.compare(b, a, last(X))
    assert str(e.value).endswith("give layouts=('NHWC', 'NCHW')")
    with pytest.raises(ub.InputError, match="on TensorFlow must") as e:
        ub.compare(b, a, X)
    assert "give inputs=np.moveaxis(inputs, 1, -1); a second model" in str(e.value)
    with pytest.raises(ub.InputError, match="on TensorFlow must") as e:
        ub.compare(a, b, X, inputs_b=X)
    assert str(e.value).endswith("give inputs_b=np.moveaxis(inputs_b, 1, -1)")
    with pytest.raises(ub.InputError, match="must get images") as e:
        ub.compare(a, a, X, layouts=("NCHW", "NHWC"))
    assert str(e.value).endswith("give layouts=('NCHW', 'NCHW'), or none")


@native
def test_another_error_stays_what_it_is(first):
    a = started(MAKE[first](), X)
    b = port_of(a, last(X))
    with pytest.raises(Exception, match=r"(?s).") as e:
        ub.compare(a, b, normal(2, 4, 8, 6))
    assert "layouts" not in str(e.value)


@native
def test_a_model_that_was_built_for_the_other_layout_is_told_of(first):
    a = started(MAKE[first](flat=False), X)
    b = started(keras_net(flat=False), X)
    numbers = ub.state(a)
    for v in ub.backend_of(b).variables(b):
        if v.name != "conv.weight":  # made for as many channels as there are columns
            v.write(numbers[v.name])
    found = ub.compare(a, b, X)
    assert (found.first_difference.name, found.cause) == ("(model)", "another_layout")
    assert [note for note in found.notes if "has to be made anew" in note]
    found = ub.compare(a, b, X, layouts=("NCHW", "NHWC"))
    assert (found.first_difference.name, found.cause) == ("conv.weight", "another_layout")
    assert [note for note in found.notes if "has to be made anew" in note]


@pytest.mark.parametrize(
    "layouts",
    [
        ("NCHW",),
        "NC",
        ("NCHW", "NCWH"),
        ("NCHW", "NWHC"),
        ("NCHW", "NDHWC"),
        ("CHW", "HWC"),
        ("NCHW", "channels_last"),
        ("NHCW", "NHWC"),
        ("nchw", "nhwc"),
        (None, "NHWC"),
    ],
)
def test_layouts_differ_in_where_the_channels_are(layouts):
    a = started(keras_net(), last(X))
    with pytest.raises(ValueError, match="compare: layouts must be two, that of each model"):
        ub.compare(a, a, last(X), layouts=layouts)


def test_layouts_are_of_images():
    a = started(keras_net(), last(X))
    with pytest.raises(ValueError, match="must be those of images that the models take, of 5 axes"):
        ub.compare(a, a, last(X), layouts=("NDHWC", "NCDHW"))
    assert ub.compare(a, a, last(X), layouts=("NHWC", "NHWC"))


def test_one_layer_alone_computes_what_it_computes():
    """Of two subclasses that have their own idea of the channels, the numbers decide."""
    import keras

    class Moved(keras.layers.BatchNormalization):
        def call(self, inputs, training=None, mask=None):
            return keras.ops.moveaxis(super().call(keras.ops.moveaxis(inputs, 1, -1)), -1, 1)

    a, b = keras.layers.BatchNormalization(1), Moved()
    a(X)
    b.build(last(X).shape)
    b.input_spec = None  # Keras would look for the channels itself
    started(a, X)
    ub.transfer(a, b)
    assert ub.compare(a, b, X)


@native
def test_the_page_says_so_too(first):
    pytest.importorskip("plotly")
    a = started(MAKE[first](), X)
    page = ub.compare(a, port_of(a, last(X)), X, layouts=("NCHW", "NHWC")).to_html()
    assert f"({SAME})" in page
