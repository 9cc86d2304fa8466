"""What Gluon's own methods do with the parameters and constants of a block."""

import copy
import pickle

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal, run

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from unified_blocks_mxnet.compat import mx, nn, numpy_semantics

TWO = [mx.cpu(0), mx.cpu(1)]


@pytest.fixture(autouse=True)
def on_mxnet():
    with ub.use_backend("mxnet"):
        yield


class Scaled(ub.Block):
    def __init__(self, width=None):
        super().__init__()
        self.dense = ub.Dense(4, in_units=width)
        self.scale, self.shift = ub.Constant(0.5), ub.Constant(np.arange(4.0))
        self.parts = [ub.Dense(4, in_units=4)]

    def forward(self, X):
        return self.parts[0](self.dense(X)) * self.scale + self.shift


class Sub(Scaled.on("mxnet")):
    """A native class that extends a block's."""


class Twin(mx.gluon.HybridBlock):
    """What `Scaled` is, by hand, but for a number without dimensions."""

    def __init__(self, width=None):
        super().__init__()
        with self.name_scope():
            self.dense = nn.Dense(4, in_units=width or 0)
            self.last = nn.Dense(4, in_units=4)
            self.scale = self.params.get_constant("scale", np.full(1, 0.5))
            self.shift = self.params.get_constant("shift", np.arange(4.0))

    def hybrid_forward(self, F, X, scale, shift):
        return self.last(self.dense(X)) * scale + shift


OURS = [Scaled, Sub]


def fresh(make, width=None):
    """A block as its class makes it; a native one is initialised by a first call, as always."""
    with numpy_semantics():
        return make(width)


def around(block):
    """Gluon's own container around a block."""
    net = nn.HybridSequential()
    net.add(block)
    return net


@pytest.fixture(params=OURS)
def ours(request):
    return request.param


@pytest.mark.parametrize("ctx", [mx.cpu(1), TWO], ids=["one", "two"])
@pytest.mark.parametrize("width", [None, 3])
@pytest.mark.parametrize("make", [*OURS, Twin])
def test_parameters_are_loaded_to_where_they_are_wanted(make, width, ctx, tmp_path):
    net, x = fresh(make, width), normal(2, 3)
    with numpy_semantics():
        if make is Twin:
            net.initialize()
        expected = net(ub.from_numpy(x)).asnumpy()
        net.save_parameters(str(tmp_path / "net.params"))
        other = fresh(make, width)
        other.load_parameters(str(tmp_path / "net.params"), ctx=ctx)
        for each in ctx if isinstance(ctx, list) else [ctx]:
            found = other(ub.from_numpy(x).as_in_ctx(each))
            assert found.ctx == each
            np.testing.assert_array_equal(found.asnumpy(), expected)


