"""`build`, `state`, `load_state`, `initialize`, `cast`: a model's numbers."""

import math

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import DTYPES, layer, normal, run


def mlp():
    return ub.build(ub.MLP(5, 3), (2, 4))


def test_state_is_a_copy(backend_name):
    net = mlp()
    state = ub.state(net)
    for array in state.values():
        array[...] = 7
    assert not any((array == 7).any() for array in ub.state(net).values())


def test_load_state_round_trip(backend_name):
    net, other = mlp(), mlp()
    ub.initialize(net, 3, "torch_default")
    assert ub.load_state(other, ub.state(net)) is other
    x = normal(2, 4)
    np.testing.assert_array_equal(run(other, x), run(net, x))


def test_load_state_builds_a_block_from_the_shapes(backend_name):
    net = ub.MySequential(ub.NestMLP(), ub.Dense(20), ub.FixedHiddenMLP())
    source = ub.build(ub.MySequential(ub.NestMLP(), ub.Dense(20), ub.FixedHiddenMLP()), (2, 9))
    ub.load_state(net, ub.state(source))
    for name, array in ub.state(source).items():
        np.testing.assert_array_equal(ub.state(net)[name], array)
    np.testing.assert_array_equal(run(net, normal(2, 9)), run(source, normal(2, 9)))


def test_every_misfit_is_in_one_error_and_nothing_is_loaded(backend_name):
    net = mlp()
    before = ub.state(net)
    wrong = {name: array + 1 for name, array in before.items()}
    wrong["hidden.weight"] = wrong["hidden.weight"].T
    wrong["out.bias"] = wrong["out.bias"].astype("float64")
    wrong["extra.weight"] = wrong.pop("out.weight")
    with pytest.raises(ValueError, match="must fit MLP, and nothing was loaded") as caught:
        ub.load_state(net, wrong)
    for words in (
        "no out.weight",
        "an unknown extra.weight",
        "hidden.weight of shape (4, 5), not (5, 4)",
        "out.bias of dtype float64, not float32",
    ):
        assert words in str(caught.value)
    for name, array in ub.state(net).items():
        np.testing.assert_array_equal(array, before[name])


def test_a_misfit_leaves_an_unbuilt_block_unbuilt(backend_name):
    net = ub.MLP(5, 3)
    wrong = {**ub.state(mlp()), "hidden.weight": np.zeros((6, 4), "float32")}
    with pytest.raises(
        ub.StateMismatchError, match=r"hidden.weight of shape \(6, 4\), not \(5, any\)"
    ):
        ub.load_state(net, wrong)
    with pytest.raises(ub.NotBuiltError):
        ub.state(net)


@pytest.mark.parametrize(
    "question",
    [
        ub.state,
        ub.initialize,
        lambda net: ub.value_and_grad(net, normal(2, 4), loss="sum"),
        lambda net: ub.state(ub.Trainer(net, ub.SGD(0.1), "mse")),
    ],
)
def test_before_build_the_error_names_the_remedy(backend_name, question):
    net = ub.MLP()
    with pytest.raises(
        ub.NotBuiltError, match=r"no hidden\.weight.*call ub\.build\(net, input_shape\)"
    ):
        question(net)
    question(ub.build(net, (2, 4)))


def test_a_call_builds(backend_name):
    net = ub.MLP()
    net(ub.from_numpy(normal(2, 4)))
    assert ub.state(net)["hidden.weight"].shape == (256, 4)


def test_build_returns_the_model_and_keeps_its_mode(backend_name):
    net = ub.MLP()
    training = getattr(net, "training", None)
    assert ub.build(net, [(2, 4)]) is net
    assert getattr(net, "training", None) == training


def test_state_of_a_native_model(backend_name):
    native = layer(backend_name, 3)
    if backend_name == "mxnet":
        with np_semantics():
            native.initialize()
            ub.build(native, (2, 4))
    else:
        ub.build(native, (2, 4))
    assert {name: a.shape for name, a in ub.state(native).items()} == {
        "weight": (3, 4),
        "bias": (3,),
    }


def np_semantics():
    from unified_blocks_mxnet.compat import numpy_semantics

    return numpy_semantics()


# initialize


