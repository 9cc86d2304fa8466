"""Why native models differ: PyTorch's own, users' classes, and their ports to Keras."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, normal

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif("torch" not in HERE, reason="one of the models is PyTorch's")
keras_too = pytest.mark.skipif("tensorflow" not in HERE, reason="the other is of Keras")

nn = torch.nn
X = normal(5, 6)


@pytest.fixture(autouse=True)
def numbers():
    torch.manual_seed(0)


def first(a, b, x=X, **options):
    """The name and the cause of the first difference."""
    found = ub.compare(a, b, x, **options)
    assert not found
    return found.first_difference.name, found.cause


def ported(a, layers, x):
    import keras

    return ub.transfer(a, ub.build(keras.Sequential(layers(keras.layers)), x.shape))


# dtypes


@keras_too
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_mixed_policy_is_another_dtype(policy):
    a = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3))
    for last in (policy, "float32"):
        b = ported(
            a,
            lambda of, last=last: [
                of.Dense(16, dtype=policy),
                of.Activation("tanh", dtype=policy),
                of.Dense(3, dtype=last),
            ],
            X,
        )
        assert first(a, b) == ("0", "another_dtype")


@keras_too
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_parameters_in_half_precision_are_another_dtype(dtype):
    import keras

    a = nn.Sequential(nn.Linear(6, 3))
    b = ub.build(keras.Sequential([keras.layers.Dense(3, dtype=dtype)]), X.shape)
    b.layers[0].kernel.assign(ub.state(a)["0.weight"].T)
    b.layers[0].bias.assign(ub.state(a)["0.bias"])
    assert first(a, b) == ("0.weight", "another_dtype")
    half = nn.Sequential(nn.Linear(6, 3))
    half.load_state_dict(a.state_dict())
    assert first(a, half.to(getattr(torch, dtype))) == ("0.weight", "another_dtype")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_is_another_dtype_whether_its_output_is_cast_back_or_not(dtype):
    class Cast(nn.Sequential):
        back = False

        def forward(self, x):
            with torch.autocast("cpu", dtype=dtype):
                y = super().forward(x)
            return y.float() if self.back else y

    a, b = nn.Sequential(nn.Linear(6, 4)), Cast(nn.Linear(6, 4))
    b.load_state_dict(a.state_dict())
    assert first(a, b) == ("0", "another_dtype")

    class Whole(nn.Linear):
        """One layer, inside of which nothing can be seen."""

        def forward(self, x):
            with torch.autocast("cpu", dtype=dtype):
                return super().forward(x).float()

    c = nn.Sequential(Whole(6, 4))
    c.load_state_dict(a.state_dict())
    assert first(a, c) == ("0", "another_dtype")
    assert first(c, a) == ("0", "another_dtype")


# weights


class Product(nn.Module):
    """`x W + b`, as GPT-2 has it."""

    def __init__(self, n=6):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(n, n)), nn.Parameter(torch.randn(n))

    def forward(self, x):
        return x @ self.weight + self.bias


class Plain(Product):
    """The same with other names, and without a bias."""

    def __init__(self, n=6):
        nn.Module.__init__(self)
        self.kernel = nn.Parameter(torch.randn(n, n))

    def forward(self, x):
        return x @ self.kernel


class Turned(Plain):
    def forward(self, x):
        return x @ self.kernel.T


def named(name, base):
    return type(name, (base,), {})()


@pytest.mark.parametrize("name", ["Conv1D", "Dense", "Mine"])
def test_a_square_weight_is_transposed_whichever_side_is_right(name):
    a, b = nn.Sequential(named(name, Product)), nn.Sequential(nn.Linear(6, 6))
    b.load_state_dict(a.state_dict())
    assert first(a, b) == first(b, a) == ("0", "transposed_square_weight")


def test_a_square_weight_of_another_name_is_transposed():
    a, b = nn.Sequential(Plain()), nn.Sequential(Turned())
    b.load_state_dict(a.state_dict())
    assert first(a, b) == first(b, a) == ("0", "transposed_square_weight")


@keras_too
def test_a_square_weight_of_a_layer_with_an_activation_is_transposed():
    class Activated(Product):
        def forward(self, x):
            return torch.tanh(super().forward(x))

    a = nn.Sequential(Activated())
    b = ported(nn.Sequential(nn.Linear(6, 6)), lambda of: [of.Dense(6, "tanh")], X)
    ub.transfer(ub.state(a), b)
    assert first(a, b) == first(b, a) == ("0", "transposed_square_weight")


INDUCTOR = "ignore:.*torch.jit.*:DeprecationWarning"  # PyTorch's compiler uses what it deprecated


def transposed(a):
    """The numbers of a model with each matrix transposed."""
    return {name: array.T.copy() for name, array in ub.state(a).items()}


@pytest.mark.filterwarnings(INDUCTOR)
@pytest.mark.parametrize("name", ["Conv1D", "Dense", "Mine"])
@pytest.mark.parametrize("mode", ["forward", "train", "gradient", "training", "compiled"])
def test_a_square_weight_that_is_held_transposed_is_the_same(name, mode):
    a, b = nn.Sequential(named(name, Product)), nn.Sequential(nn.Linear(6, 6))
    ub.load_state(b, transposed(a))
    for first, second in ((a, b), (b, a)):
        found = ub.compare(first, second, X, mode=mode)
        assert found, str(found)
        assert "the same, transposed" in str(found)
    assert ub.compare(a, b, X, mode="parameters").cause == "transposed_square_weight"
    with torch.no_grad():
        b[0].weight[1, 2] += 1
    assert not ub.compare(a, b, X, mode=mode)


@keras_too
def test_a_square_weight_that_keras_holds_transposed_is_the_same():
    a = nn.Sequential(Product())
    b = ported(nn.Sequential(nn.Linear(6, 6)), lambda of: [of.Dense(6)], X)
    ub.load_state(b, transposed(a))
    assert ub.compare(a, b, X), str(ub.compare(a, b, X))
    assert ub.compare(b, a, X)
    linear = nn.Sequential(nn.Linear(6, 6))
    linear.load_state_dict(a.state_dict())
    assert ub.compare(linear, b, X).first_difference.name == "0.weight"


def test_what_these_inputs_do_not_show_is_not_transposed():
    a, b = nn.Sequential(nn.Linear(6, 6)), nn.Sequential(nn.Linear(6, 6))
    ub.load_state(b, transposed(a))
    x = np.zeros((2, 6), "float32")
    assert first(a, b, x) == ("0.weight", "transposed_square_weight")


# whose numbers


class Towers(nn.Module):
    def __init__(self):
        super().__init__()
        self.user = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))
        self.item = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))

    def forward(self, x):
        return self.user(x) @ self.item(x).T


def test_towers_that_were_exchanged_are_told_by_name():
    a, b = Towers(), Towers()
    b.user.load_state_dict(a.item.state_dict())
    b.item.load_state_dict(a.user.state_dict())
    found = ub.compare(a, b, X)
    assert (found.first_difference.name, found.cause) == ("user.0.weight", "numbers_of_another")
    assert "These are the numbers of item.0." in str(found)
    c = Towers()
    c.load_state_dict(a.state_dict())
    c.user[0].load_state_dict(b.user[0].state_dict())
    assert "numbers of item.0." in str(ub.compare(a, c, X))


def test_numbers_of_no_other_layer_have_no_owner():
    a, b = Towers(), Towers()
    assert first(a, b) == ("user.0.weight", "unknown")
    with torch.no_grad():  # a constant is anyone's
        for tower in (a.item, b.user):
            tower[0].weight.fill_(1.0)
    assert first(a, b) == ("user.0.weight", "unknown")


# slopes


@keras_too
def test_the_slopes_of_keras_and_pytorch_differ():
    for x in (np.linspace(-2, 2, 12, dtype="float32").reshape(3, 4), 100 * normal(4, 6)):
        leaky = ported(nn.Sequential(nn.LeakyReLU()), lambda of: [of.LeakyReLU()], x)
        assert first(nn.Sequential(nn.LeakyReLU()), leaky, x) == ("0", "another_slope")
        assert first(leaky, nn.Sequential(nn.LeakyReLU()), x) == ("0", "another_slope")
        elu = ported(nn.Sequential(nn.ELU()), lambda of: [of.ELU(alpha=0.5)], x)
        assert first(nn.Sequential(nn.ELU()), elu, x) == ("0", "another_slope")
    a = nn.Sequential(nn.Linear(6, 4), nn.LeakyReLU())
    assert first(a, ported(a, lambda of: [of.Dense(4, "leaky_relu")], X)) == ("0", "another_slope")


def test_a_slope_of_0_or_1_is_another_or_no_activation():
    leaky = nn.Sequential(nn.LeakyReLU(0.3))
    assert first(leaky, nn.Sequential(nn.ReLU())) == ("0", "another_activation")
    assert first(leaky, nn.Sequential(nn.Identity()))[1] != "another_slope"


# no numbers


def test_what_holds_no_numbers_tells_no_cause():
    a, x = nn.Sequential(nn.ReflectionPad2d(1)), np.zeros((0, 3, 4, 4), "float32")
    assert first(a, nn.Sequential(nn.ZeroPad2d(2)), x) == ("0", "unknown")
    assert first(a, nn.Sequential(nn.Flatten()), x) == ("0", "unknown")

    class Wide(nn.ReflectionPad2d):
        def forward(self, x):
            return super().forward(x).double()

    assert first(a, nn.Sequential(Wide(1)), x) == ("0", "another_dtype")


# training


def test_what_a_pass_in_training_mode_shows_is_named_in_training_too():
    a = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Linear(6, 2))
    for options, cause in (({"momentum": 0.3}, "momentum"), ({"momentum": 0.0}, None)):
        b = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6, **options), nn.Linear(6, 2))
        b.load_state_dict(a.state_dict())
        for mode in ("train", "training"):
            name, found = first(a, b, mode=mode)
            assert (name, found) == ("1.running_mean", cause or "statistics_not_updated")
    with ub.use_backend("torch"):
        biased = ub.MySequential(ub.Dense(6), ub.BatchNorm(), ub.Dense(2))
        ub.build(biased, X.shape)
    ub.transfer(a, biased)
    for mode in ("train", "training"):
        assert first(biased, a, mode=mode) == ("1.running_var", "unbiased_variance")
