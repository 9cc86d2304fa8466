"""Numbers from one model into another, of any two frameworks."""

import itertools

import numpy as np
import pytest

import unified_blocks as ub
from testbed import gallery
from testbed.common import normal
from testbed.models import NUMBERED, convolutional_net, native_net, renamed_net

OTHERS = ub.available_backends()
X = normal(3, 4)


def output(net, x=X):
    backend = ub.backend_of(net)
    return backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))


def randomised(net, shape=X.shape):
    """`net`, built, with every number random, variances above 0."""
    ub.build(net, shape)
    generator = np.random.default_rng(7)
    state = {
        name: array if array.dtype.kind == "i" else generator.uniform(0.5, 1.5, array.shape)
        for name, array in sorted(ub.state(net).items())
    }
    state = {n: a.astype("float32") if a.ndim else a for n, a in state.items()}
    for variable in ub.backend_of(net).variables(net):
        if variable.optional and variable.name in state and state[variable.name].ndim:
            state[variable.name][:] = 1  # Gluon's scale=False takes nothing else
    return ub.load_state(net, state)


@pytest.mark.parametrize("other", OTHERS)
def test_native_models_with_the_same_names(backend_name, other):
    source = randomised(native_net(backend_name))
    target = ub.build(native_net(other), X.shape)
    assert ub.transfer(source, target) is target
    np.testing.assert_allclose(output(target), output(source), rtol=1e-5, atol=1e-5)