@pytest.mark.parametrize(
    ("scheme", "bound", "bias_bound"),
    [
        ("glorot_uniform", math.sqrt(6 / 9), 0),
        ("he_uniform", math.sqrt(6 / 4), 0),
        ("torch_default", 1 / 2, 1 / 2),
        ("keras_default", math.sqrt(6 / 9), 0),
        ("gluon_default", 0.07, 0),
    ],
)
def test_schemes_draw_from_their_bounds(backend_name, scheme, bound, bias_bound):
    net = ub.Dense(5, in_units=4)
    drawn = [ub.state(ub.initialize(net, seed, scheme)) for seed in range(40)]
    weights = np.abs([state["weight"] for state in drawn])
    biases = np.abs([state["bias"] for state in drawn])
    assert 0.95 * bound < weights.max() <= bound * (1 + 1e-6)
    assert biases.max() <= bias_bound * (1 + 1e-6)
    assert biases.max() >= 0.9 * bias_bound


def test_the_numbers_are_those_that_the_docstring_says(backend_name):
    """One PCG64, sorted names, float64 and then cast."""
    net = ub.initialize(ub.FixedHiddenMLP(3), 11)
    generator = np.random.Generator(np.random.PCG64(11))
    bound = math.sqrt(6 / 6)
    expected = {
        "dense.bias": np.zeros(3),
        "dense.weight": generator.uniform(-bound, bound, (3, 3)),
        "rand_weight": generator.random((3, 3)),
    }
    for name, array in ub.state(net).items():
        np.testing.assert_array_equal(array, expected[name].astype("float32"))


def test_another_seed_draws_other_numbers(backend_name):
    net = ub.FixedHiddenMLP(4)
    first = ub.state(ub.initialize(net, 0))
    second = ub.state(ub.initialize(net, 1))
    for name in ("rand_weight", "dense.weight"):
        assert not np.array_equal(first[name], second[name])


def test_float32_numbers_are_the_rounded_float64_ones(backend_name):
    wide, narrow = (ub.initialize(ub.Dense(5, in_units=4, dtype=d), 2) for d in DTYPES)
    np.testing.assert_array_equal(
        ub.state(narrow)["weight"], ub.state(wide)["weight"].astype("float32")
    )


def test_an_unknown_scheme_lists_the_known_ones(backend_name):
    with pytest.raises(
        ValueError, match=r"scheme must be one of glorot_uniform.*got scheme='xavier'"
    ):
        ub.initialize(mlp(), scheme="xavier")


# dtypes


def test_use_dtype_holds_inside_the_with_only(backend_name):
    with ub.use_dtype("float64"):
        wide = mlp()
    for net, dtype in ((wide, "float64"), (mlp(), "float32")):
        assert {array.dtype for array in ub.state(net).values()} == {np.dtype(dtype)}


def test_dtype_wins_over_use_dtype(backend_name):
    with ub.use_dtype("float32"):
        net = ub.MLP(in_units=4, dtype="float64")
    assert ub.state(net)["out.bias"].dtype == "float64"
    assert run(net, normal(2, 4, dtype="float64")).dtype == "float64"


def test_dtype_may_be_numpys_or_the_frameworks_own(backend_name):
    own = {"torch": "torch", "tensorflow": "tensorflow", "mxnet": "numpy"}[backend_name]
    for dtype in (np.float64, np.dtype("float64"), __import__(own).float64):
        assert ub.state(ub.Dense(2, in_units=3, dtype=dtype))["weight"].dtype == "float64"


@pytest.mark.parametrize("name", ["mlp", "fixed", "chain"])
def test_cast_changes_every_number_and_what_is_computed(backend_name, name):
    net = {
        "mlp": mlp,
        "fixed": lambda: ub.FixedHiddenMLP(4),
        "chain": lambda: ub.build(
            ub.MySequential(ub.MLP(5, 4), layer(backend_name, 4), ub.FixedHiddenMLP(4)), (2, 4)
        ),
    }[name]()
    numbers = ub.state(net)
    wide = ub.cast(net, "float64")
    assert (wide is net) == (backend_name != "tensorflow")
    for key, array in ub.state(wide).items():
        assert array.dtype == "float64"
        np.testing.assert_array_equal(array, numbers[key])
    x = normal(2, 4, dtype="float64")
    assert run(wide, x).dtype == "float64"
    gradients = ub.value_and_grad(wide, x, loss="sum")[1]
    assert {g.dtype for g in gradients.values()} == {np.dtype("float64")}
    assert ub.state(ub.cast(wide, "float32"))[next(iter(numbers))].dtype == "float32"


