"""`halved`, the closed form of FixedHiddenMLP's loop, against that loop: numbers and gradients."""

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SIZE = 16


@pytest.fixture(params=["graph", "compiler"])
def kind(request, backend_name):
    """A graph of the framework's own operations, or what makes one program of them."""
    if (backend_name, request.param) == ("mxnet", "compiler"):
        pytest.skip("MXNet has none")
    return request.param


@cache
def functions(backend_name, dtype, kind):
    """The loop, eagerly, and the closed form, compiled: of an array, its result and gradient."""
    if backend_name == "torch":
        return of_torch("inductor" if kind == "compiler" else "aot_eager")
    if backend_name == "tensorflow":
        return of_tensorflow(xla=kind == "compiler")
    return of_mxnet(dtype)


def of_torch(name):
    import torch

    from unified_blocks_torch.halving import halved

    def looped(H):
        while H.abs().sum() > 1:
            H = H / 2
        return H

    def called(function):
        def call(array):
            H = torch.tensor(array, requires_grad=True)
            Y = function(H)
            Y.sum().backward()
            return Y.detach().numpy(), H.grad.numpy()

        return call

    def closed(H):
        return halved(H, H.dtype)

    torch.compiler.reset()
    return called(looped), called(torch.compile(closed, backend=name, fullgraph=True))


def of_tensorflow(xla):
    import tensorflow as tf

    from unified_blocks_tensorflow.halving import halved

    def looped(H):
        while tf.reduce_sum(tf.abs(H)) > 1:
            H = H / 2
        return H

    def with_gradient(function):
        def call(H):
            with tf.GradientTape() as tape:
                tape.watch(H)
                Y = function(H)
            return Y, tape.gradient(Y, H)

        return call

    closed = with_gradient(lambda H: halved(H, H.dtype))
    closed = tf.function(closed, autograph=False, jit_compile=xla)
    return tuple(
        lambda array, call=call: tuple(t.numpy() for t in call(tf.constant(array)))
        for call in (with_gradient(looped), closed)
    )


def of_mxnet(dtype):
    from unified_blocks_mxnet.compat import mx, nn, numpy_semantics
    from unified_blocks_mxnet.halving import halved

    class Closed(nn.HybridBlock):
        def hybrid_forward(self, F, H):
            return halved(H, dtype)

    def looped(H):
        while abs(H).sum() > 1:
            H = H / 2
        return H

    def called(function):
        def call(array):
            with numpy_semantics():
                H = mx.np.array(array, dtype=dtype)
                H.attach_grad()
                with mx.autograd.record():
                    Y = function(H)
                    total = Y.sum()
                total.backward()
                return Y.asnumpy(), H.grad.asnumpy()

        return call

    with numpy_semantics():
        closed = Closed()
        closed.hybridize()
    return called(looped), called(closed)


def check(backend_name, array, kind):
    loop, closed = functions(backend_name, str(array.dtype), kind)
    for found, expected in zip(closed(array), loop(array), strict=True):
        assert found.tobytes() == expected.tobytes()


def padded(values, dtype):
    array = np.zeros(SIZE, dtype)
    array[: len(values)] = values
    return array


def powers(dtype):
    """1, 2, 4, … up to the largest of the dtype."""
    return [2.0**j for j in (0, 1, 2, 3, 10, np.finfo(dtype).maxexp - 1)]


def chosen(dtype):
    """Rows whose sum of absolute values is exact, by name."""
    info, found = np.finfo(dtype), {}
    for power in map(info.dtype.type, powers(dtype)):
        found[f"{power:g}"] = padded([power], dtype)
        found[f"below {power:g}"] = padded([np.nextafter(power, info.dtype.type(0))], dtype)
        found[f"above {power:g}"] = padded([-np.nextafter(power, info.max)], dtype)
        found[f"{power:g} in two"] = padded([-power / 2, power / 2], dtype)
    return {
        **found,
        "nothing": padded([], dtype),
        "negative zeros": -padded([], dtype),
        "the largest": padded([info.max], dtype),
        "the smallest normal": padded([info.tiny], dtype),
        "of all sizes": padded([2.0**-j for j in range(-3, info.nmant - 6)][:SIZE], dtype),
    }


@pytest.mark.parametrize("name", chosen("float64"))
def test_chosen_numbers(backend_name, dtype, kind, name):
    rows = chosen(dtype)
    if name not in rows:
        pytest.skip(f"{dtype} does not reach so far")
    check(backend_name, rows[name], kind)


@pytest.mark.parametrize("name", sorted({*chosen("float32")} - {*chosen("float64")}))
def test_the_largest_numbers_of_float32(backend_name, kind, name):
    check(backend_name, chosen("float32")[name], kind)


@st.composite
def rows(draw, dtype, exact):
    """Numbers of one scale, whose sum is exact, or is rounded."""
    info = np.finfo(dtype)
    bits = info.nmant + 1 - (5 if exact else 0)  # 16 of them need 4 more, and a sign
    whole = draw(st.lists(st.integers(-(2**bits) + 1, 2**bits - 1), min_size=1, max_size=SIZE))
    # Up to the largest sum; down to where all of it is below 1, but nothing is subnormal.
    scale = draw(st.integers(-bits - 40, info.maxexp - bits - 5))
    return padded([float(n) * 2.0**scale for n in whole], dtype)


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_numbers(backend_name, dtype, kind, data):
    """A compiler adds up in an order of its own: only exact sums are the same."""
    check(backend_name, data.draw(rows(dtype, exact=kind == "compiler")), kind)


@pytest.mark.parametrize("name", ["at once", "on the way"])
def test_subnormal_elements_round_once(backend_name, dtype, kind, name):
    """The loop rounds them at each halving: a difference below the smallest normal number."""
    info = np.finfo(dtype)
    subnormal = info.smallest_subnormal * np.array([1, 3, 5, 7, 11, 13], dtype)
    element = subnormal if name == "at once" else info.tiny * np.array([1.5, -3, 7], dtype)
    array = padded([1000, -1000, *element], dtype)
    loop, closed = functions(backend_name, dtype, kind)
    (found, gradient), (expected, wanted) = closed(array), loop(array)
    assert gradient.tobytes() == wanted.tobytes()
    assert found[:2].tobytes() == expected[:2].tobytes()
    assert np.abs(found[2:] - expected[2:]).max() < info.tiny


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_is_nan(backend_name, dtype, kind, value):
    _, closed = functions(backend_name, dtype, kind)
    assert np.isnan(closed(padded([value, 1], dtype))[0]).all()


def test_a_sum_that_overflows_is_nan(backend_name, dtype, kind):
    _, closed = functions(backend_name, dtype, kind)
    large = np.finfo(dtype).max / 2
    assert np.isnan(closed(padded([large, large, large], dtype))[0]).all()
