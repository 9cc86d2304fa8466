"""Uses the fourth framework; run in a process that finds it."""

import numpy as np

import unified_blocks as ub
from unified_blocks import ops


class Residual(ub.Block):
    def __init__(self, units):
        super().__init__()
        self.body = ub.MySequential(ub.Dense(units, activation="relu"), ub.Dense(units))
        self.scale = ub.Constant(0.5)

    def forward(self, X):
        return ops.relu(X + self.scale * self.body(X))


assert ub.available_backends()[-1] == "toyframe"  # it declares no preference
assert ub.get_backend("Toys").name == "toyframe"
foreign = ub.from_numpy(np.zeros(3), "toyframe")
assert type(foreign).__module__ == "toyarrays"
assert ub.backend_of(foreign).name == "toyframe"
x = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
makes = {
    "MLP": lambda: ub.MLP(8, 4),
    "NestMLP": ub.NestMLP,
    "FixedHiddenMLP": lambda: ub.FixedHiddenMLP(6),
    "Residual": lambda: Residual(6),
}
for name, make in makes.items():
    with ub.use_backend("toyframe"):
        net = ub.initialize(ub.build(make(), x.shape), 1, "torch_default")
        y = ub.to_numpy(net(ub.from_numpy(x)))
    for other in ub.available_backends():
        with ub.use_backend(other):
            twin = ub.load_state(make(), ub.state(net))
            np.testing.assert_allclose(ub.to_numpy(twin(ub.from_numpy(x))), y, rtol=1e-4, atol=1e-5)
    print(name, type(net).__mro__[-2].__module__)
refusing = [n for n in ub.available_backends() if "array-inputs" in ub.get_backend(n).lacks]
for other in refusing[:-1]:
    try:
        ub.MLP.on(other)(8, 4)(foreign)
    except ub.ForeignTensorError as error:
        assert "got a tensor of Toyframe" in str(error)  # noqa: PT017
    else:
        raise AssertionError(f"{other} takes the arrays of Toyframe")
try:
    ops.gelu(ub.from_numpy(x, "toyframe"))
except ub.UnsupportedError as error:
    print(error)
print(ops.capabilities()["gelu"]["toyframe"])