def test_a_constant_without_dimensions_comes_back_from_a_file(ours, tmp_path):
    net, path = ub.build(ours(), (2, 3)), str(tmp_path / "net.params")
    ub.load_state(net, {**ub.state(net), "scale": np.array(2.0, "float32")})
    net.save_parameters(path)
    copies = [ours(), ub.build(ours(), (2, 3)), copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
    for other in copies:
        other.load_parameters(path)
        assert ub.state(other)["scale"] == 2
        np.testing.assert_array_equal(run(other, normal(2, 3)), run(net, normal(2, 3)))
    outer = around(ub.build(ours(), (2, 3)))
    with numpy_semantics():
        around(net).save_parameters(path)
        outer.load_parameters(path)
    assert ub.state(outer)["0.scale"] == 2


def test_the_first_initialize_of_anyone_is_the_first(ours):
    net = ours(3)
    net.initialize(mx.init.One())
    state = ub.state(net)
    assert (state["dense.weight"] == 1).all()
    assert (state["parts.0.weight"] == 1).all()
    assert state["scale"] == 0.5
    outer = around(ours(3))
    outer.initialize(mx.init.One(), ctx=TWO)  # Gluon's own, without NumPy semantics
    assert (ub.state(outer)["0.dense.weight"] == 1).all()
    assert {str(p.list_ctx()) for p in outer.collect_params().values()} == {str(TWO)}
    assert run(outer[0], normal(2, 3)).shape == (2, 4)


@pytest.mark.parametrize(
    "given",
    [
        lambda net: net.initialize(),
        lambda net: ub.initialize(net, 1),
        lambda net: ub.load_state(net, ub.state(net)),
        lambda net: mx.gluon.Trainer(net.collect_params(), "sgd"),
        lambda net: net.initialize(mx.init.Xavier()),
    ],
    ids=["initialize", "ub.initialize", "load_state", "Trainer", "Xavier"],
)
def test_numbers_that_were_given_stay_and_gluon_says_so(ours, given):
    net = ours(3)
    given(net)
    before = ub.state(net)
    for each in (net, copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        with pytest.warns(UserWarning, match="already initialized, ignoring"):
            each.initialize(mx.init.One())
        for name, array in ub.state(each).items():
            np.testing.assert_array_equal(array, before[name])


def test_a_fresh_block_is_copied_as_one(ours):
    for each in (copy.deepcopy(ours(3)), pickle.loads(pickle.dumps(ours(3)))):
        each.initialize(mx.init.One())
        assert (ub.state(each)["dense.weight"] == 1).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_default_numbers_drawn_by_a_container_are_gluons(dtype):
    outer = around(ub.Dense(300, in_units=300, dtype=dtype))
    outer.initialize()
    weight = ub.state(outer)["0.weight"]
    assert weight.dtype == dtype
    assert 0.069 < np.abs(weight).max() <= 0.0700001


def test_a_constant_stays_one_in_an_exported_graph(ours, tmp_path):
    net, x = ub.build(ours(), (2, 3)), ub.from_numpy(normal(2, 3))
    net.hybridize()
    expected = net(x).asnumpy()
    for _ in range(2):
        net.export(str(tmp_path / "net"))
    files = str(tmp_path / "net-symbol.json"), str(tmp_path / "net-0000.params")
    with numpy_semantics():
        with pytest.warns(UserWarning, match="Cannot decide type"):
            loaded = mx.gluon.SymbolBlock.imports(files[0], ["data"], files[1])
        with mx.autograd.record():
            output = loaded(x)
        output.backward()
        np.testing.assert_array_equal(output.asnumpy(), expected)
        for name, parameter in loaded.collect_params().items():
            constant = name.endswith(("scale", "shift"))
            assert constant == (not parameter.grad().asnumpy().any()), name
    np.testing.assert_array_equal(net(x).asnumpy(), expected)


@pytest.mark.parametrize("semantics", ["NumPy", "legacy"])
def test_a_summary_of_the_graph(ours, semantics, capsys):
    net = ub.build(ours(), (2, 3))

    def summary():
        output = net(mx.sym.var("data").as_np_ndarray())
        mx.viz.print_summary(output, shape={"data": (2, 3)})

    if semantics == "NumPy":
        with numpy_semantics():
            summary()
    else:
        summary()
    assert "Total params: 36" in capsys.readouterr().out
    net.hybridize()  # its own graph has the constant as it is
    assert run(net, normal(2, 3)).shape == (2, 4)


@pytest.mark.parametrize("kind", ["plain", "watched", "clipped", "accumulated", "several contexts"])
def test_gradients_that_add_up_are_those_of_each_update(kind):
    """Whoever sets `grad_req="add"` empties them; `fit` does, before each batch."""
    more = {
        "watched": {"metrics": ["mse"]},
        "clipped": {"clip": ub.Clip(norm=0.5)},
        "accumulated": {"accumulate": 2},
    }.get(kind, {})
    found = []
    for wanted in ("write", "add"):
        net = ub.initialize(ub.build(ub.MLP(4, 3), (2, 5)), 0)
        net.collect_params().setattr("grad_req", wanted)
        if kind == "several contexts":
            net.collect_params().reset_ctx(TWO)
        x, y = normal(12, 5), normal(12, 3, seed=1)
        options = {"loss": "mse", "optimizer": ub.SGD(0.5, momentum=0.5), "batch_size": 4, **more}
        losses = ub.fit(net, x, y, epochs=3, **options).loss
        found.append({"losses": losses, **ub.state(net)})
    for name, array in found[0].items():
        np.testing.assert_array_equal(found[1][name], array, err_msg=name)
