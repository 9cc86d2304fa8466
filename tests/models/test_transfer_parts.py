"""Transfers of a part, to another precision, and by order between models written by hand."""

import re
import warnings

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

OTHERS = ub.available_backends()
SHAPE = (2, 4)


def mlp(classes, seed=0, **options):
    return ub.initialize(ub.build(ub.MLP(5, classes, **options), SHAPE), seed)


def warned_of(question):
    """The warnings, but for those of the frameworks."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        question()
    return [each for each in caught if "transfer" in str(each.message)]


# a part


@pytest.mark.parametrize("other", OTHERS)
def test_a_replaced_head_stays_and_the_rest_moves(backend_name, other):
    source = mlp(7)
    with ub.use_backend(other):
        target, before = mlp(3, 1), ub.state(mlp(3, 1))
    with pytest.raises(ub.StateMismatchError, match=r"out\.weight of shape \(7, 5\).*partial=True"):
        ub.transfer(source, target)
    (warned,) = warned_of(lambda: ub.transfer(source, target, partial=True))
    assert warned.filename == __file__
    said = str(warned.message)
    assert "keeps its own out.weight, out.bias (out.weight of shape (7, 5), not (3, 5)" in said
    assert said.endswith("of the source out.weight, out.bias was not used")
    after = ub.state(target)
    for name in ("weight", "bias"):
        np.testing.assert_array_equal(after[f"hidden.{name}"], ub.state(source)[f"hidden.{name}"])
        np.testing.assert_array_equal(after[f"out.{name}"], before[f"out.{name}"])


def test_a_layer_of_which_a_part_fits_stays_as_a_whole(backend_name):
    source, target = mlp(3), ub.initialize(ub.build(ub.MLP(6, 3), SHAPE), 1)
    state = {**ub.state(source), "hidden.bias": normal(6)}
    before = ub.state(target)
    del state["out.weight"]
    with pytest.raises(ub.StateMismatchError, match=r"some layer of the source must fit MLP.*got"):
        ub.transfer(state, target, partial=True)
    assert ub.diff_state(target, before).equal


def test_all_that_fits_and_nothing_left_over_says_nothing(backend_name):
    source, target = mlp(3), mlp(3, 1)
    assert ub.diff_state(ub.transfer(source, target, partial=True), source).equal


def test_what_is_left_of_the_source_is_named(backend_name):
    source, target = mlp(3), ub.build(ub.MySequential(ub.Dense(5)), SHAPE)
    rename = {"hidden": "0"}
    (warned,) = warned_of(lambda: ub.transfer(source, target, rename=rename, partial=True))
    said = "keeps its own nothing; of the source out.weight, out.bias was not used"
    assert str(warned.message).endswith(said)
    np.testing.assert_array_equal(ub.state(target)["0.weight"], ub.state(source)["hidden.weight"])


@pytest.mark.parametrize("other", OTHERS)
def test_by_order_the_layers_up_to_the_first_that_differs_move(backend_name, other):
    def net(*units):
        made = ub.MySequential.on(other if len(units) == 4 else backend_name)(*map(ub.Dense, units))
        return ub.initialize(ub.build(made, SHAPE), len(units))

    with ub.use_backend(backend_name):
        source = net(4, 4, 6, 4, 4)
    with ub.use_backend(other):
        target, before = net(4, 4, 5, 4), ub.state(net(4, 4, 5, 4))
    (warned,) = warned_of(lambda: ub.transfer(source, target, match="order", partial=True))
    words = r"own 2\.weight, 2\.bias, 3\..*source 2\.weight, 2\.bias, 3\.weight, .* was not used"
    assert re.search(words, str(warned.message))
    after, wanted = ub.state(target), ub.state(source)
    for i in range(4):
        expected = wanted if i < 2 else before
        np.testing.assert_array_equal(after[f"{i}.weight"], expected[f"{i}.weight"])


@pytest.mark.parametrize("match", ["name", "order"])
def test_nothing_that_fits_is_an_error(backend_name, match):
    source, target = mlp(3), ub.build(ub.Dense(7), SHAPE)
    with pytest.raises(ub.StateMismatchError, match=r"hidden\.weight.* for weight, bias"):
        ub.transfer(source, target, match=match, partial=True)


def test_another_dtype_is_no_reason_to_leave_a_layer_out(backend_name):
    with pytest.raises(ub.StateMismatchError, match="dtype float64, not float32"):
        ub.transfer(mlp(3, dtype="float64"), mlp(4, 1), partial=True)


# another precision


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("built", [True, False])
def test_float64_and_float32_are_cast_to_each_other(backend_name, other, built):
    for one, two in (("float64", "float32"), ("float32", "float64")):
        source = mlp(3, dtype=one)
        target = ub.MLP.on(other)(5, 3, dtype=two)
        target = ub.build(target, SHAPE) if built else target
        with pytest.raises(ub.StateMismatchError, match=f"of dtype {one}, not {two}.*cast=True"):
            ub.transfer(source, target)
        ub.transfer(source, target, cast=True)
        for name, array in ub.state(source).items():
            np.testing.assert_array_equal(ub.state(target)[name], array.astype(two))
            assert ub.state(target)[name].dtype == two


HALVES = [("torch", "float16"), ("torch", "bfloat16")]
HALVES += [("tensorflow", "float16"), ("tensorflow", "bfloat16"), ("mxnet", "float16")]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_goes_there_and_back(backend_name, other, dtype):
    if (backend_name, dtype) not in HALVES:
        pytest.skip(f"{backend_name} has no {dtype}")
    with ub.use_backend(other):
        source = mlp(3)
    half = ub.cast(mlp(3, 1), dtype)
    ub.transfer(source, half, cast=True)
    with ub.use_backend(other):
        again = mlp(3, 2)
    ub.transfer(half, again, cast=True)
    for name, array in ub.state(source).items():
        found = ub.state(again)[name]
        np.testing.assert_allclose(found, array, rtol=2**-8 if dtype == "bfloat16" else 2**-11)
        assert not np.array_equal(found, array) or not array.any()
    other_half = ub.cast(mlp(3, 3), dtype)
    ub.transfer(half, other_half, cast=True)
    ub.transfer(other_half, again, cast=True)
    np.testing.assert_array_equal(ub.state(again)["out.weight"], found_of(half)["out.weight"])


def found_of(net):
    """The numbers of a model in half precision, in float32."""
    return {v.name: v.read().astype("float32") for v in ub.backend_of(net).variables(net)}


def test_bfloat16_without_a_cast_says_what_to_do(backend_name):
    if (backend_name, "bfloat16") not in HALVES:
        pytest.skip(f"{backend_name} has no bfloat16")
    half = ub.cast(mlp(3), "bfloat16")
    for source, target in ((half, mlp(3)), (mlp(3), half)):
        with pytest.raises(ub.UnsupportedError, match=r"or ub\.transfer\(…, cast=True\)"):
            ub.transfer(source, target)


def test_a_state_and_a_file_are_cast(backend_name, tmp_path):
    source, target = mlp(3), mlp(3, 1)
    state = {name: array.astype("float16") for name, array in ub.state(source).items()}
    ub.write_state(state, tmp_path / "half.safetensors")
    for half in (state, ub.read_state(tmp_path / "half.safetensors")):
        ub.initialize(target, 2)
        with pytest.raises(ub.StateMismatchError, match="dtype float16, not float32"):
            ub.transfer(half, target)
        ub.transfer(half, target, cast=True, match="order")
        np.testing.assert_array_equal(ub.state(target)["out.weight"], state["out.weight"])


def test_a_file_and_a_state_of_bfloat16_are_cast(backend_name, tmp_path):
    torch = pytest.importorskip("torch")
    source, target = mlp(3), mlp(3, 1, dtype="float64")
    tensors = {n: torch.from_numpy(a).bfloat16() for n, a in ub.state(source).items()}
    torch.save(tensors, tmp_path / "half.pt")
    ub.transfer(ub.read_state(tmp_path / "half.pt"), target, cast=True)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(ub.state(target)[name], tensor.double().numpy())
    numpy_has = pytest.importorskip("ml_dtypes").bfloat16
    ub.initialize(target, 2)
    ub.transfer({n: a.astype(numpy_has) for n, a in ub.state(source).items()}, target, cast=True)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(ub.state(target)[name], tensor.double().numpy())


@pytest.mark.parametrize(
    ("dtype", "value", "fits"),
    [
        ("float16", 65504.0, True),
        ("float16", 65519.9, True),
        ("float16", 65520.0, False),
        ("float16", np.inf, True),
        ("bfloat16", 3.39e38, True),
        ("bfloat16", 3.3961775e38, False),
        ("bfloat16", -1e300, False),
        ("float32", 1e39, False),
        ("float32", -np.inf, True),
    ],
)
def test_a_number_that_would_be_infinite_is_an_error(dtype, value, fits):
    torch = pytest.importorskip("torch")
    target = torch.nn.Linear(2, 1).to(getattr(torch, dtype))
    state = {"weight": np.array([[1.0, value]]), "bias": np.zeros(1)}
    before = target.weight.clone()
    if fits:
        ub.transfer(state, target, cast=True)
        twin = torch.tensor([[1.0, value]], dtype=torch.float64).to(target.weight.dtype)
        assert torch.equal(target.weight, twin)
        assert bool(torch.isfinite(twin).all()) == bool(np.isfinite(value))
    else:
        with pytest.raises(ub.StateMismatchError, match=rf"weight: .* beyond what {dtype} holds"):
            ub.transfer(state, target, cast=True)
        assert torch.equal(target.weight, before)
        twin = torch.tensor([[1.0, value]], dtype=torch.float64).to(target.weight.dtype)
        assert not torch.isfinite(twin).all()


def test_whole_numbers_are_not_cast(backend_name):
    state = {name: np.ones(a.shape, "int32") for name, a in ub.state(mlp(3)).items()}
    with pytest.raises(ub.StateMismatchError, match=r"of dtype int32, not float32[^;]*$"):
        ub.transfer(state, mlp(3, 1), cast=True)


# by order, what a layer is


def vision(backend_name, name, class_name="ViT"):
    """A token, and a head of some name, in a class of some name."""
    if backend_name == "torch":
        import torch

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.token = torch.nn.Parameter(torch.randn(1, 1, 4))
                self.register_buffer("place", torch.randn(3, 4))
                setattr(self, name, torch.nn.Linear(4, 2))

        return type(class_name, (Net,), {})()
    if backend_name == "tensorflow":
        import keras

        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.token = self.add_weight(shape=(1, 1, 4), name="t", initializer="normal")
                self.place = self.add_weight(
                    shape=(3, 4), name="p", initializer="normal", trainable=False
                )
                setattr(self, name, keras.layers.Dense(2))
                getattr(self, name).build((None, 4))

        return type(class_name, (Net,), {})()
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    class Net(mx.gluon.nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.token = self.params.get("token", shape=(1, 1, 4), init="normal")
            self.place = self.params.get("place", shape=(3, 4), differentiable=False, init="normal")
            setattr(self, name, mx.gluon.nn.Dense(2, in_units=4))

    with numpy_semantics():
        net = type(class_name, (Net,), {})()
        net.initialize()
    return net


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("class_name", ["VisionTransformer", "Dense", "Embedding"])
def test_a_class_may_have_any_name(backend_name, other, class_name):
    source, target = vision(backend_name, "head"), vision(other, "fc", class_name)
    for a, b in ((source, target), (target, source)):
        ub.transfer(a, b, match="order")
        first, second = ub.state(a), ub.state(b)
        assert len(first) == 4
        for x, y in zip(first.values(), second.values(), strict=True):
            np.testing.assert_array_equal(x, y)
