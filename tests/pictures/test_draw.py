"""A picture is the same on every framework, and says what is in the network."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, graph, normal
from testbed.gallery import example
from testbed.models import native_net
from testbed.pages import HOSTILE, NASTY
from testbed.where import ROOT
from unified_blocks import ops

SVG = "{http://www.w3.org/2000/svg}"


class Portable(ub.Block):
    """An MLP that is the same code everywhere; that of the library is tuned by hand."""

    def __init__(self):
        super().__init__()
        self.hidden, self.out = ub.Dense(256, activation="relu"), ub.Dense(10)

    def forward(self, X):
        return self.out(self.hidden(X))


def bert():
    return example("book/bert").BERT(11, 8, 2, 12, layers=2, length=5)


WORDS = np.array([[3, 1, 7, 2, 0], [4, 9, 5, 6, 8]])
SEGMENTS = np.array([[0, 0, 1, 1, 1], [0, 1, 1, 1, 0]])
NETWORKS = {
    "MLP": (Portable, normal(2, 20)),
    "FixedHiddenMLP": (ub.FixedHiddenMLP, normal(2, 20)),
    "LeNet": (lambda: example("book/lenet").LeNet(), normal(2, 1, 28, 28)),
    "ResNet-18": (lambda: example("book/resnet").resnet(18, 4, width=4), normal(2, 3, 35, 33)),
    "BERT": (bert, (WORDS, SEGMENTS)),
}


def made(make, inputs, backend_name):
    with ub.use_backend(backend_name):
        net = make()
    backend = ub.backend_of(net)
    arrays = inputs if isinstance(inputs, tuple) else (inputs,)
    backend.run(net, [backend.from_numpy(array) for array in arrays])
    return ub.initialize(net, seed=0)


def drawn(make, inputs, backend_name, **options):
    return ub.draw(made(make, inputs, backend_name), inputs, **options)


def texts(picture):
    """All that is to be read in a picture, tooltips and description left out."""
    found = [
        text
        for each in ElementTree.fromstring(picture).iter(f"{SVG}text")
        for text in each.itertext()
    ]
    return [text.strip() for text in found]


def told(picture):
    return ElementTree.fromstring(picture).find(f"{SVG}desc").text


class Wired(ub.Block):
    """A block whose forward is another function at each test."""

    def __init__(self, forward):
        super().__init__()
        self.a, self.b = ub.Dense(3, in_units=3), ub.Dense(3, in_units=3)
        self.compute = forward

    def forward(self, X):
        return self.compute(self, X)


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_the_same_everywhere(backend_name, name):
    assert drawn(*NETWORKS[name], backend_name) == drawn(*NETWORKS[name], HERE[0])


def test_a_block_that_is_tuned_is_drawn_as_it_is(backend_name):
    """PyTorch's layers have no activation: the function after the first is in the picture."""
    found = told(drawn(ub.MLP, normal(2, 20), backend_name))
    assert ("; relu gives (2, 256); " in found) == (backend_name == "torch")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_model_stays_as_it_is(backend_name, name):
    make, inputs = NETWORKS[name]
    net = made(make, inputs, backend_name)
    before = {key: array.tobytes() for key, array in ub.state(net).items()}
    first = ub.draw(net, inputs)
    assert {key: array.tobytes() for key, array in ub.state(net).items()} == before
    assert ub.draw(net, inputs) == first


def test_it_says_what_is_in_lenet(backend_name):
    picture = drawn(*NETWORKS["LeNet"], backend_name)
    assert texts(picture)[:2] == ["LeNet", "61,706 parameters"]
    for each in ("Conv2D", "net.0", "(2, 6, 28, 28)", "156", "48,120"):
        assert each in texts(picture)
    assert told(picture).startswith(
        "LeNet: input (2, 1, 28, 28); Conv2D net.0 gives (2, 6, 28, 28), 156 parameters; AvgPool2D "
    )
    assert told(picture).endswith("Dense net.7 gives (2, 10), 850 parameters; output (2, 10).")


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_are_counted(backend_name, name):
    make, inputs = NETWORKS[name]
    net = made(make, inputs, backend_name)
    held = [v for v in ub.backend_of(net).variables(net) if v.role == "parameter"]
    state = ub.state(net)
    wanted = f"{sum(state[v.name].size for v in held):,} parameters"
    assert texts(ub.draw(net, inputs))[1] == wanted


