"""`ub.compare` pairs what models give by what it is called, and never passes over any of it."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.causes import X
from testbed.common import HERE, normal
from testbed.comparing import built, pairs
from testbed.mutants.checks import copied, numbered
from testbed.structures import NOTHING, OTHER, SAME, Giving, Hidden, giving
from unified_blocks import ops

MODES = ["forward", "train", "gradient", "training"]
INDUCTOR = "ignore:.*torch.jit.*:DeprecationWarning"  # PyTorch's compiler uses what it deprecated
x = normal(5, 6)


def native(backend_name, give):
    net = giving(backend_name, give)
    backend = ub.backend_of(net)
    backend.run(net, [backend.from_numpy(x)])
    return numbered(net)


def portable(backend_name, give):
    return numbered(built(lambda: Giving(give), x, "float32", on=backend_name))


KINDS = pytest.mark.parametrize("make", [native, portable], ids=["native", "portable"])


@KINDS
@pytest.mark.parametrize("case", SAME)
def test_the_same_in_another_structure_is_the_same(backend_name, make, case):
    a, b = (make(backend_name, give) for give in SAME[case])
    for first, second in ((a, b), (b, a)):
        found = ub.compare(first, second, x)
        assert found, str(found)
        assert sum(row.what == "output" for row in found.rows) >= 1
        assert all(row.ok for row in found.rows)


@KINDS
@pytest.mark.parametrize("case", OTHER)
def test_what_is_exchanged_missing_or_added_is_a_difference(backend_name, make, case):
    a, b = (make(backend_name, give) for give in OTHER[case])
    for first, second in ((a, b), (b, a)):
        found = ub.compare(first, second, x)
        assert not found, str(found)
        assert found.first_difference.name == "(model)", str(found)


@pairs
@pytest.mark.parametrize("case", ["dict", "dataclass and dict", "nested", "None by name"])
def test_across_frameworks_too(first, second, case):
    right, other = SAME[case]
    a, b = native(first, right), native(second, other)
    copied(a, b)
    for mode in MODES:
        found = ub.compare(a, b, x, mode=mode)
        assert found, str(found)
    wrong = copied(a, native(second, lambda a, b: other(b, a)))
    assert not ub.compare(a, wrong, x)


def test_the_names_of_the_rows_are_the_keys(backend_name):
    net = portable(backend_name, lambda a, b: {"start": a, "rest": [b, {"not a name": a}]})
    found = ub.compare(net, net, x)
    assert [row.name for row in found.rows if row.what == "output"] == [
        *("output.start", "output.rest[0]", "output.rest[1]['not a name']")
    ]


@pytest.mark.parametrize("case", ["dict", "dataclass", "None", "None by name", "alone beside None"])
@pytest.mark.parametrize("mode", MODES)
@KINDS
def test_every_mode_takes_every_structure(backend_name, make, mode, case):
    a, b = (make(backend_name, give) for give in SAME[case])
    found = ub.compare(a, b, x, mode=mode)
    assert found, str(found)
    if mode == "gradient":
        names = [row.name for row in found.rows if row.what == "gradient"]
        assert names == ["b.bias", "b.weight", "a.bias", "a.weight", "x"]


@pytest.mark.parametrize("loss", ["mse", None])
def test_a_loss_by_name_is_of_the_one_tensor(backend_name, loss):
    a = portable(backend_name, lambda a, b: (a + b, None))
    b = portable(backend_name, lambda a, b: {"logits": a + b})
    for mode in ("gradient", "training"):
        found = ub.compare(a, b, x, mode=mode, targets=normal(5, 4, seed=2), loss=loss)
        assert found, str(found)
    two = portable(backend_name, lambda a, b: (a, b))
    with pytest.raises(ub.UnsupportedError, match="of one output; got 2"):
        ub.compare(two, two, x, mode="gradient", targets=normal(5, 4))


def test_each_output_has_an_effect_on_the_gradients(backend_name):
    a = portable(backend_name, lambda a, b: {"start": a, "end": b})
    b = portable(backend_name, lambda a, b: {"start": a, "end": ops.stop_gradient(b)})
    assert ub.compare(a, b, x)
    found = ub.compare(a, b, x, mode="gradient")
    assert (found.first_difference.name, found.cause) == ("b.bias", "gradient_missing"), str(found)


@pytest.mark.filterwarnings(INDUCTOR)
def test_a_graph_gives_what_it_is_called(backend_name):
    if backend_name == "mxnet":
        pytest.skip("a graph of MXNet gives no dict")
    a = portable(backend_name, lambda a, b: {"start": a, "end": b})
    for exchanged in (False, True):
        b = portable(
            backend_name,
            lambda a, b, e=exchanged: {"end": a, "start": b} if e else {"end": b, "start": a},
        )
        assert ub.compare(a, b, x, mode="compiled").ok is not exchanged


@KINDS
@pytest.mark.parametrize("case", NOTHING)
@pytest.mark.parametrize("mode", ["forward", "gradient"])
def test_an_output_without_a_tensor_is_an_error(backend_name, make, mode, case):
    right = make(backend_name, lambda a, b: a)
    wrong = make(backend_name, lambda a, b: a)
    wrong_give = NOTHING[case]
    net = wrong if make is portable else giving(backend_name, wrong_give)
    if make is portable:
        net.give = wrong_give
    else:
        backend = ub.backend_of(net)
        backend.run(net, [backend.from_numpy(x)])
    for models in ((net, net), (right, net), (net, right)):
        with pytest.raises(ub.UnsupportedError, match="must hold a tensor"):
            ub.compare(*models, x, mode=mode)


def test_what_cannot_be_looked_into_is_told(backend_name):
    a = portable(backend_name, lambda a, b: {"y": a, "cache": Hidden(b), "words": "as they are"})
    found = ub.compare(a, a, x)
    assert found
    assert "not compared in the output" in str(found)
    assert ".cache, a Hidden" in str(found)
    assert "words" not in str(found)


def test_a_number_is_compared_in_the_dtype_of_a_tensor(backend_name):
    a = portable(backend_name, lambda a, b: {"y": a, "scale": 2.5})
    b = portable(backend_name, lambda a, b: {"y": a, "scale": ops.sum(a) * 0 + 2.5})
    for first, second in ((a, b), (b, a)):
        assert ub.compare(first, second, x), str(ub.compare(first, second, x))
    c = portable(backend_name, lambda a, b: {"y": a, "scale": ops.sum(a) * 0 + 2.625})
    assert not ub.compare(a, c, x)


@pytest.mark.skipif(not {"torch", "tensorflow"} <= set(HERE), reason="it needs both")
@pytest.mark.parametrize("right", [True, False])
def test_the_dict_of_a_functional_model_is_compared_by_key(right):
    import keras

    def functional():
        inputs = keras.Input((6,))
        a, b = (keras.layers.Dense(4, name=name)(inputs) for name in "ab")
        return keras.Model(inputs, {"end": b, "start": a} if right else {"end": a, "start": b})

    a = native("torch", lambda a, b: {"start": a, "end": b})
    b = ub.transfer(a, functional())
    found = ub.compare(a, b, x)
    assert found.ok is right, str(found)


class Inner(ub.Block):
    """A layer whose second output nobody uses."""

    def __init__(self, extra):
        super().__init__()
        self.dense, self.extra = ub.Dense(4), extra

    def forward(self, X):
        H = self.dense(X)
        return (H, H * 2) if self.extra else H


class Outer(ub.Block):
    def __init__(self, extra, factor=1.0):
        super().__init__()
        self.inner, self.last = Inner(extra), ub.Dense(3)
        self.factor = factor

    def forward(self, X):
        H = self.inner(X)
        return self.last(H[0] if isinstance(H, tuple) else H) * self.factor


def test_what_a_layer_gives_beside_is_no_difference_of_its_own(backend_name):
    a, b = (built(lambda extra=extra: Outer(extra)) for extra in (True, False))
    found = ub.compare(a, b, X)
    assert found, str(found)
    found = ub.compare(a, built(lambda: Outer(False, factor=2.0)), X)
    assert (found.first_difference.name, found.first_difference.after) == ("(model)", "last")


def test_convert_compares_by_key_too(backend_name):
    other = next((name for name in HERE if name != backend_name), backend_name)

    class Ordered(Giving):
        """Its order depends on the framework."""

        def __init__(self):
            super().__init__(None)

        def forward(self, X):
            a, b = self.a(X), self.b(X)
            first = ub.backend_of(X).name == backend_name
            return {"start": a, "none": None, "end": b} if first else {"end": b, "start": a}

    net = built(Ordered, x, "float32")
    assert ub.convert(net, other, example=x) is not None


@pytest.mark.parametrize("right", [True, False])
def test_the_matrix_compares_by_key(backend_name, right):
    from unified_blocks.equivalence.matrix.cases import Case
    from unified_blocks.equivalence.matrix.cells import cells
    from unified_blocks.equivalence.matrix.observing import make_record

    class Exchanged(Giving):
        def __init__(self):
            super().__init__(None)

        def forward(self, X):
            a, b = self.a(X), self.b(X)
            if ub.backend_of(X).name == backend_name:
                return {"start": a, "end": b}
            return {"end": b, "start": a} if right else {"end": a, "start": b}

    other = next((name for name in HERE if name != backend_name), None)
    if other is None:
        pytest.skip("it needs two frameworks")
    case = Case("exchanged", Exchanged, ((5, 6),), None, None)
    records = [make_record(n, cases=[case], modes=["forward"]) for n in (backend_name, other)]
    found = cells(records)
    assert {cell.status for cell in found} == ({"ok"} if right else {"differs"})
    assert {row.name for cell in found for row in cell.rows} >= {"output/start", "output/end"}


def test_arrays_of_numpy_are_compared(backend_name):
    def with_array(value):
        return portable(backend_name, lambda a, b: (a, np.full(3, value)))

    assert ub.compare(with_array(1.0), with_array(1.0), x)
    assert not ub.compare(with_array(1.0), with_array(2.0), x)
