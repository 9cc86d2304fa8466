"""The transformers of `examples/book/`: the same on every framework, with its own tools."""

import importlib.util
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import graph, run
from testbed.where import ROOT

BOOK = ROOT / "examples" / "book"
SMALL = {"words": 11, "units": 8, "heads": 2, "hidden": 12, "layers": 2}


@dataclass(frozen=True)
class Network:
    """A network of the book.

    Attributes:
        shape: of its input; of one of two inputs they are the first and second of each sample.
        targets: of its output.
    """

    module: str
    block: str
    arguments: dict[str, Any]
    shape: tuple[int, ...]
    targets: tuple[int, ...]
    several: bool = False

    @property
    def cls(self):
        name = f"book_{self.module}"
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(name, BOOK / f"{self.module}.py")
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
        return getattr(sys.modules[name], self.block)

    def input(self, dtype):
        generator = np.random.default_rng(3)
        if len(self.shape) == 4:
            return generator.normal(size=self.shape).astype(dtype)
        x = generator.integers(1, 11, self.shape)
        if self.several:
            x[0, 0, -2:] = 0  # padding
            if self.block == "BERT":
                x[:, 1] %= 2
        return x


NETWORKS = {
    "bert": Network(
        "bert", "BERT", {**SMALL, "length": 5, "dropout": 0.0}, (2, 2, 5), (2, 5, 11), True
    ),
    "gpt": Network(
        "gpt",
        "GPT",
        {"words": 11, "units": 8, "heads": 2, "layers": 2, "length": 5, "dropout": 0.0},
        (2, 5),
        (2, 5, 11),
    ),
    "transformer": Network(
        "transformer", "Transformer", {**SMALL, "lengths": (5, 5)}, (2, 2, 5), (2, 5, 11), True
    ),
    "vit": Network(
        "vit",
        "ViT",
        {"classes": 3, "side": 6, "patch": 2, "units": 8, "heads": 2, "hidden": 12, "dropout": 0.0},
        (2, 3, 6, 6),
        (2, 3),
    ),
}
every = pytest.mark.parametrize("name", NETWORKS)


class Book(ub.Block):
    """A network of the book, whose inputs are one."""

    def __init__(self, name):
        super().__init__()
        self.name_ = name
        self.net = NETWORKS[name].cls(**NETWORKS[name].arguments)

    def forward(self, X):
        return self.net(X[:, 0], X[:, 1]) if NETWORKS[self.name_].several else self.net(X)


def made(name, backend, dtype="float64"):
    x = NETWORKS[name].input(dtype)
    with ub.use_dtype(dtype):
        net = Book.on(backend)(name)
    backend = ub.get_backend(backend)
    backend.run(net, [backend.from_numpy(x)])
    return ub.initialize(net, 1, "torch_default"), x


def output(net, x):
    backend = ub.backend_of(net)
    return backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))


@every
def test_a_network_is_short(name):
    assert len((BOOK / f"{name}.py").read_text().splitlines()) <= 60


@pytest.mark.parametrize("mode", ["gradient", "training"])
@every
def test_the_same_on_every_framework(backend_name, name, mode):
    """Each call, each gradient, and five steps of training with momentum, within 1e-9.

    As on the next framework, so that each pair is compared once.
    """
    net, x = made(name, backend_name)
    targets = np.random.default_rng(4).normal(size=NETWORKS[name].targets)
    names = ub.available_backends()
    port = ub.convert(net, names[names.index(backend_name) - 1], example=x)
    ub.compare(net, port, x, mode=mode, targets=targets).raise_if_different()


@every
def test_it_learns(backend_name, name):
    net, x = made(name, backend_name)
    targets = np.random.default_rng(4).normal(size=NETWORKS[name].targets)
    trainer = ub.Trainer(net, ub.Adam(0.015625), "mse")
    losses = [float(ub.to_numpy(trainer.step(x, targets))) for _ in range(12)]
    assert losses[-1] < 0.8 * losses[0]


@every
def test_in_a_graph(backend_name, name):
    """`torch.compile` without a break, a `tf.function`, or hybridized."""
    net, x = made(name, backend_name)
    expected = output(net, x)
    if backend_name == "torch":
        net.eval()
    found = ub.to_numpy(graph(backend_name, net)(ub.from_numpy(x, backend_name)))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@every