def test_what_is_repeated_is_drawn_once(backend_name):
    picture = drawn(
        lambda: ub.MySequential(*(ub.Dense(8) for _ in range(12))), normal(2, 8), backend_name
    )
    assert {"Dense × 12", "0 … 11", "12 × 72", "864 parameters"} <= {*texts(picture)}


def test_layers_of_other_sizes_are_not_repeated(backend_name):
    picture = drawn(lambda: ub.MySequential(ub.Dense(8), ub.Dense(4)), normal(2, 8), backend_name)
    assert texts(picture).count("Dense") == 2


def test_blocks_are_repeated_as_a_whole(backend_name):
    found = texts(drawn(*NETWORKS["BERT"], backend_name))
    assert {"Layer × 2", "encoder.0 … encoder.1"} <= {*found}
    assert found.count("MultiHeadAttention") == 1


def test_a_sequence_of_one_is_no_frame(backend_name):
    """But a block that was written for one layer, or for a sequence, has its name."""

    def net():
        alone = ub.MySequential(ub.Dense(3, in_units=3))
        return ub.MySequential(alone, Wired(lambda net, X: net.a(X)), ub.ReLU())

    found = texts(drawn(net, normal(2, 3), backend_name))
    assert [found.count(each) for each in ("MySequential", "Wired", "Dense")] == [1, 1, 2]


def test_branches_are_repeated_beside_each_other(backend_name):
    net = lambda: ub.Parallel(*(ub.Dense(3) for _ in range(4)))  # noqa: E731
    found = told(drawn(net, normal(2, 8), backend_name))
    assert (
        "Dense × 4 0 … 3, side by side gives (2, 3), 4 × 27 parameters; concat gives (2, 12)"
        in found
    )


def test_a_large_picture_shows_a_structure_once(backend_name):
    found = texts(drawn(*NETWORKS["ResNet-18"], backend_name))
    assert {"Residual × 2", "Residual"} <= {*found}
    assert found.count("Conv2D") == 4  # one before, two in a body, one in a shortcut


def test_a_sum_is_seen(backend_name):
    """The skip of a residual block: a line from what comes in to the ring."""
    picture = drawn(lambda: Wired(lambda net, X: X + net.a(X)), normal(2, 3), backend_name)
    assert "; + gives (2, 3); output (2, 3)." in told(picture)
    assert len(re.findall(r'd="M[\d.]+ [\d.]+H[\d.]+V', picture)) == 1


