"""The deep networks of images: one block written once is the same network on every framework."""

import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, normal, run
from testbed.gallery import EXAMPLES, example

SMALL_INVERTED = ((1, 8, 1, 1), (6, 12, 2, 2))
SMALL_INCEPTION = (((4, (3, 4), (2, 3), 2), (4, (3, 4), (2, 3), 2)), ((5, (2, 3), (2, 4), 3),))
NETWORKS = {
    "ResNet-18": lambda book: book("resnet").resnet(18, 4, width=4),
    "ResNet-18 v2": lambda book: book("resnet").resnet(18, 4, width=4, version=2),
    "ResNet-50": lambda book: book("resnet").resnet(50, 4, width=4),
    "ResNet-50 v2": lambda book: book("resnet").resnet(50, 4, width=4, version=2),
    "ResNeXt": lambda book: book("resnext").resnext((1, 2), 4, width=32, groups=4),
    "DenseNet": lambda book: book("densenet").densenet((2, 3), 4, width=8, growth=4),
    "GoogLeNet": lambda book: book("googlenet").googlenet(4, SMALL_INCEPTION),
    "MobileNetV2": lambda book: book("mobilenet").mobilenet(4, SMALL_INVERTED, 8, 24, rate=0.0),
}
X = normal(4, 3, 35, 33, dtype="float64")
Y = normal(4, 4, dtype="float64", seed=1)
every = pytest.mark.parametrize("name", NETWORKS)


def made(name, backend_name, layout="channels_first", dtype="float64"):
    """The network, with numbers, and what it takes in that layout."""
    x = X.astype(dtype) if layout == "channels_first" else np.moveaxis(X.astype(dtype), 1, -1)
    with ub.use_backend(backend_name), ub.use_dtype(dtype), ub.use_layout(layout):
        net = ub.build(NETWORKS[name](lambda module: example(f"book/{module}")), x.shape)
    return ub.initialize(net, 1, "he_uniform"), np.ascontiguousarray(x)


def output(net, x):
    backend = ub.backend_of(net)
    return backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))


@dataclass(frozen=True)
class Found:
    """What a network computes: its output, its loss and gradients, and five steps of it.

    The steps are small: norms over few numbers make a thousand times as much of a difference at
    each. They move the running statistics too, on which the last output depends.
    """

    output: np.ndarray
    loss: float
    gradients: dict[str, np.ndarray]
    losses: np.ndarray
    after: np.ndarray

    @classmethod
    def of(cls, net, x):
        before = output(net, x)
        loss, gradients = ub.value_and_grad(net, x, Y, loss="mse", wrt="both")
        trainer = ub.Trainer(net, ub.SGD(1 / 32768, momentum=0.5), "mse")
        losses = [float(ub.to_numpy(trainer.step(x, Y))) for _ in range(5)]
        return cls(before, loss, gradients, np.array(losses), output(net, x))


@cache
def wanted(name):
    """What the first framework that is here finds, and the numbers of its network."""
    net, x = made(name, HERE[0])
    numbers = ub.state(net)
    return numbers, Found.of(net, x)


@every
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_it_is_the_same_everywhere(backend_name, name, layout):
    """As the same block on another framework, in either layout."""
    if (backend_name, layout) == (HERE[0], "channels_first"):
        pytest.skip("it is what the others are compared with")
    numbers, expected = wanted(name)
    net, x = made(name, backend_name, layout)
    found = Found.of(ub.load_state(net, numbers), x)
    np.testing.assert_allclose(found.output, expected.output, rtol=1e-9, atol=1e-10)
    assert found.loss == pytest.approx(expected.loss, rel=1e-9)
    if layout == "channels_last":
        found.gradients["x"] = np.moveaxis(found.gradients["x"], -1, 1)
    assert found.gradients.keys() == expected.gradients.keys()
    for key, gradient in expected.gradients.items():
        largest = np.abs(gradient).max()
        np.testing.assert_allclose(
            found.gradients[key], gradient, rtol=1e-8, atol=1e-9 * largest, err_msg=key
        )
    np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-8)
    np.testing.assert_allclose(found.after, expected.after, rtol=1e-8, atol=1e-9)


@every
def test_compare_and_convert(backend_name, name):
    net, x = made(name, backend_name)
    made_last, away = ub.convert(
        net, backend_name, example=x, layout="channels_last", return_deviation=True
    )
    assert away.ok
    assert ub.compare(net, made_last, x, layouts=("NCHW", "NHWC")).ok


@every
def test_files_of_the_framework(backend_name, name, tmp_path):
    net, x = made(name, backend_name, dtype="float32")
    wanted = output(net, x)
    if backend_name == "torch":
        import torch

        net.eval()
        torch.export.save(torch.export.export(net, (torch.from_numpy(x),)), tmp_path / "net.pt2")
        loaded = torch.export.load(tmp_path / "net.pt2").module()
        found = loaded(torch.from_numpy(x)).detach().numpy()
    elif backend_name == "tensorflow":
        import keras

        from testbed.served import served

        net.save(tmp_path / "net.keras")
        found = output(keras.models.load_model(tmp_path / "net.keras"), x)
        np.testing.assert_allclose(served(net, tmp_path, x), found, rtol=1e-4, atol=1e-5)
    else:
        from unified_blocks_mxnet.compat import mx, numpy_semantics

        net.hybridize()
        np.testing.assert_allclose(run(net, x), wanted, rtol=1e-4, atol=1e-4)
        net.export(str(tmp_path / "net"))
        with numpy_semantics(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Cannot decide type")
            loaded = mx.gluon.SymbolBlock.imports(
                str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params")
            )
            found = loaded(ub.from_numpy(x)).asnumpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("module", ["resnet", "resnext", "densenet", "googlenet", "mobilenet"])
def test_it_is_short(module):
    assert len((EXAMPLES / "book" / f"{module}.py").read_text().splitlines()) <= 60


SIZES = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160, 152: 60_192_808}
"""The parameters of each depth, running statistics apart."""


@pytest.mark.parametrize("depth", SIZES)
def test_the_number_of_parameters(backend_name, depth):
    if backend_name != "torch":
        pytest.skip("PyTorch counts without numbers")
    import torch

    with torch.device("meta"):
        net = example("book/resnet").resnet(depth)
        net.eval()(torch.ones(1, 3, 224, 224))
    assert sum(parameter.numel() for parameter in net.parameters()) == SIZES[depth]


def test_resnet_152_on_real_images():
    """All its 60,192,808 parameters, in float64, on handwritten digits in three colours."""
    datasets = pytest.importorskip("sklearn.datasets")
    if len(HERE) < 2:
        pytest.skip("fewer than two frameworks are installed")
    digits = datasets.load_digits().images[:2] / 16  # (2, 8, 8)
    x = np.repeat(np.kron(digits, np.ones((4, 4)))[:, None], 3, axis=1)  # (2, 3, 32, 32)
    numbers, outputs = None, []
    for name in HERE:
        with ub.use_backend(name) as backend, ub.use_dtype("float64"):
            net = ub.build(example("book/resnet").resnet(152), x.shape)
        if numbers is None:
            numbers = ub.state(ub.initialize(net, 1, "he_uniform"))
            sizes = [v.read().size for v in backend.variables(net) if v.role == "parameter"]
            assert sum(sizes) == 60_192_808
        outputs.append(output(ub.load_state(net, numbers), x))
        del net
    for found in outputs[1:]:
        scale = np.abs(outputs[0]).max()
        np.testing.assert_allclose(found / scale, outputs[0] / scale, rtol=0, atol=1e-9)
