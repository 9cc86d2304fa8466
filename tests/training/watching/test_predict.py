"""`predict`: outputs as arrays, of any structure, in batches."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.learning import classifier, problem


@pytest.mark.parametrize("batch_size", [None, 40, 16, 7])
def test_the_outputs_of_all_samples(backend_name, backend, dtype, batch_size):
    net, (x, _) = classifier(dtype), problem(dtype)
    found = ub.predict(net, x, batch_size=batch_size)
    wanted = backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))
    assert (type(found), found.shape, found.dtype) == (np.ndarray, (40, 4), dtype)
    close = {"rtol": 1e-12 if dtype == "float64" else 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(found, wanted, **close)
    tensor = ub.predict(net, backend.from_numpy(x), batch_size=batch_size)
    np.testing.assert_array_equal(tensor, found)


class Parts(ub.Block):
    def forward(self, X):
        return {"sum": ub.ops.sum(X, axis=1), "both": (X, ub.ops.square(X))}


@pytest.mark.parametrize("batch_size", [None, 3])
def test_a_model_that_gives_several(backend_name, batch_size):
    x = normal(8, 5)
    net = Parts()
    found = ub.predict(net, x, batch_size=batch_size)
    assert list(found) == ["sum", "both"]
    np.testing.assert_allclose(found["sum"], x.sum(axis=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found["both"][0], x)
    np.testing.assert_allclose(found["both"][1], x**2, rtol=1e-6)


class Shifted(ub.Block):
    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(4)

    def forward(self, X, scale=None, shift=None):
        Y = self.dense(X)
        Y = Y if scale is None else Y * scale
        return Y if shift is None else Y + shift


def test_inputs_by_name_may_be_left_out(backend_name):
    """And a model that is not built yet is built by a dict of them."""
    x, y = problem("float32")
    net, shift = Shifted(), normal(40, 4)
    inputs = {"shift": shift, "X": x}
    ub.fit(net, inputs, y, loss="cross_entropy", optimizer=ub.SGD(0.1))
    found = ub.predict(net, inputs, batch_size=16)
    np.testing.assert_allclose(found, ub.predict(net, x) + shift, rtol=1e-5, atol=1e-6)


class Total(ub.Block):
    def forward(self, X):
        return ub.ops.sum(X)


def test_an_output_without_samples_is_for_one_batch(backend_name):
    x = normal(8, 5)
    np.testing.assert_allclose(ub.predict(Total(), x), x.sum(), rtol=1e-5)
    with pytest.raises(ValueError, match=r"axis of samples, the first; got shape \(\) for 3"):
        ub.predict(Total(), x, batch_size=3)


def test_outputs_in_bfloat16_come_as_float32(backend_name, backend):
    if "bfloat16" in backend.lacks:
        pytest.skip(backend.lacks["bfloat16"])
    net = ub.cast(ub.build(ub.Dense(3), (2, 4)), "bfloat16")
    found = ub.predict(net, backend.from_numpy(normal(6, 4), dtype="bfloat16"), batch_size=4)
    assert (found.dtype, found.shape) == ("float32", (6, 3))


def test_what_cannot_be_predicted(backend_name):
    with pytest.raises(ValueError, match="batch_size must be at least 1; got batch_size=-1"):
        ub.predict(classifier(), problem()[0], batch_size=-1)
    with pytest.raises(ub.NotBuiltError):
        ub.predict(ub.MLP(4, 3), normal(2, 6))
