"""Tensors that go between NumPy and the frameworks: what is shared, and what must not be."""

import gc
import re
import weakref

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, normal
from testbed.memory import address, at
from testbed.where import ROOT

pytestmark = pytest.mark.usefixtures("without_gpus")

PAGE = ROOT / "docs" / "howto" / "tensors.md"
WHOLE = ("float16", "float32", "float64", "uint8", "int32", "int64")
PAIRS = [(a, b) for a in HERE for b in HERE if a != b]
pairs = pytest.mark.parametrize(("source", "target"), PAIRS)


def read_only():
    array = at(0, 4, 6)
    array.flags.writeable = False
    return array


ROWS = {
    "bool": lambda: at(0, 4, 6, dtype="bool"),
    "one number, `()`": lambda: at(0),
    "float32, of three or more dimensions": lambda: at(0, 2, 3, 4, dtype="float32"),
    "float64, of three or more dimensions": lambda: at(0, 2, 3, 4),
    "at a multiple of 16 bytes": lambda: at(16, 4, 6),
    "unaligned": lambda: at(3, 4, 6),
    "not contiguous": lambda: at(0, 4, 6)[:, ::2],
    "with a negative stride": lambda: at(0, 4, 6)[::-1],
    "read-only": read_only,
    "a list": lambda: [[1.0, 2.0]],
    **{f"whole, {dtype}": lambda dtype=dtype: at(0, 4, 6, dtype=dtype) for dtype in WHOLE},
}


def table(number):
    """The rows of a table of the page: what, and for each column what is said there."""
    text = PAGE.read_text(encoding="utf-8").partition("## What is shared")[2]
    lines = re.findall(r"(?:^\|.*\|\n)+", text, re.M)[number].splitlines()
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    found = []
    for what, *cells in rows:
        kinds = [f"whole, {dtype}" for dtype in WHOLE] if what == "whole" else [what]
        found += [(k, c, said) for k in kinds for c, said in zip(head[1:], cells, strict=True)]
    return [row for row in found if {*row[1].split(" to ")} <= {*HERE}]


def check(value, expected, shared, convert):
    """`convert(copy)` of `value` shares its memory or not, and says so when it must."""
    for copy in (None, True, False):
        if copy is False and not shared:
            with pytest.raises(ub.SharingError, match=r"with copy=False .*; got .+: leave out"):
                convert(copy)
            continue
        made = convert(copy)
        if hasattr(value, "shape"):
            assert (address(made) == address(value)) == (shared and not copy)
        found = ub.to_numpy(made, copy=True)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("kind", "target", "said"), table(0))
def test_from_numpy_is_as_documented(kind, target, said):
    value = ROWS[kind]()
    expected = np.array(value)
    check(value, expected, said == "shared", lambda copy: ub.from_numpy(value, target, copy=copy))


def tensor_of(kind, name):
    """A tensor in its framework's own memory, and its numbers."""
    if kind == "a parameter":
        net = ub.initialize(ub.build(ub.MLP.on(name)(3, 2), (1, 64)), 0)
        array = ub.state(net)["hidden.weight"]
        if name == "torch":
            return net.hidden.weight, array
        if name == "tensorflow":
            return net.hidden.kernel, array.T
        from unified_blocks_mxnet.compat import numpy_semantics

        with numpy_semantics():
            return net.hidden.weight.data(), array
    array = at(0, 4, 6) if kind.startswith("rows") else ROWS[kind]()
    tensor = ub.from_numpy(array, name, copy=True)
    return (tensor[1:], array[1:]) if kind.startswith("rows") else (tensor, array)


@pytest.mark.parametrize(("kind", "source", "said"), table(1))
def test_to_numpy_is_as_documented(kind, source, said):
    tensor, expected = tensor_of(kind, source)
    check(tensor, expected, said == "shared", lambda copy: ub.to_numpy(tensor, copy=copy))
    view = ub.to_numpy(tensor)
    assert view.flags.writeable == (said == "copied")
    assert ub.to_numpy(tensor, copy=True).flags.writeable


@pytest.mark.parametrize(("kind", "pair", "said"), table(2))
def test_as_tensor_is_as_documented(kind, pair, said):
    source, target = pair.split(" to ")
    tensor, expected = tensor_of(kind, source)
    check(tensor, expected, said == "shared", lambda copy: ub.as_tensor(tensor, target, copy=copy))


