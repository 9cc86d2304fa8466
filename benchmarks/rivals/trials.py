"""What `benchmarks.rivals.others` runs in the environment of each tool, and nothing else runs.

`python trials.py TRIAL` prints a list of findings as JSON. A trial whose tool refuses says why: its
error is the finding.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

Finding = dict[str, Any]
UNITS = 20


def numbers() -> dict[str, Any]:
    """The weights of FixedHiddenMLP."""
    generator = np.random.default_rng(0)
    limit = np.sqrt(6 / (2 * UNITS))
    found = {
        "rand_weight": generator.uniform(size=(UNITS, UNITS)),
        "weight": generator.uniform(-limit, limit, (UNITS, UNITS)),
        "bias": np.zeros(UNITS),
    }
    return {name: array.astype("float32") for name, array in found.items()}


def example() -> Any:
    """What a tool is shown: 7 halvings."""
    return np.random.default_rng(1).normal(size=(2, UNITS)).astype("float32")


def asked() -> Any:
    """What it is asked afterwards: 13 halvings."""
    return 100 * example()


def meaning(X: Any) -> tuple[float, int]:
    """What FixedHiddenMLP gives, and how often its loop halves."""
    w = numbers()
    H = np.maximum(X @ w["weight"].T + w["bias"], 0)
    H = np.maximum(H @ w["rand_weight"] + 1, 0)
    H = np.maximum(H @ w["weight"].T + w["bias"], 0)
    halvings = 0
    while np.abs(H).sum() > 1:
        H, halvings = H / 2, halvings + 1
    return float(H.sum()), halvings


def torch_net() -> Any:
    import torch

    net = import_module("loop_in_torch").FixedHiddenMLP().eval()
    w = numbers()
    state = {"dense.weight": w["weight"], "dense.bias": w["bias"], "rand_weight": w["rand_weight"]}
    net.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return net


def keras_net(written: str) -> Any:
    """FixedHiddenMLP as users of Keras 3 write it: `while`, or `ops.while_loop`."""
    import keras
    from keras import ops

    class FixedHiddenMLP(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(UNITS)
            self.rand_weight = self.add_weight(shape=(UNITS, UNITS), trainable=False)

        def call(self, X: Any) -> Any:
            H = ops.relu(self.dense(X))
            H = ops.relu(ops.matmul(H, self.rand_weight) + 1)
            H = ops.relu(self.dense(H))
            if written == "ops.while_loop":
                (H,) = ops.while_loop(lambda H: ops.sum(ops.abs(H)) > 1, lambda H: (H / 2,), (H,))
            else:
                while ops.sum(ops.abs(H)) > 1:
                    H = H / 2
            return ops.sum(H)

    net, w = FixedHiddenMLP(), numbers()
    net.dense.build((2, UNITS))
    net.dense.set_weights([w["weight"].T, w["bias"]])
    net.rand_weight.assign(w["rand_weight"])
    return net


def number(value: Any) -> float:
    for name in ("detach", "numpy"):
        value = getattr(value, name)() if hasattr(value, name) else value
    return float(np.asarray(value).ravel()[0])


def found(way: str, call: Callable[[], Any]) -> Finding:
    """What a way gives: a number, words, or the error that it raised."""
    try:
        given = call()
    except (
        BaseException
    ) as error:  # whatever a tool raises, exits included, is what there is to tell
        error = error.__cause__ or error
        return {"way": way, "error": f"{type(error).__name__}: {first_line(str(error))}"}
    return {"way": way, "words" if isinstance(given, str) else "number": given}


def first_line(text: str) -> str:
    plain = re.sub(r"\x1b\[\d*m|/\S+/", "", text)  # no colours, no folders of this machine
    return next((line.strip() for line in plain.splitlines() if line.strip()), "")


# The loop: shown `example()`, asked for `asked()`


def by_torch() -> Iterator[Finding]:
    import torch

    net, x, y = torch_net(), torch.from_numpy(example()), torch.from_numpy(asked())
    yield found("torch.jit.trace", lambda: number(torch.jit.trace(net, x)(y)))
    yield found("torch.jit.script", lambda: number(torch.jit.script(net)(y)))
    yield found("torch.export.export", lambda: number(torch.export.export(net, (x,)).module()(y)))
    yield found("torch.compile", lambda: number(torch.compile(net, backend="eager")(y)))
    yield found("torch.onnx.export(dynamo=False)", lambda: _by_onnx(False))
    yield found("torch.onnx.export(dynamo=True)", lambda: _by_onnx(True))


def _onnx_file(dynamo: bool, net: Any, path: str = "net.onnx") -> str:
    import torch

    given = torch.from_numpy(example())
    torch.onnx.export(net, (given,), path, dynamo=dynamo, input_names=["x"], verbose=False)
    return path


def _by_onnx(dynamo: bool) -> float:
    session = import_module("onnxruntime").InferenceSession(_onnx_file(dynamo, torch_net()))
    return number(session.run(None, {"x": asked()})[0])


def by_nobuco() -> Iterator[Finding]:
    def call() -> float:
        import torch

        with torch.library._scoped_library("torchvision", "DEF") as library:
            for name in ("nms", "qnms"):  # what it imports can do without the library for CUDA
                library.define(f"{name}(Tensor a, Tensor b, float c) -> Tensor")
            nobuco = import_module("nobuco")
        net = nobuco.pytorch_to_keras(torch_net(), args=[torch.from_numpy(example())])
        return number(net(asked()))

    yield found("nobuco.pytorch_to_keras", call)


def by_onnx2tf() -> Iterator[Finding]:
    def call() -> float:
        import onnx2tf
        import tensorflow as tf

        path = _onnx_file(False, torch_net())
        onnx2tf.convert(input_onnx_file_path=path, output_folder_path="saved", verbosity="error")
        net = tf.saved_model.load("saved").signatures["serving_default"]
        return number(next(iter(net(x=tf.constant(asked())).values())))

    yield found("onnx2tf.convert", call)


def by_ivy() -> Iterator[Finding]:
    old, made = torch_net(), []

    def rewritten() -> str:
        import ivy

        sys.path.insert(0, str(Path.cwd()))  # where it writes what it then imports
        made.append(ivy.transpile(type(old), source="torch", target="tensorflow")())
        (path,) = Path.cwd().glob("*/tensorflow_outputs/loop_in_torch.py")
        kept = "while " in path.read_text(encoding="utf-8")
        return f"the code that it writes {'has' if kept else 'lacks'} the loop"

    def synced() -> str:
        import ivy
        import tensorflow as tf

        (new,) = made
        new(tf.constant(example()))
        ivy.sync_models(old, new)
        moved = np.array_equal(dict(new.named_buffers())["rand_weight"], numbers()["rand_weight"])
        return f"{'moves' if moved else 'does not move'} the constant"

    def traced() -> float:
        import ivy
        import torch

        graph = ivy.trace_graph(torch_net(), to="torch", args=(torch.from_numpy(example()),))
        return number(graph(torch.from_numpy(asked())))

    yield found('ivy.transpile(target="tensorflow")', rewritten)
    yield found("ivy.sync_models", synced)
    yield found("ivy.trace_graph", traced)


def by_keras(backend: str) -> Iterator[Finding]:
    os.environ["KERAS_BACKEND"] = backend
    for written in ("while", "ops.while_loop"):
        net = keras_net(written)
        yield found(f"on {backend}, {written}: net(x)", lambda net=net: number(net(asked())))
        call = lambda net=net: number(net.predict_on_batch(asked()))  # noqa: E731
        yield found(f"on {backend}, {written}: net.predict_on_batch(x)", call)


def by_thinc() -> Iterator[Finding]:
    def call() -> float:
        from thinc.api import PyTorchWrapper

        net = PyTorchWrapper(torch_net(), convert_outputs=lambda model, xy, train: (xy[1], None))
        return number(net.predict(asked()))

    yield found("thinc.api.PyTorchWrapper", call)


def by_ours() -> Iterator[Finding]:
    import unified_blocks as ub

    w = numbers()
    state = {"dense.weight": w["weight"], "dense.bias": w["bias"], "rand_weight": w["rand_weight"]}
    net = ub.build(ub.FixedHiddenMLP(UNITS), (2, UNITS))
    ub.load_state(net, state)
    for backend in ub.available_backends():
        moved = ub.convert(net, backend, example=example())
        y = ub.from_numpy(asked(), backend)
        yield found(
            f"ub.convert to {backend}: net(x)", lambda m=moved, y=y: number(ub.to_numpy(m(y)))
        )
        fast = ub.compile(moved, ub.from_numpy(example(), backend), mode="native")
        yield found(f"ub.compile on {backend}", lambda f=fast, y=y: number(ub.to_numpy(f(y))))


# The mistake: a layer norm of another epsilon


def norms(epsilon: float) -> Any:
    import torch

    torch.manual_seed(0)
    layers = (torch.nn.Linear(20, 16), torch.nn.LayerNorm(16, eps=epsilon), torch.nn.Linear(16, 4))
    return torch.nn.Sequential(*layers).eval()


def mistake_by_polygraphy() -> Iterator[Finding]:
    def call() -> str:
        from polygraphy import constants
        from polygraphy.backend.onnx import BytesFromOnnx, ModifyOutputs, OnnxFromPath
        from polygraphy.backend.onnxrt import OnnxrtRunner, SessionFromOnnx
        from polygraphy.comparator import Comparator, CompareFunc

        runners = []
        for name, epsilon in (("a", 1e-5), ("b", 1e-3)):
            path = _onnx_file(False, norms(epsilon), f"{name}.onnx")
            model = ModifyOutputs(OnnxFromPath(path), outputs=constants.MARK_ALL)
            runners.append(OnnxrtRunner(SessionFromOnnx(BytesFromOnnx(model)), name=name))
        results = Comparator.run(runners, data_loader=[{"x": example()}])
        check = CompareFunc.simple(atol=1e-5, rtol=1e-4)
        compared = Comparator.compare_accuracy(results, compare_func=check)[0]
        (rows,) = compared.values()
        bad = [name for name, fine in rows[0].items() if not bool(fine)]
        return f"{len(bad)} of {len(rows[0])} tensors differ, first {bad[0]}"

    yield found("two ONNX files, every tensor marked", call)


def mistake_by_padiff() -> Iterator[Finding]:
    def call(mode: str) -> str:
        import paddle
        import torch
        from padiff import auto_diff

        class Torch(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.hidden, self.norm, self.out = norms(1e-5)

            def forward(self, x: Any) -> Any:
                return self.out(self.norm(self.hidden(x)))

        class Paddle(paddle.nn.Layer):
            def __init__(self) -> None:
                super().__init__()
                self.hidden = paddle.nn.Linear(20, 16)
                self.norm = paddle.nn.LayerNorm(16, epsilon=1e-3)
                self.out = paddle.nn.Linear(16, 4)

            def forward(self, x: Any) -> Any:
                return self.out(self.norm(self.hidden(x)))

        inputs = ({"x": paddle.to_tensor(example())}, {"x": torch.from_numpy(example())})
        with redirect_stdout(StringIO()) as said:
            same = auto_diff(
                Paddle(), Torch(), inputs, options={"atol": 1e-5, "compare_mode": mode}
            )
        named = re.search(r"Type of layer is\s*: (.*)", said.getvalue())
        return "the same" if same else f"different, first {named[1] if named else 'in no layer'}"

    for mode in ("mean", "strict"):
        yield found(f'torch and Paddle, auto_diff, "{mode}"', lambda mode=mode: call(mode))


def mistake_by_ours() -> Iterator[Finding]:
    def call() -> str:
        import keras

        import unified_blocks as ub

        ours = norms(1e-5)
        layers = keras.layers
        parts = [layers.Dense(16), layers.LayerNormalization(epsilon=1e-3), layers.Dense(4)]
        port = ub.build(keras.Sequential(parts), (2, 20))
        ub.transfer(ours, port)
        return str(ub.compare(ours, port, example()).first_difference)

    yield found("torch and Keras, ub.compare", call)


# One seed: the first numbers that a dense layer starts from


def seed_by_keras(backend: str) -> Iterator[Finding]:
    os.environ["KERAS_BACKEND"] = backend

    def call() -> str:
        import keras

        keras.utils.set_random_seed(0)
        net = keras.Sequential([keras.layers.Dense(256), keras.layers.Dense(10)])
        net.build((2, 20))
        return str(np.asarray(keras.ops.convert_to_numpy(net.layers[0].kernel))[0, :3].round(4))

    yield found(f"on {backend}", call)


def seed_by_ours() -> Iterator[Finding]:
    import unified_blocks as ub

    for backend in ub.available_backends():
        net = ub.build(ub.MLP.on(backend)(256, 10), (2, 20))
        weight = ub.state(ub.initialize(net, seed=0))["hidden.weight"]
        yield found(f"on {backend}", lambda w=weight: str(w[:3, 0].round(4)))


def main() -> None:
    trial, *given = sys.argv[1:]
    print("\n" + json.dumps([*globals()[trial](*given)]))


if __name__ == "__main__":
    main()