EXPRESSIONS = {
    "sum": (lambda net, X: net.a(X) + net.b(X), "+"),
    "sum, rectified": (lambda net, X: ops.relu(net.a(X) + X), "+ relu"),
    "of three": (lambda net, X: net.b(X) + X + net.a(X), "+"),
    "product": (lambda net, X: net.a(X) * net.b(X), "×"),
    "rectified": (lambda net, X: net.b(ops.relu(net.a(X))), "relu"),
    "joined": (lambda net, X: ops.concat([net.a(X), X, net.b(X)], axis=1), "concat"),
    "reshaped": (lambda net, X: ops.reshape(net.a(X), (3, 4)), "reshape"),
    "a row": (lambda net, X: net.a(X)[2], "slice"),
    "other": (lambda net, X: ops.sin(net.a(X)), "forward"),
    "small": (lambda net, X: net.a(X * 1e-8) - net.b(X * 1e-8), "forward"),  # than others' rounding
    "half a sum": (lambda net, X: X + 0.5 * net.a(X), "forward"),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_what_a_forward_computes(backend_name, name):
    forward, label = EXPRESSIONS[name]
    picture = drawn(lambda: Wired(forward), normal(4, 3), backend_name)
    found = set(re.findall(r"; ([^;,]+) gives", told(picture))) - {"Dense a", "Dense b"}
    assert found == {label}


def test_a_broken_line_is_what_nothing_else_takes(backend_name):
    picture = drawn(lambda: Wired(EXPRESSIONS["other"][0]), normal(2, 3), backend_name)
    assert picture.count("stroke-dasharray") == 1
    assert "stroke-dasharray" not in drawn(*NETWORKS["LeNet"], backend_name)


def test_a_block_that_is_called_again_is_shut(backend_name):
    def net():
        block = ub.MySequential(ub.Dense(6), ub.Tanh())
        return ub.MySequential(block, ub.ReLU(), block)

    found = texts(drawn(net, normal(2, 6), backend_name))
    assert [found.count(each) for each in ("MySequential", "Dense", "shared")] == [3, 1, 1]


def test_a_row_is_not_one_where_something_else_takes_a_part_of_it(backend_name):
    def forward(net, X):
        H = net.a(X)
        return net.b(H) + H

    found = texts(drawn(lambda: Wired(forward), normal(2, 3), backend_name))
    assert found.count("Dense") == 2


def test_a_shared_layer_is_counted_once(backend_name):
    def net():
        layer = ub.Dense(6)
        return ub.MySequential(layer, ub.ReLU(), layer)

    found = texts(drawn(net, normal(2, 6), backend_name))
    assert [found.count(each) for each in ("42", "shared", "42 parameters")] == [1, 1, 1]


def test_a_number_of_the_block_itself(backend_name):
    """It comes from no layer; it is in the picture where the forward uses it."""

    class Placed(ub.Block):
        def __init__(self):
            super().__init__()
            self.places = ub.Constant(np.linspace(1, 2, 4, dtype="float32"))
            self.out = ub.Dense(3)

        def forward(self, X):
            return self.out(X + self.places)

    found = told(drawn(Placed, normal(2, 4), backend_name))
    assert found.startswith("Placed: places gives (4,); input (2, 4); + gives (2, 4); Dense out ")


def test_a_parameter_of_the_block_itself_is_counted(backend_name):
    if backend_name != "torch":
        pytest.skip("one framework's way to have one")
    import torch

    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.linspace(1, 2, 4))
            self.out = torch.nn.Linear(4, 3)

        def forward(self, X):
            return self.out(X * self.scale)

    picture = ub.draw(Scaled(), normal(2, 4))
    assert texts(picture)[1] == "19 parameters"
    assert told(picture).startswith("Scaled: scale gives (4,); input (2, 4); × gives (2, 4); Dense")


def test_a_call_of_several_outputs(backend_name):
    class Reader(ub.Block):
        def __init__(self):
            super().__init__()
            self.read, self.out = ub.GRU(5, return_state=True), ub.Dense(2)

        def forward(self, X):
            outputs, _ = self.read(X)
            return self.out(outputs)

    picture = drawn(Reader, normal(2, 3, 4), backend_name)
    assert "GRU read gives (2, 3, 5), (1, 2, 5), 165" in told(picture)


def test_a_native_model_is_as_ours(backend_name):
    class Net(ub.Block):
        def __init__(self):
            super().__init__()
            self.first, self.norm, self.last = ub.Dense(5), ub.BatchNorm(), ub.Dense(3)

        def forward(self, X):
            return self.last(self.norm(self.first(X)))

    x = normal(2, 4)
    native = native_net(backend_name)
    ub.backend_of(native).run(native, [ub.from_numpy(x, backend_name)])
    ours = made(Net, x, backend_name)
    ub.transfer(ours, native)
    assert ub.draw(native, x) == ub.draw(ours, x)


def test_a_graph_is_one_box(backend_name):
    if backend_name != "mxnet":
        pytest.skip("a hybridized block is Gluon's")
    net = made(ub.MLP, normal(2, 20), backend_name)
    assert texts(ub.draw(graph(backend_name, net), normal(2, 20))).count("MLP") == 2


