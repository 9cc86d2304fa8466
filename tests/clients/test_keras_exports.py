"""A block goes where Keras models go: SavedModel, `export`, TFLite, summaries, plots."""

import os
import subprocess
import sys

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.where import ROOT

tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
keras = pytest.importorskip("keras", reason="tensorflow is not installed")


@pytest.fixture(autouse=True)
def on_tensorflow():
    with ub.use_backend("tensorflow"):
        yield


class Gated(ub.Block):
    """Layers in a list and a dict, a constant, control flow on a tensor."""

    def __init__(self):
        super().__init__()
        self.parts = [ub.Dense(4), {"norm": ub.LayerNorm()}]
        self.scale = ub.Constant(0.5)

    def forward(self, X):
        H = self.parts[1]["norm"](self.parts[0](X)) * self.scale
        if ub.ops.sum(H) > 1:
            H = H * 2
        return H


def twin():
    layers = [
        keras.layers.Dense(4, activation="relu"),
        keras.layers.LayerNormalization(epsilon=1e-5),
    ]
    return keras.Sequential(layers)


MODELS = {
    "native twin": twin,
    "sequential": lambda: ub.MySequential(ub.Dense(4, activation="relu"), ub.LayerNorm()),
    "mlp": lambda: ub.MLP(5, 4),
    "nest": ub.NestMLP,
    "lists": Gated,
    "portable": lambda: ub.MLP.on("tensorflow", portable=True)(5, 4),
}


def built(make, width=3):
    return ub.initialize(ub.build(make(), (2, width)), 1, "torch_default")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Models as SavedModels of both kinds, with what they compute."""
    folder = tmp_path_factory.mktemp("exported")
    with ub.use_backend("tensorflow"):
        for name, make in MODELS.items():
            net, x = built(make), normal(2, 3)
            for kind in ("saved", "exported"):
                path = folder / f"{name}-{kind}.model"
                if kind == "saved":
                    tf.saved_model.save(net, str(path))
                else:
                    net.export(path, verbose=False)
                np.save(path.with_suffix(".x.npy"), x)
                np.save(path.with_suffix(".y.npy"), np.asarray(net(x)))
    return folder


def test_saved_models_run_without_this_library(exported):
    script = ROOT / "tests/testbed/saved_model_alone.py"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    found = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(exported)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.split()[-1] == str(2 * len(MODELS))


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_tflite(make):
    net, x = built(make), normal(1, 3)
    content = tf.lite.TFLiteConverter.from_keras_model(net).convert()
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (given,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], x)
    interpreter.invoke()
    np.testing.assert_allclose(interpreter.get_tensor(gives["index"]), net(x), rtol=1e-4, atol=1e-5)
