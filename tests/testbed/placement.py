"""Where the tensors of a block are, asserted one by one."""

import numpy as np

import unified_blocks as ub
from testbed.common import normal


class LeftBehind(ub.FixedHiddenMLP):
    """The planted mistake: a constant that does not move with its block."""


def assert_placed(net, device, case, dtype):
    """Every variable, output and gradient of `net` is on `device`."""
    backend = ub.backend_of(net)
    variables = backend.variables(net)
    assert [v.name for v in variables] == list(case.variables)
    for variable in variables:
        assert variable.device == device, variable.name
    if device == "meta" and case.constants:
        return  # meta tensors have no values, and the halving loop reads one
    output, gradients = output_and_gradients(net, device, normal(*case.input_shape, dtype=dtype))
    assert backend.device_of(output) == device, "output"
    assert len(gradients) == len(case.parameters) + 1
    for name, gradient in gradients.items():
        assert backend.device_of(gradient) == device, f"gradient of {name}"
    x, y = case.batch(dtype)
    trainer = ub.Trainer(net, ub.SGD(0.1, 0.5), "mse")
    assert backend.device_of(trainer.step(x, y)) == device, "loss of a training step"
    if device != "meta" and y.shape:  # the losses of an epoch are read
        assert np.isfinite(trainer.epoch(x, y, np.array([1, 0]), 1)).all()
    for variable in backend.variables(ub.cast(net, "float64")):
        assert variable.device == device, f"{variable.name} after a step and a cast"


def output_and_gradients(net, device, x):
    """The output of a call and the gradients of its sum, as the framework's own tensors."""
    backend = ub.backend_of(net)
    variables = {v.name: v for v in backend.variables(net) if v.role == "parameter"}
    if backend.name == "torch":
        import torch

        X = torch.tensor(x, device=backend_device(backend, device), requires_grad=True)
        output = net(X)
        output.sum().backward()
        gradients = {name: v.tensor.grad for name, v in variables.items()}
        return output, {**gradients, "x": X.grad}
    X = ub.from_numpy(x, backend.name, device=device)
    if backend.name == "tensorflow":
        import tensorflow as tf

        handles = [v.handle.value for v in variables.values()]
        from unified_blocks_tensorflow.bind import placed

        with placed(net):
            with tf.GradientTape() as tape:
                tape.watch(X)
                output = net(X)
            found = tape.gradient(output, [*handles, X])
        return output, dict(zip([*variables, "x"], found, strict=True))
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    with numpy_semantics():
        X.attach_grad()
        with mx.autograd.record():
            output = net(X)
        output.backward()
        gradients = {name: v.parameter.list_grad()[0] for name, v in variables.items()}
        return output, {**gradients, "x": X.grad}


def backend_device(backend, device):
    return device.replace("gpu", "cuda")