@pytest.mark.parametrize("title", [HOSTILE, NASTY, "\x00\x1b[31m", "", "a" * 300])
def test_names_are_text(backend_name, title):
    kind = type("<b>&", (Wired,), {})
    picture = drawn(
        lambda: ub.MySequential(kind(lambda net, X: net.a(X)), ub.ReLU()),
        normal(2, 3),
        backend_name,
        title=title,
    )
    root = ElementTree.fromstring(picture)
    assert not [each for each in root.iter() if each.tag.endswith(("script", "}b"))]
    assert "<script" not in picture
    assert "<b>&" in texts(picture)
    assert texts(picture)[-1].startswith("output")


def test_it_needs_nothing_from_elsewhere(backend_name):
    for name in NETWORKS:
        picture = drawn(*NETWORKS[name], backend_name)
        assert re.findall(r"https?://[^\"]+", picture) == ["http://www.w3.org/2000/svg"]
        assert not re.search(r"href|url\(|@import|<image", picture)


def test_it_is_told_to_those_who_do_not_see_it(backend_name):
    root = ElementTree.fromstring(drawn(*NETWORKS["MLP"], backend_name, title="Two layers"))
    title, described = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert title.text == "Two layers"


def test_pictures_of_a_page_have_names_of_their_own(backend_name):
    marks = {
        re.search(r'title id="(\w+)"', drawn(*NETWORKS[name], backend_name))[1] for name in NETWORKS
    }
    assert len(marks) == len(NETWORKS)


def test_it_stays_inside_of_its_frame(backend_name):
    for name in NETWORKS:
        root = ElementTree.fromstring(drawn(*NETWORKS[name], backend_name))
        _, _, width, height = map(float, root.get("viewBox").split())
        for each in root.iter(f"{SVG}rect"):
            x, y, w, h = (float(each.get(key)) for key in ("x", "y", "width", "height"))
            assert 0 <= x < x + w <= width
            assert 0 <= y < y + h <= height
        for path in root.iter(f"{SVG}path"):
            assert all(float(x) <= width for x in re.findall(r"H([\d.]+)", path.get("d")))


def test_a_file_has_colours_of_its_own(backend_name, tmp_path):
    picture = drawn(*NETWORKS["MLP"], backend_name)
    picture.save(tmp_path / "net.svg")
    text = (tmp_path / "net.svg").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text
    assert "prefers-color-scheme" not in picture
    ElementTree.fromstring(text)
    assert picture._repr_svg_() == text


def test_in_a_page_it_has_the_colour_of_the_text(backend_name):
    """As a part of the page: an image has no text around it."""
    picture = drawn(*NETWORKS["MLP"], backend_name)
    assert picture._repr_html_() == picture
    assert "currentColor" in picture


def test_a_model_that_is_not_built_is_refused(backend_name):
    with (
        ub.use_backend(backend_name),
        pytest.raises(ub.NotBuiltError, match=r"^draw: .*call ub.build\(net, input_shape\) first"),
    ):
        ub.draw(ub.MLP(), normal(2, 20))


def test_inputs_by_name(backend_name):
    net = made(bert, (WORDS, SEGMENTS), backend_name)
    assert ub.draw(net, {"words": WORDS, "segments": SEGMENTS}) == ub.draw(net, (WORDS, SEGMENTS))
    with pytest.raises(ub.InputError, match=r"^draw: inputs by name must be those of BERT"):
        ub.draw(net, {"words": WORDS, "sentences": SEGMENTS})


def test_the_pictures_of_the_page_are_what_its_code_draws(backend_name, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "howto" / "pictures.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ub, "available_backends", lambda: [backend_name])
    exec(
        "\n".join(re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)),
        {"__name__": f"page_{backend_name}"},
    )
    for name in ("lenet", "resnet"):
        wanted = (ROOT / "docs" / "howto" / f"{name}.svg").read_text(encoding="utf-8")
        assert (tmp_path / f"{name}-{backend_name}.svg").read_text(encoding="utf-8") == wanted