def test_exported_by_pytorch(backend_name, name):
    if backend_name != "torch":
        pytest.skip("torch.export")
    from torch.export import Dim, export

    net, x = made(name, "torch")
    exported = export(net.eval(), (ub.from_numpy(x),), dynamic_shapes=({0: Dim("n")},))
    for each in (x, np.concatenate([x, x[:1]])):
        found = exported.module()(ub.from_numpy(each)).detach().numpy()
        np.testing.assert_allclose(found, output(net, each), rtol=1e-10, atol=1e-12)


@every
@pytest.mark.capability("keras-files")
def test_saved_and_loaded_by_keras(backend_name, name, tmp_path):
    import keras

    net, x = made(name, "tensorflow")
    net.save(tmp_path / "net.keras")
    loaded = keras.models.load_model(tmp_path / "net.keras")
    assert type(loaded) is type(net)
    np.testing.assert_array_equal(run(loaded, x), run(net, x))


@every
@pytest.mark.capability("keras-files")
def test_exported_by_keras(backend_name, name, tmp_path):
    from testbed.served import served

    net, x = made(name, "tensorflow")
    np.testing.assert_allclose(served(net, tmp_path, x), run(net, x), rtol=1e-9, atol=1e-12)


@every
@pytest.mark.capability("symbol-files")
def test_exported_and_imported_by_gluon(backend_name, name, tmp_path):
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    net, x = made(name, "mxnet", "float32")
    net.hybridize()
    expected = run(net, x)
    net.export(str(tmp_path / "net"))
    with numpy_semantics(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Cannot decide type")
        loaded = mx.gluon.SymbolBlock.imports(
            str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params")
        )
        found = loaded(ub.from_numpy(x, "mxnet")).asnumpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@every
def test_in_a_file(backend_name, name, tmp_path):
    net, x = made(name, backend_name)
    ub.save(net, tmp_path / "net.safetensors")
    loaded = ub.load(tmp_path / "net.safetensors", backend=backend_name)
    np.testing.assert_array_equal(output(loaded, x), output(net, x))


# what they see


def test_a_decoder_does_not_see_what_comes(backend_name):
    net, x = made("gpt", backend_name)
    before, x = output(net, x), x.copy()
    x[:, 3] = x[:, 3] % 10 + 1
    after = output(net, x)
    np.testing.assert_allclose(after[:, :3], before[:, :3], rtol=1e-12)
    assert (np.abs(after[:, 3:] - before[:, 3:]).max(-1) > 1e-6).all()


def test_nothing_attends_to_padding(backend_name):
    net, x = made("bert", backend_name)
    before, x = output(net, x), x.copy()
    x[0, 1, -1] = 1 - x[0, 1, -1]  # the segment of what is padding
    after = output(net, x)
    np.testing.assert_allclose(after[0, :-1], before[0, :-1], rtol=1e-12)
    assert np.abs(after[0, -1] - before[0, -1]).max() > 1e-6


def test_a_translation_sees_the_source_and_what_it_gave(backend_name):
    net, x = made("transformer", backend_name)
    before, changed = output(net, x), x.copy()
    changed[:, 1, 2] = changed[:, 1, 2] % 10 + 1
    after = output(net, changed)
    np.testing.assert_allclose(after[:, :2], before[:, :2], rtol=1e-12)
    assert np.abs(after[:, 2:] - before[:, 2:]).max() > 1e-6
    changed = x.copy()
    changed[:, 0, 0] = changed[:, 0, 0] % 10 + 1
    assert (np.abs(output(net, changed) - before).max(-1) > 1e-6).all()


def test_images_in_both_layouts(backend_name):
    net, x = made("vit", backend_name)
    with ub.use_dtype("float64"), ub.use_layout("channels_last"):
        other = Book("vit")
    last = np.moveaxis(x, 1, -1).copy()
    output(other, last)
    ub.transfer(net, other)
    np.testing.assert_allclose(output(other, last), output(net, x), rtol=1e-10, atol=1e-12)
