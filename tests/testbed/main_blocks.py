"""A program with block classes of its own, which tools that pickle send to other processes."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import unified_blocks as ub
from testbed.common import layer, native_base, normal

tool, backend_name, folder = sys.argv[1:]
X = normal(3, 6)
ub.set_backend(backend_name)


class Scaled(ub.Block):
    """A block with a constant and layers in containers."""

    def __init__(self, units=4):
        super().__init__()
        self.scale = ub.Constant(shape=(6,))
        self.parts = {"first": ub.Dense(units), "rest": [ub.Dense(units), ub.ReLU()]}

    def forward(self, X):
        X = self.parts["first"](self.scale * X)
        for part in self.parts["rest"]:
            X = part(X)
        return X


class Doubled(ub.MLP):
    """A subclass of a block that has a class written by hand."""

    def forward(self, X):
        return 2 * super().forward(X)


class Outer:
    """A class with a block class inside."""

    class Inner(Scaled):
        """A block class inside a class."""


@Scaled.native(backend_name)
class ByHand(Scaled, native_base(backend_name)):
    """Written by hand, as the portable one is."""

    def __init__(self, units=4):
        native_base(backend_name).__init__(self)
        self.layer = ub.Dense(units)

    if backend_name == "torch":

        def forward(self, X):
            return self.layer(X)
    elif backend_name == "tensorflow":

        def call(self, X):
            return self.layer(X)
    else:

        def hybrid_forward(self, F, X):
            return self.layer(X)


class Twin(native_base(backend_name)):
    """A native model without this library."""

    def __init__(self, units=4):
        super().__init__()
        self.layer = layer(backend_name, units)

    if backend_name == "torch":

        def forward(self, X):
            return self.layer(X)
    elif backend_name == "tensorflow":

        def call(self, X):
            return self.layer(X)
    else:

        def hybrid_forward(self, F, X):
            return self.layer(X)


def in_a_native_model():
    """A block in a container of the framework."""
    if backend_name == "torch":
        from torch import nn

        return nn.Sequential(Doubled(5, 2), nn.ReLU())
    from unified_blocks_mxnet.compat import mx

    net = mx.gluon.nn.HybridSequential()
    net.add(Doubled(5, 2), mx.gluon.nn.Activation("relu"))
    return net


def twin():
    """The twin, initialised."""
    if backend_name != "mxnet":
        return Twin()
    from unified_blocks_mxnet.compat import numpy_semantics

    with numpy_semantics():
        net = Twin()
        net.initialize()
    return net


MODELS = {
    "portable": lambda: Scaled.on(backend_name, portable=True)(),
    "subclass": lambda: Doubled(5, 2),
    "nested": lambda: ub.MySequential(Doubled(5, 6), Scaled()),
    "written": lambda: Scaled(3),
    "of this library": lambda: ub.MLP.on(backend_name, portable=True)(5, 3),
}
if backend_name != "tensorflow":  # Keras opens its own models only where classes are registered
    MODELS.update({"in a native model": in_a_native_model, "twin": twin})
CLASSES = [
    Scaled,
    Doubled.on(backend_name),
    Outer.Inner.on(backend_name),
    Scaled.on(backend_name, portable=True),
    ByHand,
    ub.MLP.on(backend_name),
    ub.MLP.on(backend_name, portable=True),
    Twin,
]


def answer(net, x):
    """What another process does with a model: which process that is, the model, and its output."""
    import os

    import unified_blocks as ub

    backend = ub.backend_of(net)
    return os.getpid(), net, backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))


def check(found, net, expected):
    """Whether `found` is what `net` is, and computes the same."""
    assert type(found) is type(net), type(found)
    np.testing.assert_array_equal(answer(found, X)[2], expected)


def with_pickle(pickle):
    """Twice in this process; and into a file, for a process without this program."""
    for cls in CLASSES:
        assert pickle.loads(pickle.dumps(cls)) is cls
    for name, make in MODELS.items():
        net = make()
        expected = answer(net, X)[2]
        data = pickle.dumps(net)
        for _ in range(2):
            check(pickle.loads(data), net, expected)
        Path(folder, f"{name}.pickle").write_bytes(pickle.dumps((net, expected)))
    Path(folder, "classes").write_bytes(pickle.dumps(CLASSES))


def in_other_processes(answers):
    """To other processes, and back, twice; `answers` maps `answer` over pairs there."""
    import os

    nets = [make() for make in MODELS.values()]
    expected = [answer(net, X)[2] for net in nets]
    for _ in range(2):
        found = answers([(net, X) for net in nets])
        for (process, back, y), net, wanted in zip(found, nets, expected, strict=True):
            assert process != os.getpid()
            np.testing.assert_array_equal(y, wanted)
            check(back, net, wanted)


def with_joblib(joblib):
    """By cloudpickle."""
    in_other_processes(lambda pairs: joblib.Parallel(n_jobs=2)(map(called(joblib), pairs)))


def called(joblib):
    """What joblib takes for a call of `answer`."""
    return lambda pair: joblib.delayed(answer)(*pair)


def with_multiprocessing(multiprocessing):
    """By pickle, in processes that run this file under another name."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        in_other_processes(lambda pairs: pool.starmap(answer, pairs))
        assert pool.map(type, [Scaled()]) == [ByHand]
        assert pool.map(name_of, CLASSES) == [cls.__name__ for cls in CLASSES]


def name_of(cls):
    """The name of a class that was sent."""
    return cls.__name__


if __name__ == "__main__":
    by = {"joblib": with_joblib, "multiprocessing": with_multiprocessing}.get(tool, with_pickle)
    by(__import__(tool))
    net = ub.build(Doubled(5, 2), X.shape)
    ub.save(net, Path(folder, "net.safetensors"))  # the names still lead to the classes
    assert type(ub.load(Path(folder, "net.safetensors"))) is Doubled.on(backend_name)