def test_a_cast_block_is_copied_in_its_new_dtype(backend_name):
    import copy

    net = copy.deepcopy(ub.cast(ub.MLP(5, 3, in_units=4, dtype="float32"), "float64"))
    assert {array.dtype for array in ub.state(net).values()} == {np.dtype("float64")}
    arguments = net._origin.arguments
    assert arguments.keywords["dtype"] == arguments.dtype == "float64"


# tensors


@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "int32", "bool"])
def test_tensors_keep_their_numbers_and_dtype(backend_name, kind):
    array = (normal(3, 2) * 5).astype(kind)
    tensor = ub.from_numpy(array)
    assert ub.backend_of(tensor).name == backend_name
    back = ub.to_numpy(tensor)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_from_numpy_copies_when_told(backend_name):
    array = normal(3)
    tensor = ub.from_numpy(array, copy=True)
    array[:] = 0
    assert ub.to_numpy(tensor).all()


def test_scalars_keep_their_shape(backend_name):
    assert ub.to_numpy(ub.from_numpy(np.float32(2.5))).shape == ()


def test_as_tensor_goes_between_any_two(backend_name):
    x = ub.from_numpy(normal(2, 3))
    assert ub.as_tensor(x, backend_name) is x
    for other in ub.available_backends():
        there = ub.as_tensor(x, other)
        assert ub.backend_of(there).name == other
        np.testing.assert_array_equal(ub.to_numpy(there), normal(2, 3))


def test_backend_of_what_has_none():
    with pytest.raises(
        TypeError, match=r"tensor or a model of torch, tensorflow, mxnet; got builtins\.list"
    ):
        ub.backend_of([1, 2])


@pytest.mark.parametrize("make_net", [ub.MLP, ub.NestMLP])
def test_load_state_builds_in_every_dtype(backend_name, dtype, make_net):
    source = ub.initialize(ub.build(make_net(dtype=dtype), (2, 4)), 0, "torch_default")
    target = ub.load_state(make_net(dtype=dtype), ub.state(source))
    x = normal(2, 4, dtype=dtype)
    np.testing.assert_array_equal(run(target, x), run(source, x))


def test_arrays_of_any_memory_order(backend_name):
    net = ub.Dense(3, in_units=4)
    state = {"weight": normal(4, 3).T[::-1], "bias": normal(6)[::-2]}
    ub.load_state(net, state)
    for name, array in state.items():
        np.testing.assert_array_equal(ub.state(net)[name], array)
    x = normal(2, 8)[::-1, ::2]
    np.testing.assert_array_equal(ub.to_numpy(ub.from_numpy(x)), x)


def test_a_dtype_of_numpy_survives_a_copy(backend_name):
    import copy

    net = copy.deepcopy(ub.MLP(5, 3, in_units=4, dtype=np.float64))
    assert ub.state(net)["out.bias"].dtype == "float64"


@pytest.mark.parametrize(
    ("rename", "remedy"),
    [
        (lambda name: f"module.{name}", r"begin with 'module\.': ub\.transfer\(.*removeprefix"),
        (lambda name: name.replace("hidden", "fc1"), r'match="order"\), or rename='),
    ],
)
def test_where_only_names_differ_the_error_says_how_to_pair_them(backend_name, rename, remedy):
    net = ub.build(ub.MLP(6, 5), (2, 4))
    state = {rename(name): array for name, array in ub.state(net).items()}
    with pytest.raises(ub.StateMismatchError, match=remedy):
        ub.load_state(net, state)
    other = {**state, "more": np.ones(3)}
    with pytest.raises(ub.StateMismatchError) as error:
        ub.load_state(net, other)
    prefixed = "removeprefix" in remedy
    said = "removeprefix('module.') if name.startswith('module.') else None)"
    assert (said in str(error.value)) is prefixed
    assert ("ub.transfer" in str(error.value)) is prefixed
    if prefixed:

        def without(name):
            return name.removeprefix("module.") if name.startswith("module.") else None

        ub.transfer(other, net, rename=without)