def test_of_the_same_backend_it_is_the_tensor_itself(backend_name):
    tensor = ub.from_numpy(normal(2, 3), backend_name)
    assert ub.as_tensor(tensor, backend_name) is tensor
    assert ub.as_tensor(tensor, backend_name, copy=False) is tensor
    own = ub.as_tensor(tensor, backend_name, copy=True)
    assert address(own) != address(tensor)
    np.testing.assert_array_equal(ub.to_numpy(own), ub.to_numpy(tensor))


def test_an_array_passes_through():
    array = normal(2, 3)
    assert ub.to_numpy(array) is array
    assert ub.to_numpy(array, copy=False) is array
    assert not np.shares_memory(ub.to_numpy(array, copy=True), array)


@pytest.mark.parametrize("copy", [None, True, False])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 3)], ids=str)
def test_of_no_numbers_nothing_is_copied(backend_name, shape, copy):
    tensor = ub.from_numpy(np.zeros(shape, "float32"), backend_name, copy=copy)
    assert ub.to_numpy(tensor, copy=copy).shape == shape
    for other in HERE:
        assert ub.to_numpy(ub.as_tensor(tensor, other, copy=copy)).shape == shape


def test_bfloat16_goes_from_one_framework_to_another():
    if not {"torch", "tensorflow"} <= {*HERE}:
        pytest.skip("it takes two that have it")
    backend = ub.backend_of(ub.from_numpy(np.zeros(1), "torch"))
    tensor = backend.from_numpy(normal(2, 3), dtype="bfloat16")
    there = ub.as_tensor(tensor, "tensorflow")
    assert there.dtype.name == "bfloat16"
    back = ub.as_tensor(there, "torch")
    assert back.equal(tensor)
    with pytest.raises(ub.SharingError, match="a dtype that NumPy lacks"):
        ub.as_tensor(tensor, "tensorflow", copy=False)


# lifetimes


class Memory(np.ndarray):
    """An array of which one can ask whether it still lives."""


def owned(values):
    """An aligned array of some numbers, and a reference to what owns its memory."""
    array = at(0, *values.shape, dtype=values.dtype).view(Memory)
    array[...] = values
    return array, weakref.ref(array)


def settle(names):
    if "mxnet" in names:
        ub.backend_of(ub.from_numpy(np.zeros(1), "mxnet")).finish()
    gc.collect()


def test_the_tensor_keeps_the_array(backend_name):
    values = normal(64, 64)
    array = at(0, 64, 64)
    array[...] = values
    alive = weakref.ref(array)
    tensor = ub.from_numpy(array, backend_name, copy=False)
    del array
    settle(HERE)
    assert alive() is not None
    view = ub.to_numpy(tensor, copy=False)
    del tensor
    settle(HERE)
    assert alive() is not None
    np.testing.assert_array_equal(view, values)
    del view
    settle(HERE)
    assert alive() is None


@pairs
def test_the_last_of_a_chain_keeps_the_memory(source, target):
    values = normal(64, 64)
    array = at(0, 64, 64)
    array[...] = values
    alive = weakref.ref(array)
    first = ub.from_numpy(array, source, copy=False)
    second = ub.as_tensor(first, target, copy=False)
    del array, first
    settle(HERE)
    assert alive() is not None
    np.testing.assert_array_equal(ub.to_numpy(second), values)
    del second
    settle(HERE)
    assert alive() is None


# what is written


@pairs
def test_what_is_written_is_in_both(source, target):
    if source == "tensorflow":
        pytest.skip("its tensors cannot be written to")
    tensor = ub.from_numpy(np.ones((4, 6)), source, copy=True)
    other = ub.as_tensor(tensor, target, copy=False)
    tensor[0, 0] = 5
    settle(HERE)
    assert ub.to_numpy(other)[0, 0] == 5


def test_a_view_cannot_be_written_to(backend_name):
    tensor = ub.from_numpy(np.ones(3), backend_name, copy=True)
    with pytest.raises(ValueError, match="read-only"):
        ub.to_numpy(tensor)[0] = 5
    assert (ub.to_numpy(tensor) == 1).all()