def images(backend_name):
    """A batch of images, channels where the framework has them."""
    batch = normal(2, 4, 6, 7)
    return np.moveaxis(batch, 1, -1).copy() if backend_name == "tensorflow" else batch


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("other", OTHERS)
def test_convolutions(backend_name, other, built):
    source = randomised(convolutional_net(backend_name), images(backend_name).shape)
    target = convolutional_net(other)
    if built:
        ub.build(target, images(other).shape)
    elif other == "tensorflow":
        with pytest.raises(ub.StateMismatchError, match=r"norm\.weight, which does not exist yet"):
            ub.transfer(source, target)
        assert not target.conv.built
        return
    ub.transfer(source, target)
    np.testing.assert_allclose(
        output(target, images(other)), output(source, images(backend_name)), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("how", ["paths", "names", "function", "order"])
def test_native_models_with_other_names(backend_name, other, how):
    source = randomised(native_net(backend_name))
    target = ub.build(renamed_net(other), X.shape)
    options = {
        "paths": {"rename": NUMBERED},
        "names": {
            "rename": {
                name: name.replace(name.split(".")[0], NUMBERED[name.split(".")[0]])
                for name in ub.state(source)
            }
        },
        "function": {"rename": lambda name: NUMBERED[name.split(".")[0]] + name[name.index(".") :]},
        "order": {"match": "order"},
    }[how]
    ub.transfer(source, target, **options)
    np.testing.assert_allclose(output(target), output(source), rtol=1e-5, atol=1e-5)


def test_all_that_does_not_fit_is_in_one_error_and_nothing_is_loaded(backend_name):
    source = ub.build(ub.MLP(5, 3), (2, 4))
    target = ub.build(ub.MLP(5, 2, dtype="float64"), (2, 4))
    before = ub.state(target)
    rename = {"hidden.bias": "hidden.shift"}
    with pytest.raises(ub.StateMismatchError) as raised:
        ub.transfer(source, target, rename=rename)
    for problem in (
        "no hidden.bias",
        "an unknown hidden.shift",
        r"out.weight of shape (3, 5), not (2, 5)",
        "hidden.weight of dtype float32, not float64",
    ):
        assert problem in str(raised.value)
    assert ub.diff_state(before, target).equal


def test_a_new_name_that_leads_nowhere_is_an_error(backend_name):
    source, target = (ub.build(ub.MLP(5, 3), (2, 4)) for _ in range(2))
    with pytest.raises(ub.StateMismatchError, match="got hiden, of which it has none"):
        ub.transfer(source, target, rename={"hiden": "hidden"})
    with pytest.raises(ub.StateMismatchError, match=r"keep names apart; got hidden\.weight twice"):
        ub.transfer(source, target, rename={"out": "hidden"})
    with pytest.raises(ValueError, match="match must be"):
        ub.transfer(source, target, match="shape")
    with pytest.raises(ValueError, match="leave out one"):
        ub.transfer(source, target, match="order", rename={"out": "out"})


def test_a_function_leaves_an_array_out_by_none(backend_name):
    source = ub.initialize(ub.build(ub.MLP(5, 3), (2, 4)), 1)
    target = ub.build(ub.Dense(5), (2, 4))
    ub.transfer(source, target, rename=lambda n: n[7:] if n.startswith("hidden.") else None)
    np.testing.assert_array_equal(ub.state(target)["weight"], ub.state(source)["hidden.weight"])


def test_order_refuses_other_kinds_shapes_and_counts(backend_name):
    source = ub.build(ub.MySequential(ub.Dense(4), ub.Dense(3)), (2, 4))
    shape = ub.build(ub.MySequential(ub.Dense(4), ub.Dense(2)), (2, 4))
    count = ub.build(ub.MySequential(ub.Dense(4)), (2, 4))
    with pytest.raises(ub.StateMismatchError, match=r"1 for 1: weight of shape \(3, 4\)"):
        ub.transfer(source, shape, match="order")
    with pytest.raises(ub.StateMismatchError, match="2 layers that hold parameters, not 1"):
        ub.transfer(source, count, match="order")
    norm = ub.build(ub.MySequential(ub.LayerNorm(), ub.Dense(3)), (2, 4))
    one = ub.build(ub.MySequential(ub.Dense(4), ub.LayerNorm()), (2, 4))
    with pytest.raises(ub.StateMismatchError, match="LayerNorm, not Dense"):
        ub.transfer(norm, one, match="order")
    table = ub.MySequential(ub.Embedding(4, 4))
    ub.load_state(table, {"0.weight": normal(4, 4)})
    matrix = ub.build(ub.MySequential(ub.Dense(4, use_bias=False)), (2, 4))
    with pytest.raises(ub.StateMismatchError, match="Embedding, not Dense"):
        ub.transfer(table, matrix, match="order")


def test_order_builds_what_is_not_built(backend_name):
    source = ub.initialize(ub.build(ub.MySequential(ub.Dense(4), ub.Dense(3)), (2, 4)), 1)
    target = ub.MySequential(ub.Dense(4), ub.Dense(3))
    ub.transfer(source, target, match="order")
    assert ub.diff_state(source, target).equal


class Shared(ub.Block):
    """A layer that is used under two names."""

    def __init__(self, units):
        super().__init__()
        self.one = ub.Dense(units)
        self.two = self.one

    def forward(self, X):
        return self.two(self.one(X))


@pytest.mark.parametrize("other", OTHERS)
def test_shared_layers_go_under_any_of_their_names(backend_name, other):
    source = ub.initialize(ub.build(Shared(4), X.shape), 2)
    state = ub.state(source)
    assert sorted(state) == ["one.bias", "one.weight"]
    target = ub.transfer(source, Shared.on(other)(4))
    assert ub.diff_state(source, target).equal
    twice = {**state, **{name.replace("one", "two"): array for name, array in state.items()}}
    ub.load_state(target, twice)
    ub.load_state(target, {n: a for n, a in twice.items() if n.startswith("two")})
    assert ub.diff_state(source, target).equal
    twice["two.bias"] = twice["two.bias"] + 1
    with pytest.raises(ub.StateMismatchError, match=r"other numbers for two\.bias"):
        ub.load_state(target, twice)


class Apart(ub.Block):
    """As `Shared`, of two layers."""

    def __init__(self, units, one="one", two="two"):
        super().__init__()
        setattr(self, one, ub.Dense(units))
        setattr(self, two, ub.Dense(units))

    def forward(self, X):
        return X


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(
    ("names", "rename"),
    [
        (("one", "two"), None),
        (("a", "b"), {"one": "a", "two": "b"}),
        (("one", "b"), {"two": "b"}),
        (("b", "a"), lambda name: {"one": "b", "two": "a"}[name[:3]] + name[3:]),
    ],
    ids=["names", "both", "one", "function"],
)
def test_a_shared_array_fills_an_untied_target(backend_name, other, names, rename):
    source = ub.initialize(ub.build(Shared(4), X.shape), 2)
    target = ub.transfer(source, Apart.on(other)(4, *names), rename=rename)
    state = ub.state(target)
    assert len(state) == 4
    for name, attribute in itertools.product(names, ("weight", "bias")):
        np.testing.assert_array_equal(
            state[f"{name}.{attribute}"], ub.state(source)[f"one.{attribute}"]
        )
    if rename is None:
        assert ub.diff_state(source, target).equal
        assert ub.diff_state(target, source).equal
        state["two.bias"] += 1
        assert not ub.diff_state(source, state).equal


@pytest.mark.parametrize("other", OTHERS)
def test_an_untied_source_fills_a_tied_target_if_its_numbers_are_the_same(backend_name, other):
    tied = ub.initialize(ub.build(Shared(4), X.shape), 2)
    source = ub.transfer(tied, Apart.on(other)(4))
    target = ub.transfer(source, Shared(4))
    assert ub.diff_state(target, tied).equal
    ub.initialize(source, 3)
    with pytest.raises(ub.StateMismatchError, match=r"other numbers for two\.weight"):
        ub.transfer(source, target)


def test_the_count_of_batches_may_be_missing_or_left_over(backend_name):
    target = ub.build(native_net(backend_name), X.shape)
    state = {n: a for n, a in ub.state(target).items() if not n.endswith("num_batches_tracked")}
    ub.load_state(target, state)
    ub.load_state(target, {**state, "norm.num_batches_tracked": np.array(3)})


@pytest.mark.parametrize("other", OTHERS)
def test_a_fixed_gamma_counts_as_one(other):
    """Gluon's `scale=False` keeps a gamma that it does not use."""
    pytest.importorskip("mxnet", exc_type=(ImportError, AttributeError))
    source = randomised(native_net("mxnet", scale=False))
    source.norm.gamma.set_data(source.norm.gamma.data() * 0 + 5)
    assert ub.state(source)["norm.weight"].tolist() == [1] * 5
    for scale in (True, False):
        target = ub.transfer(source, ub.build(native_net(other, scale), X.shape))
        np.testing.assert_allclose(output(target), output(source), rtol=1e-5, atol=1e-5)


def test_diff_state_tells_what_differs(backend_name):
    a = ub.initialize(ub.build(ub.MLP(5, 3), (2, 4)), 1)
    b = ub.load_state(ub.build(ub.MLP(5, 3), (2, 4)), ub.state(a))
    assert ub.diff_state(a, b).equal
    assert str(ub.diff_state(a, b)) == "4 arrays, all equal"
    state = ub.state(b)
    state["hidden.bias"][2] += 0.5
    state["out.bias"][0] = np.nan
    state["more"] = state.pop("out.weight")
    difference = ub.diff_state(a, state)
    assert not difference.equal
    rows = {row.name: row for row in difference.rows}
    assert rows["hidden.bias"].largest == 0.5
    assert rows["out.bias"].largest == np.inf
    assert rows["hidden.weight"].equal
    assert (rows["out.weight"].b, rows["more"].a) == (None, None)
    assert "hidden.bias  float32 (5,)" in str(difference)
    assert str(difference).endswith("4 of 5 arrays differ")


def test_a_source_that_is_not_built_is_an_error(backend_name):
    with pytest.raises(ub.NotBuiltError):
        ub.transfer(ub.MLP(5, 3), ub.MLP(5, 3))


def test_the_example_leaves_mxnet(capsys):
    for name in ("torch", "mxnet"):
        if name not in OTHERS:
            pytest.skip(f"{name} is not installed")
    gallery.example("leave_mxnet").main()
    words = capsys.readouterr().out.split()
    assert float(words[-1]) < 1e-6 < float(words[2])


@pytest.mark.parametrize(
    "options", [{}, {"rename": {}}, {"match": "order"}], ids=["name", "rename", "order"]
)
def test_each_model_is_walked_once(backend_name, monkeypatch, options):
    backend = ub.get_backend(backend_name)
    a, b = (ub.build(ub.MySequential(*(ub.Dense(3) for _ in range(4))), (2, 3)) for _ in range(2))
    walked, variables = [], backend.variables

    def counted(net):
        walked.append(net)
        return variables(net)

    monkeypatch.setattr(backend, "variables", counted)
    ub.transfer(a, b, **options)
    assert [sum(net is each for each in walked) for net in (a, b)] == [1, 1]
