"""The optimizers beside the frameworks' own, where those compute the formula."""

from dataclasses import replace

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.learning import START, slope, squares, trainer_of


@pytest.mark.parametrize(
    "optimizer", [ub.RMSprop(0.01, 0.8, 0.01), ub.Adagrad(0.1, 0.01)], ids=repr
)
def test_parameters_are_updated_at_once_as_one_by_one(backend_name, optimizer):
    """As they are on a GPU, and on a CPU."""
    if backend_name != "torch":
        pytest.skip("the others have one way")
    import torch

    from unified_blocks_torch.optimizers import make_optimizer

    ways = []
    for _ in range(2):
        trained = [
            torch.nn.Parameter(torch.from_numpy(normal(*shape, seed=i)))
            for i, shape in enumerate([(3, 4), (5,), (2, 3, 4)])
        ]
        ways.append((trained, make_optimizer(trained, optimizer)))
    (ones, by_one), (all_of_them, at_once) = ways
    for _ in range(3):
        for parameter in (*ones, *all_of_them):
            parameter.grad = parameter.detach() * 2
        by_one.step()
        with torch.no_grad():
            at_once.update(all_of_them, at_once.param_groups[0])
    for one, other in zip(ones, all_of_them, strict=True):
        assert torch.equal(one, other)


def own(backend_name, optimizer, weight):
    """The framework's own optimizer, and how it takes a step with a gradient."""
    if backend_name == "torch":
        import torch

        w = torch.nn.Parameter(torch.from_numpy(weight.copy()))
        made = {
            ub.SGD: lambda o: torch.optim.SGD(
                [w], o.learning_rate, o.momentum, 0, o.weight_decay, nesterov=o.nesterov
            ),
            ub.AdamW: lambda o: torch.optim.AdamW(
                [w], o.learning_rate, (o.beta_1, o.beta_2), o.epsilon, o.weight_decay
            ),
            ub.Adam: lambda o: torch.optim.Adam(
                [w], o.learning_rate, (o.beta_1, o.beta_2), o.epsilon, o.weight_decay
            ),
        }[type(optimizer)](optimizer.rounded())

        def step(gradient):
            w.grad = torch.from_numpy(gradient)
            made.step()
            return w.detach().numpy().copy()

    elif backend_name == "tensorflow":
        import keras

        w = keras.Variable(weight, dtype="float64")
        made = {
            ub.SGD: lambda o: keras.optimizers.SGD(o.learning_rate, o.momentum, o.nesterov),
            ub.AdamW: lambda o: keras.optimizers.AdamW(
                o.learning_rate, o.weight_decay, o.beta_1, o.beta_2, o.epsilon
            ),
            ub.RMSprop: lambda o: keras.optimizers.RMSprop(
                o.learning_rate, o.rho, epsilon=o.epsilon
            ),
            ub.Adagrad: lambda o: keras.optimizers.Adagrad(o.learning_rate, 0.0, epsilon=o.epsilon),
        }[type(optimizer)](optimizer.rounded())

        def step(gradient):
            made.apply([keras.ops.convert_to_tensor(gradient)], [w])
            return w.numpy()

    else:
        from unified_blocks_mxnet.compat import mx

        dtype = "float64" if isinstance(optimizer, ub.SGD | ub.Adam) else "float32"
        w = mx.nd.array(weight, dtype=dtype)
        made = {
            ub.SGD: lambda o: (mx.optimizer.NAG if o.nesterov else mx.optimizer.SGD)(
                learning_rate=o.learning_rate, momentum=o.momentum, wd=o.weight_decay
            ),
            ub.Adam: lambda o: mx.optimizer.Adam(
                o.learning_rate, o.beta_1, o.beta_2, o.epsilon, wd=o.weight_decay
            ),
            ub.RMSprop: lambda o: mx.optimizer.RMSProp(o.learning_rate, o.rho, epsilon=o.epsilon),
            ub.Adagrad: lambda o: mx.optimizer.AdaGrad(o.epsilon, learning_rate=o.learning_rate),
        }[type(optimizer)](optimizer.rounded())
        update = mx.optimizer.get_updater(made)

        def step(gradient):
            update(0, mx.nd.array(gradient, dtype=dtype), w)
            return w.asnumpy()

    return step


NESTEROV = ub.SGD(0.1, 0.9, nesterov=True)
SAME = {
    "torch": [
        (NESTEROV, 1e-14),
        (replace(NESTEROV, weight_decay=0.05), 1e-14),
        (ub.AdamW(0.01, epsilon=1e-12, weight_decay=0.05), 1e-10),
        (ub.Adam(0.01, epsilon=1e-12, weight_decay=0.05), 1e-10),
    ],
    "tensorflow": [
        (NESTEROV, 1e-14),
        (ub.AdamW(0.01, weight_decay=0.05), 1e-14),
        (ub.RMSprop(0.01, 0.8, 0.01), 1e-14),
        (ub.Adagrad(0.1, 0.01), 1e-14),
    ],
    "mxnet": [
        (NESTEROV, 1e-14),
        (ub.SGD(0.1, 0.9, weight_decay=0.05), 1e-14),
        (ub.Adam(0.01, weight_decay=0.05), 1e-14),
        (ub.RMSprop(0.01, 0.8, 0.01), 1e-6),  # its own is for float32 only
        (ub.Adagrad(0.1, 0.01), 1e-6),
    ],
}


@pytest.mark.parametrize("place", range(5))
def test_where_the_formula_is_the_frameworks_so_is_the_path(backend_name, place):
    if place >= len(SAME[backend_name]):
        pytest.skip("so many it has not")
    optimizer, atol = SAME[backend_name][place]
    trainer, step = trainer_of(optimizer, backend_name), own(backend_name, optimizer, START)
    w = START
    for _ in range(10):
        trainer.step(*squares())
        w = step(slope(w))
        np.testing.assert_allclose(ub.state(trainer.net)["weight"], w, rtol=0, atol=atol)
