"""Names in what is written for Keras: none is given twice, and none hides another."""

import pytest

import unified_blocks as ub
from testbed.keras_sources import convolution_of, graph_of, is_as_numpy, weight
from unified_blocks.porting.operations.convolutions import Linear
from unified_blocks.porting.operations.elementwise import Elementwise
from unified_blocks.porting.writing.keras.arguments import arguments
from unified_blocks.porting.writing.keras.expressions import Leaf

if "tensorflow" not in ub.available_backends():
    pytest.skip("TensorFlow is not installed", allow_module_level=True)


@pytest.fixture(autouse=True)
def of_tensorflow(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("what is written is a model of Keras'")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("filters", "rate"), ["filters", "rate"]),
        (("filters", "filters"), ["filters1", "filters2"]),
        (("filters", "filters1", "filters"), ["filters1", "filters2", "filters3"]),
        (("conv2", "conv3"), ["conv2", "conv3"]),
    ],
)
def test_arguments_have_names_of_their_own(given, expected):
    columns = [(Leaf(1, name), (10 * 7**i, 11 * 5**i)) for i, name in enumerate(given)]
    told, texts = arguments(columns)
    assert [each.name for each in told] == expected
    assert [*texts.values()] == expected


def test_arguments_of_a_function_and_of_what_it_calls_are_apart(tmp_path):
    """A block tells another one its two widths, and has two layers more."""

    def convolved(b, x, width, block, name):
        path = (*block, name)
        array = weight(".".join((*path, "weight")), width, x.shape[1], 1, 1)
        kinds = ("Outer", "Inner")[: len(block)]
        return b.add(convolution_of(1), x, array, name=name, path=path, kinds=kinds)[0]

    def make(b, x):
        for i, widths in enumerate([(3, 5, 7, 11), (13, 19, 23, 29)]):
            outer, inner = (f"outer{i}",), (f"outer{i}", "inner")
            x = convolved(b, x, widths[0], outer, "before")
            x = convolved(b, x, widths[1], inner, "one")
            x = convolved(b, x, widths[2], inner, "two")
            x = convolved(b, x, widths[3], outer, "after")
        return x

    text, _ = is_as_numpy(graph_of(make, (4, 2, 2)), tmp_path)
    source = " ".join(text.source.split())
    assert "filters1: int, filters2: int, filters3: int, filters4: int" in source


@pytest.mark.parametrize("layer", ["layers", "x", "cell", "lambda", "units"])
def test_a_layer_that_is_called_twice_hides_nothing(layer, tmp_path):
    path = ("a", layer)
    shared = weight(f"a.{layer}.weight", 4, 4), weight(f"a.{layer}.bias", 4)

    def make(b, x):
        for i, width in enumerate((4, 4, 6)):
            own = (f"cell{i}", "own")
            (y,) = b.add(Linear(), x, *shared, name=f"d{i}", path=path, kinds=("A",))
            array = weight(f"{'.'.join(own)}.weight", width, 4)
            (y,) = b.add(Linear(), y, array, name=f"own{i}", path=own, kinds=("Cell",))
            (y,) = b.add(Elementwise("tanh"), y, name=f"t{i}", path=(own[0], "t"), kinds=("Cell",))
            x = y if width == 4 else x
        return y

    is_as_numpy(graph_of(make, (4,)), tmp_path)
