"""One network, trained on the tape and on each framework that is installed: the same numbers."""

import numpy as np

import unified_blocks as ub

generator = np.random.default_rng(0)
x, y = generator.normal(size=(64, 20)), generator.integers(0, 10, 64)
training = {"loss": "cross_entropy", "optimizer": ub.SGD(0.125, momentum=0.875)}


def made(name):
    with ub.use_dtype("float64"):
        return ub.initialize(ub.MLP.on(name)(32, 10, in_units=20), seed=0)


def trained(net):
    trainer = ub.Trainer(net, **training)
    for _ in range(50):
        loss = trainer.step(x, y)
    return float(ub.to_numpy(loss)), ub.state(net)


loss, numbers = trained(made("numpy_tape"))
print(f"NumPy with a tape: loss {loss:.6f}")
for name in ub.available_backends():
    if name != "numpy_tape":
        nets = made("numpy_tape"), made(name)
        ub.assert_equivalent(*nets, x, mode="training", targets=y, steps=50, **training)
        loss, others = trained(made(name))
        apart = max(abs(numbers[each] - others[each]).max() for each in numbers)
        assert apart < 1e-12, f"{name}: {apart}"
        print(f"{ub.get_backend(name).title}: loss {loss:.6f}, no parameter further off than 1e-12")
