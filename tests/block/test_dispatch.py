"""From a block class to an instance of the framework's own."""

import inspect

import pytest

import unified_blocks as ub
from testbed.common import layer, normal, run
from unified_blocks.reference.gradients import reference_output
from unified_blocks.reference.policy import deviation

CLASSES = [ub.MLP, ub.MySequential, ub.FixedHiddenMLP, ub.NestMLP, ub.Dense, ub.ReLU]


class Doubled(ub.MLP):
    """An MLP whose output counts twice."""

    inits = 0

    def __init__(self, width, *, dtype=None):
        type(self).inits += 1
        super().__init__(width, 3, dtype=dtype)

    def forward(self, X):
        return super().forward(X) * 2


def make(cls):
    return cls(4) if cls in (ub.Dense, ub.FixedHiddenMLP) else cls()


def native_base(backend_name, cls):
    if backend_name == "torch":
        from torch import nn

        return nn.Module
    if backend_name == "tensorflow":
        import keras

        return keras.layers.Layer if cls in (ub.Dense, ub.ReLU) else keras.Model
    from unified_blocks_mxnet.compat import mx

    return mx.gluon.Block


@pytest.mark.parametrize("cls", CLASSES)
def test_an_instance_is_a_block_and_native(backend_name, cls):
    net = make(cls)
    assert isinstance(net, cls)
    assert isinstance(net, ub.Block)
    assert isinstance(net, native_base(backend_name, cls))
    assert type(net).__name__ == cls.__name__


@pytest.mark.parametrize("cls", CLASSES)
def test_on_gives_the_class_that_the_adapter_exports(backend_name, cls):
    adapter = __import__(f"unified_blocks_{backend_name}")
    native = cls.on(backend_name)
    assert native is getattr(adapter, cls.__name__)
    assert native is cls.on(backend_name)
    assert native.on(backend_name) is native
    assert type(make(cls)) is native


def test_on_goes_from_a_native_class_to_another_backends(backend_name):
    for other in ub.available_backends():
        assert ub.MLP.on(backend_name).on(other) is ub.MLP.on(other)


def test_a_native_class_needs_no_default(backend_name):
    native = ub.MLP.on(backend_name)
    for other in ub.available_backends():
        with ub.use_backend(other):
            assert type(native(5, 2)) is native


def test_the_signature_is_that_of_the_block(backend_name):
    for cls in CLASSES:
        ours, native = inspect.signature(cls), inspect.signature(cls.on(backend_name))
        assert list(ours.parameters) == list(native.parameters)
        assert [p.default for p in ours.parameters.values()] == [
            p.default for p in native.parameters.values()
        ]


def test_init_runs_once(backend_name):
    before = Doubled.inits
    Doubled(5)
    # setting through the class of the instance counts on the native class
    assert Doubled.on(backend_name).inits - before == 1


def test_a_subclass_extends_the_native_class(backend_name):
    net = Doubled(5)
    native = type(net)
    assert native.__mro__[1:3] == (Doubled, ub.MLP.on(backend_name))
    assert Doubled.on(backend_name) is native
    assert (native.__name__, native.__module__) == ("Doubled", Doubled.__module__)
    assert native.__doc__ == Doubled.__doc__
    x = normal(2, 6)
    plain = ub.MLP(5, 3)
    y = run(net, x)
    ub.load_state(plain, ub.state(net))
    assert (y == 2 * run(plain, x)).all()


def test_a_subclass_without_a_forward_has_its_parents(backend_name):
    class Wide(ub.MLP):
        def __init__(self):
            super().__init__(99, 3)

    assert ub.state(ub.build(Wide(), (2, 4)))["hidden.weight"].shape == (99, 4)


def test_a_subclass_of_a_native_class_is_native_itself(backend_name):
    class Mine(ub.MLP.on(backend_name)):
        pass

    assert Mine.on(backend_name) is Mine
    assert type(Mine(5, 3, in_units=4)) is Mine
    assert run(Mine(5, 3), normal(2, 4)).shape == (2, 3)
    for other in ub.available_backends():
        if other != backend_name:
            with pytest.raises(
                TypeError, match=r"Mine extends a native class of .*; it has no class on"
            ):
                Mine.on(other)


def test_a_block_with_nothing_to_run_cannot_be_made(backend_name):
    class Empty(ub.Block):
        pass

    for cls in (ub.Block, Empty):
        message = rf"{cls.__name__} has no forward and no native class on backend '{backend_name}'"
        with pytest.raises(TypeError, match=message):
            cls()


def test_duties_are_not_methods_that_collide(backend_name):
    """The framework's own attributes are the framework's own."""
    net = ub.MLP()
    base = native_base(backend_name, ub.MLP)
    for name in ("parameters", "compile", "save", "summary", "initialize", "state", "build"):
        if hasattr(base, name) and (backend_name, name) != ("mxnet", "initialize"):
            mine = getattr(type(net), name)
            assert mine is getattr(base, name) or mine.__module__.startswith(
                ("torch", "keras", "mxnet", "tensorflow")
            )
        elif not hasattr(base, name):
            assert not hasattr(net, name)


class WithLayer(ub.MLP):
    """A subclass that adds a native layer of its own after the parent's constructor."""

    def __init__(self, backend_name):
        super().__init__(5, 3)
        self.extra = layer(backend_name, 2)

    def forward(self, X):
        return self.extra(super().forward(X))


def test_a_subclass_with_a_native_layer_is_usable_as_soon_as_it_is_made(backend_name):
    class Native(ub.MLP.on(backend_name)):
        def __init__(self):
            super().__init__(5, 3)
            self.extra = ub.Dense(2, in_units=3)

    assert run(WithLayer(backend_name), normal(2, 4)).shape == (2, 2)
    assert run(Native(), normal(2, 4)).shape == (2, 3)


def test_the_reference_of_another_forward_is_not_taken_for_ones_own(backend_name):
    net = ub.build(Doubled(5), (2, 4))
    with pytest.raises(ub.UnsupportedError, match="Doubled has no NumPy reference of its own"):
        reference_output(net, ub.state(net), normal(2, 4))


def test_the_reference_follows_a_subclass_that_fixes_an_argument(backend_name):
    class Linear(ub.FixedHiddenMLP):
        def __init__(self):
            super().__init__(4, activation=None)

    net = ub.initialize(Linear(), 1, "torch_default")
    x = normal(2, 4)
    assert deviation(run(net, x), reference_output(net, ub.state(net), x), "float32").ok