def test_a_gradient_is_left_behind(backend_name):
    net = ub.build(ub.MLP.on(backend_name)(4, 2), (1, 3))
    for other in HERE:
        if other != backend_name:
            output = net(ub.from_numpy(np.ones((1, 3), "float32"), backend_name))
            assert ub.to_numpy(ub.as_tensor(output, other)).shape == (1, 2)


def test_no_default_device_is_overruled(backend_name):
    if backend_name != "torch":
        pytest.skip("only PyTorch has a device without memory")
    import torch

    array = at(0, 2, 3)
    with torch.device("meta"):
        assert ub.from_numpy(array, "torch").is_meta
    assert ub.from_numpy(array, "torch", device="meta").is_meta
    with pytest.raises(ub.SharingError, match="numbers of the CPU for a tensor on meta"):
        ub.from_numpy(array, "torch", device="meta", copy=False)


def test_a_named_cpu_shares(backend_name):
    array = at(0, 2, 3)
    assert address(ub.from_numpy(array, backend_name, device="cpu")) == address(array)
    with pytest.raises(ValueError, match=r"must be one of cpu.*got 'warp:9'"):
        ub.from_numpy(array, backend_name, device="warp:9")


def test_with_a_gpu_tensorflow_shares_on_a_named_cpu(backend_name, backend, monkeypatch):
    if backend_name != "tensorflow":
        pytest.skip("the others put new tensors on the CPU")
    monkeypatch.setattr(backend, "devices", lambda: ["cpu", "gpu:0"])
    array = at(0, 2, 3)
    with pytest.raises(ub.SharingError, match="may be on a GPU: name the device"):
        ub.from_numpy(array, "tensorflow", copy=False)
    tensor = ub.from_numpy(array, "tensorflow", device="cpu", copy=False)
    assert address(tensor) == address(array)


def test_on_another_device_it_is_a_copy(backend_name, backend, device):
    if device == "cpu":
        pytest.skip("it takes another device")
    array = at(0, 2, 3, dtype="float32")
    with pytest.raises(ub.SharingError, match="numbers of the CPU for a tensor on gpu"):
        ub.from_numpy(array, backend_name, device=device, copy=False)
    tensor = ub.from_numpy(array, backend_name, device=device)
    assert backend.device_of(tensor) == device
    with pytest.raises(ub.SharingError, match="got a tensor on gpu"):
        ub.to_numpy(tensor, copy=False)
    np.testing.assert_array_equal(ub.to_numpy(tensor), array)


def test_a_framework_that_shares_nothing_says_so(backend):
    with pytest.raises(ub.SharingError, match=f"a tensor of {backend.title}, whose memory"):
        ub.Backend.exported(backend, None, read_only=True)
    with pytest.raises(ub.SharingError, match=f"{backend.title}, which cannot use foreign memory"):
        ub.Backend.imported(backend, None, np.ones(1))


# what this library copies


def test_what_is_trained_on_is_copied(backend_name):
    """A batch may be overwritten at once: MXNet has not looked at it by then."""
    net = ub.initialize(ub.build(ub.MLP.on(backend_name)(512, 512), (1, 512)), 0)
    x, y = at(0, 256, 512, dtype="float32"), at(0, 256, 512, dtype="float32")
    expected = ub.value_and_grad(net, x, y, loss="mse", train=True)[0]
    trainer = ub.Trainer(net, ub.SGD(0.125), "mse")
    loss = trainer.step(x, y)
    x[...], y[...] = 0, 0
    np.testing.assert_allclose(ub.to_numpy(loss), expected, rtol=1e-5)


def test_gradients_and_states_are_copies(backend_name):
    net = ub.initialize(ub.build(ub.MLP.on(backend_name)(4, 2), (1, 3)), 0)
    x = normal(5, 3)
    found = [ub.value_and_grad(net, x, loss="sum", wrt="both")[1], ub.state(net)]
    before = [{name: a.copy() for name, a in arrays.items()} for arrays in found]
    for arrays in found:
        for array in arrays.values():
            array[...] = 7
    again = [ub.value_and_grad(net, x, loss="sum", wrt="both")[1], ub.state(net)]
    for expected, arrays in zip(before, again, strict=True):
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, expected[name])
