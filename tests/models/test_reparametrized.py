"""Weights that PyTorch computes by `weight_norm` and `spectral_norm`, in transfers."""

import copy

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

torch = pytest.importorskip("torch")
nn = torch.nn
old, new = torch.nn.utils, torch.nn.utils.parametrizations

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated:FutureWarning")


@pytest.fixture(autouse=True)
def of_pytorch(backend_name):
    if backend_name != "torch":
        pytest.skip("only PyTorch has them")


LAYERS = {
    "dense": (lambda: nn.Linear(4, 4), {}, (3, 4)),
    "without a bias": (lambda: nn.Linear(4, 5, bias=False), {}, (3, 4)),
    "convolution": (lambda: nn.Conv1d(3, 5, 3), {}, (2, 3, 6)),
    "transposed": (lambda: nn.ConvTranspose2d(3, 3, 1), {}, (2, 3, 4, 4)),
    "along the inputs": (lambda: nn.Conv1d(3, 5, 3), {"dim": 1}, (2, 3, 6)),
}


def net_of(name, how, seed):
    """A Sequential of a layer, its weight by `how`, each number random."""
    torch.manual_seed(seed)
    make, options, shape = LAYERS[name]
    layer = make()
    nn.init.normal_(layer.weight)
    net = nn.Sequential(layer if how is None else how(layer, **options))
    net.train()
    for _ in range(3):  # spectral_norm improves its vectors in each call
        net(torch.randn(shape))
    net.eval()
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.endswith(("_g", "original0")):
                parameter.mul_(torch.rand_like(parameter) + 0.5)
    return net


FORMS = {
    "weight": (old.weight_norm, new.weight_norm),
    "spectral": (old.spectral_norm, new.spectral_norm),
}


def outputs(net, name):
    x = torch.from_numpy(normal(*LAYERS[name][2]))
    with torch.no_grad():
        return net(x).numpy()


@pytest.mark.parametrize("match", ["name", "order"])
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("kind", FORMS)
def test_the_old_form_and_the_new_one_hold_the_same_numbers(kind, name, match):
    for first, second in (FORMS[kind], FORMS[kind][::-1]):
        source, target = net_of(name, first, 0), net_of(name, second, 1)
        ub.transfer(source, target, match=match)
        np.testing.assert_allclose(outputs(target, name), outputs(source, name), rtol=1e-6)
        assert len(ub.state(source)) == len(ub.state(target))


@pytest.mark.parametrize("match", ["name", "order"])
@pytest.mark.parametrize("through", ["model", "file", "state"])
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("kind", "form"), [(k, i) for k in FORMS for i in (0, 1)])
def test_the_weight_goes_to_a_layer_that_holds_it(kind, form, name, through, match, tmp_path):
    net = net_of(name, FORMS[kind][form], 0)
    expected = outputs(net, name)
    target = net_of(name, None, 1)
    source = net
    if through == "file":
        torch.save(net.state_dict(), tmp_path / "net.pt")
        source = ub.read_state(tmp_path / "net.pt")
    elif through == "state":
        source = ub.state(net)
    ub.transfer(source, target, match=match)
    np.testing.assert_allclose(outputs(target, name), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("match", ["name", "order"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_weight_becomes_lengths_and_directions(name, match):
    for form in FORMS["weight"]:
        source, target = net_of(name, None, 0), net_of(name, form, 1)
        with torch.no_grad():
            if name == "dense":
                source[0].weight[1] = 0  # of no length
        ub.transfer(source, target, match=match)
        np.testing.assert_allclose(
            outputs(target, name), outputs(source, name), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("form", [0, 1])
def test_a_norm_over_the_whole_weight(form):
    source = nn.Sequential(FORMS["weight"][form](nn.Linear(4, 5), dim=None))
    target = nn.Sequential(nn.Linear(4, 5))
    with torch.no_grad():
        next(p for n, p in source.named_parameters() if n.endswith(("_g", "original0"))).mul_(3)
    x = torch.from_numpy(normal(3, 4))
    ub.transfer(source, target)
    torch.testing.assert_close(target(x), source(x))
    ub.transfer(target, source)
    torch.testing.assert_close(source(x), target(x))


@pytest.mark.parametrize("form", [0, 1])
def test_a_weight_by_its_largest_singular_value_cannot_be_given(form):
    target = net_of("dense", FORMS["spectral"][form], 0)
    before = copy.deepcopy(target.state_dict())
    with pytest.raises(ub.StateMismatchError, match=r"take it off first, torch\.nn\.utils\.param"):
        ub.transfer(net_of("dense", None, 1), target)
    for name, tensor in target.state_dict().items():
        assert torch.equal(tensor, before[name])


class Scaled(nn.Module):
    """A parametrization whose two tensors have the names of those of `weight_norm`."""

    def forward(self, scale, weight):
        return scale * weight

    def right_inverse(self, weight):
        return torch.full((4, 1), 2.0), weight / 2


def test_another_parametrization_is_not_taken_for_weight_norm():
    net = nn.Sequential(nn.Linear(4, 4))
    torch.nn.utils.parametrize.register_parametrization(net[0], "weight", Scaled())
    names = {"0.parametrizations.weight.original0", "0.parametrizations.weight.original1"}
    assert names < ub.state(net).keys()
    with pytest.raises(ub.StateMismatchError, match=r"no 0\.weight; an unknown 0\.param"):
        ub.transfer(net, nn.Sequential(nn.Linear(4, 4)))
    twin = copy.deepcopy(net)
    with torch.no_grad():
        twin[0].bias += 1
    assert ub.diff_state(ub.transfer(net, twin), net).equal


def test_a_part_of_a_model_may_be_so_and_have_other_names():
    source = nn.ModuleDict(
        {"body": nn.Sequential(new.weight_norm(nn.Linear(4, 4)), nn.Linear(4, 3))}
    )
    target = nn.ModuleDict({"trunk": nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))})
    ub.transfer(source, target, rename={"body": "trunk"})
    x = torch.from_numpy(normal(3, 4))
    torch.testing.assert_close(target["trunk"](x), source["body"](x))


def test_a_weight_by_weight_norm_goes_to_keras():
    keras = pytest.importorskip("keras", exc_type=(ImportError, AttributeError))
    source = nn.Sequential(old.weight_norm(nn.Conv1d(3, 5, 3)))
    target = keras.Sequential([keras.layers.Conv1D(5, 3)])
    target.build((None, 6, 3))
    ub.transfer(source, target)
    x = normal(2, 6, 3)
    expected = source(torch.from_numpy(np.moveaxis(x, -1, 1).copy())).detach().numpy()
    np.testing.assert_allclose(np.moveaxis(target(x), -1, 1), expected, rtol=1e-4, atol=1e-5)
