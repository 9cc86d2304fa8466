"""Mixed precision, by the frameworks' own means."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import problem
from unified_blocks.backend import PLAIN, StepOptions

pytestmark = pytest.mark.capability("mixed-precision-training")

PRECISIONS = ("bfloat16", "float16")
HALF = pytest.mark.parametrize("precision", PRECISIONS)


def net_for(backend, precision):
    """On TensorFlow the layers are made for it, elsewhere they are of float32."""
    mixed = precision and backend.name == "tensorflow"
    with ub.use_dtype(f"mixed_{precision}" if mixed else "float32"):
        net = ub.MLP(16, 4, in_units=6)
    return ub.initialize(net, 5)


def step_of(backend, precision, **more):
    net = net_for(backend, precision)
    options = StepOptions(precision=precision, **more)
    return net, backend.training_step(net, ub.SGD(0.25, 0.5), "cross_entropy", options)


def data(backend):
    return tuple(backend.from_numpy(a) for a in problem("float32"))


def seen_dtypes(output, y, w):
    seen_dtypes.found.append(str(output.dtype))
    return output[0, 0]


@HALF
def test_it_trains_nearly_as_in_float32(backend, precision):
    wide = net_for(backend, None)
    step = backend.training_step(wide, ub.SGD(0.25, 0.5), "cross_entropy", PLAIN)
    expected = step.epoch(*data(backend), np.arange(40), 8)
    seen_dtypes.found = []
    net, step = step_of(backend, precision, watched=(seen_dtypes,))
    found = step.epoch(*data(backend), np.arange(40), 8)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=0.02)
    assert (found != expected).any()
    assert all("float32" in name for name in seen_dtypes.found)  # losses are wide
    for name, array in ub.state(net).items():
        assert array.dtype == "float32"
        np.testing.assert_allclose(array, ub.state(wide)[name], atol=0.02)


@HALF
def test_with_all_else(backend, precision):
    results = []
    for each in (None, precision):
        more = {"clip": ub.Clip(global_norm=0.5), "accumulate": 2, "average": 0.5}
        _, step = step_of(backend, each, scheduled=True, **more)
        step.epoch(*data(backend), np.arange(40), 8, rates=np.full(3, 0.25, "float32"))
        assert step.count == 3
        results.append({slot.name: slot.read() for slot in step.averages()})
    for name, array in results[0].items():
        np.testing.assert_allclose(results[1][name], array, atol=0.02)


def test_an_update_that_overflows_is_left_out(backend):
    net, step = step_of(backend, "float16", average=0.5)
    slots = {slot.name: slot for slot in step.slots()}
    assert slots["loss_scale"].read() == 2**15
    x, y = data(backend)
    step(x, y)
    before, averages = ub.state(net), [slot.read() for slot in step.averages()]
    assert slots["loss_scale_steps"].read() == 1
    slots["loss_scale"].write(np.float32(2.0**40))
    step(x, y)
    assert slots["loss_scale"].read() == 2.0**39
    assert slots["loss_scale_steps"].read() == 0
    assert step.count == 1
    for name, array in ub.state(net).items():
        np.testing.assert_array_equal(array, before[name])
    for slot, array in zip(step.averages(), averages, strict=True):
        np.testing.assert_array_equal(slot.read(), array)


@pytest.mark.parametrize("clip", [ub.Clip(value=1.0), ub.Clip(norm=1.0), ub.Clip(global_norm=1.0)])
def test_clipping_hides_no_overflow(backend, clip):
    """Of gradients that are infinite, and that a limit for each number would make finite."""
    mixed = backend.name == "tensorflow"
    with ub.use_dtype("mixed_float16" if mixed else "float32"):
        net = ub.initialize(ub.Dense(2, in_units=3), 0)
    trainer = ub.Trainer(net, ub.SGD(1.0), "mse", precision="float16", clip=clip)
    before = ub.state(net)
    trainer.step(np.ones((4, 3), "float32"), np.full((4, 2), 1e4, "float32"))
    assert ub.state(trainer)["optimizer.loss_scale"] == 2.0**14
    for name, array in ub.state(net).items():
        np.testing.assert_array_equal(array, before[name])


def test_small_gradients_do_not_vanish(backend):
    """Of 1e-8, which is 0 in float16."""

    def tiny(output):
        return output.sum() * 1e-8 if backend.name == "torch" else ub.ops.sum(output) * 1e-8

    net = net_for(backend, "float16")
    before = ub.state(net)["out.bias"]
    options = StepOptions(precision="float16")
    step = backend.training_step(net, ub.SGD(1e8), tiny, options)
    step(data(backend)[0], None)
    np.testing.assert_allclose(before - ub.state(net)["out.bias"], 40, rtol=1e-2)


def test_another_precision(backend):
    with pytest.raises(ValueError, match="precision must be 'bfloat16', 'float16' or None"):
        StepOptions(precision="float8")
    if backend.name == "tensorflow":
        net = net_for(backend, None)
        with pytest.raises(ub.UnsupportedError, match=r'make it with dtype="mixed_bfloat16"'):
            backend.training_step(net, ub.SGD(0.1), "mse", StepOptions(precision="bfloat16"))


def test_a_model_in_float64_is_refused(backend):
    """Autocast leaves its layers in float64: the training would not be in half, without a word."""
    with ub.use_dtype("float64"):
        net = ub.build(ub.MLP(16, 4), (2, 6))
    with pytest.raises(ub.UnsupportedError, match=r"precision='bfloat16'.*(float64|one precision)"):
        backend.training_step(net, ub.SGD(0.1), "mse", StepOptions(precision="bfloat16"))


def test_what_scales_the_loss_goes_to_another_trainer(backend):
    _, step = step_of(backend, "float16")
    slots = {slot.name: slot for slot in step.slots()}
    slots["loss_scale"].hold(np.float32(2.0**10))
    slots["loss_scale_steps"].hold(np.int32(1999))
    step(*data(backend))
    assert slots["loss_scale"].held() == 2.0**11
    assert slots["loss_scale_steps"].held() == 0
