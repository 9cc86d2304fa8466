"""The book's networks of images: the same on every framework, with its own tools, in both layouts.

Each at a small size; the layers are the book's.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks import BlockContract
from testbed.common import normal, run
from testbed.gallery import EXAMPLES, example


@dataclass(frozen=True)
class Network:
    """A network of the book, small.

    Attributes:
        arguments: of its constructor.
        shape: of its input, channels first.
        whole: how many parameters it has by its defaults, for the book's images.
    """

    module: str
    block: str
    arguments: dict[str, Any]
    shape: tuple[int, ...]
    whole: int

    @property
    def cls(self):
        return getattr(example(f"book/{self.module}"), self.block)

    def make(self, **options):
        return self.cls(**{**self.arguments, **options})


NETWORKS = [
    Network("lenet", "LeNet", {"classes": 4}, (2, 1, 16, 15), 61_706),
    Network(
        "alexnet",
        "AlexNet",
        {"classes": 4, "channels": (3, 4, 5, 4, 3), "units": 6, "rate": 0.0},
        (2, 3, 67, 71),
        46_764_746,
    ),
    Network(
        "vgg",
        "VGG",
        {"classes": 4, "arch": ((1, 3), (2, 4)), "units": 6, "rate": 0.0},
        (2, 3, 9, 8),
        128_806_154,
    ),
    Network(
        "nin",
        "NiN",
        {"classes": 4, "channels": (3, 4, 5), "rate": 0.0},
        (2, 3, 67, 71),
        1_992_166,
    ),
]
every = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.block)

for each in NETWORKS:
    globals()[f"Test{each.block}"] = type(
        f"Test{each.block}",
        (BlockContract,),
        {
            "input_shape": each.shape,
            "output_shape": (2, 4),
            "loss": "mse",
            "dtypes": ("float64",),
            "make": lambda self, each=each: each.make(),
        },
    )


def built(network, backend_name, layout="channels_first", dtype="float64", **options):
    """The network, and an input in its layout."""
    x = normal(*network.shape, dtype=dtype)
    x = np.moveaxis(x, 1, -1) if layout == "channels_last" else x
    with ub.use_backend(backend_name), ub.use_dtype(dtype), ub.use_layout(layout):
        net = ub.build(network.make(**options), x.shape)
    net = ub.initialize(net, 1, "torch_default")
    return (net.eval() if backend_name == "torch" else net), np.ascontiguousarray(x)


@every
def test_it_is_short_and_names_the_chapter(network):
    text = (EXAMPLES / "book" / f"{network.module}.py").read_text()
    assert len(text.splitlines()) <= 60
    assert "Dive into Deep Learning" in text


@every
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_it_is_the_reference(backend_name, network, layout):
    net, x = built(network, backend_name, layout)
    state = {name.removeprefix("net."): array for name, array in ub.state(net).items()}
    expected = net.net.reference(state, x)
    np.testing.assert_allclose(run(net, x), expected, rtol=1e-9, atol=1e-12)


@every
def test_the_layout_changes_nothing_else(backend_name, network):
    first, x = built(network, backend_name)
    last, moved = built(network, backend_name, "channels_last")
    assert {k: v.shape for k, v in ub.state(first).items()} == {
        k: v.shape for k, v in ub.state(last).items()
    }
    np.testing.assert_allclose(run(last, moved), run(first, x), rtol=1e-9, atol=1e-12)
    y = normal(2, 4, dtype="float64")
    found = [ub.value_and_grad(n, a, y, loss="mse")[1] for n, a in ((first, x), (last, moved))]
    for name, gradient in found[0].items():
        np.testing.assert_allclose(found[1][name], gradient, rtol=1e-9, atol=1e-12)
    trainers = [ub.Trainer(net, ub.SGD(0.125, momentum=0.5), "mse") for net in (first, last)]
    for _ in range(5):
        losses = [
            float(ub.to_numpy(t.step(a, y))) for t, a in zip(trainers, (x, moved), strict=True)
        ]
        assert losses[0] == pytest.approx(losses[1], rel=1e-9)


@every
def test_in_the_framework_s_own_files(backend_name, network, tmp_path):
    """`torch.export`, `.keras`, `export` of Keras, and what Gluon exports."""
    net, x = built(network, backend_name, dtype="float32")
    expected = run(net, x)
    if backend_name == "torch":
        import torch

        exported = torch.export.export(net, (torch.from_numpy(x),))
        torch.export.save(exported, tmp_path / "net.pt2")
        loaded = torch.export.load(tmp_path / "net.pt2").module()
        found = loaded(torch.from_numpy(x)).detach().numpy()
    elif backend_name == "tensorflow":
        import keras

        from testbed.served import served

        net.save(tmp_path / "net.keras")
        found = run(keras.models.load_model(tmp_path / "net.keras"), x)
        np.testing.assert_allclose(served(net, tmp_path, x), found, rtol=1e-4, atol=1e-5)
    else:
        from unified_blocks_mxnet.compat import mx, numpy_semantics

        net.hybridize()
        np.testing.assert_allclose(run(net, x), expected, rtol=1e-5, atol=1e-6)
        net.export(str(tmp_path / "net"))
        with numpy_semantics(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Cannot decide type")
            loaded = mx.gluon.SymbolBlock.imports(
                str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params")
            )
            found = loaded(ub.from_numpy(x)).asnumpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@every
def test_with_dropout_it_trains(backend_name, network):
    rate = {} if network.block == "LeNet" else {"rate": 0.5}
    net, x = built(network, backend_name, **rate)
    trainer = ub.Trainer(net, ub.SGD(0.0625), "cross_entropy")
    losses = [float(ub.to_numpy(trainer.step(x, np.array([1, 3])))) for _ in range(5)]
    assert np.isfinite(losses).all()


@every
def test_it_is_as_large_as_the_book_s(backend_name, network):
    """The parameters, counted without any: by the shapes that PyTorch works out."""
    if backend_name != "torch":
        pytest.skip("PyTorch counts without numbers")
    import torch

    with torch.device("meta"):
        net = network.cls()
        net.eval()(torch.ones(1, 1, *((28, 28) if network.block == "LeNet" else (224, 224))))
    assert sum(parameter.numel() for parameter in net.parameters()) == network.whole
