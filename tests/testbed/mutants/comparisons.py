"""What `ub.compare` itself is held to: it says the same of models alike, and of no others."""

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.held_otherwise import Attention, split
from testbed.mutants.checks import copied, numbered
from testbed.structures import NOTHING, OTHER, SAME, Giving
from unified_blocks import ops

X = normal(5, 6, dtype="float64")


def made(make, x=X):
    with ub.use_dtype("float64"):
        net = make()
    backend = ub.backend_of(net)
    backend.run(net, [backend.from_numpy(x)])
    return numbered(net)


def giving(cases, name):
    return [made(lambda give=give: Giving(give)) for give in cases[name]]


def refuses(error, net, x, **options):
    try:
        found = ub.compare(net, net, x, **options)
    except error:
        return
    raise AssertionError(f"no {error.__name__}:\n{found}")


def dicts_are_paired_by_key(backend_name):
    assert ub.compare(*giving(SAME, "dict"), X)
    assert not ub.compare(*giving(OTHER, "dict"), X)


def fields_have_positions_for_a_tuple_alone(backend_name):
    assert ub.compare(*giving(SAME, "named tuple and tuple"), X)
    assert ub.compare(*giving(SAME, "named tuples in another order"), X)


def dataclasses_are_looked_into(backend_name):
    assert not ub.compare(*giving(OTHER, "dataclass beside"), X)


def a_leaf_of_one_model_is_a_difference(backend_name):
    assert not ub.compare(*giving(OTHER, "one more"), X)


def an_output_must_hold_a_tensor(backend_name):
    net = made(lambda: Giving(lambda a, b: a))
    net.give = NOTHING["an object"]
    refuses(ub.UnsupportedError, net, X)


def each_output_has_an_effect(backend_name):
    a = made(lambda: Giving(lambda a, b: {"start": a, "end": b}))
    b = made(lambda: Giving(lambda a, b: {"start": a, "end": ops.stop_gradient(b)}))
    assert not ub.compare(a, b, X, mode="gradient")


def what_is_computed_decides(backend_name):
    x = normal(2, 5, 6, dtype="float64")
    a = made(lambda: Attention(fused=True), x)
    b = ub.load_state(made(lambda: Attention(fused=False), x), split(ub.state(a)))
    assert ub.compare(a, b, x)
    assert not ub.compare(a, b, mode="parameters")


def sequence(*layers):
    return made(lambda: ub.MySequential(*(make() for make in layers)))


def a_name_is_given_once(backend_name):
    """The mistake is the second activation; the first layer of `b` is no partner of any."""

    def dense():
        return ub.Dense(6)

    a = sequence(dense, ub.Tanh, dense, ub.Sigmoid)
    b = sequence(lambda: ub.Lambda(lambda X: X * 1.0), dense, ub.Tanh, dense, ub.ReLU)
    ub.transfer(a, b, match="order")
    found = ub.compare(a, b, X, rename={str(n): str(n + 1) for n in range(4)})
    first = found.first_difference
    assert (first.name, found.cause) == ("3", "another_activation"), str(found)


def a_wrong_name_is_an_error(backend_name):
    net = made(lambda: ub.MySequential(ub.Dense(6)))
    refuses(ValueError, net, X, rename={"0": "no_such_layer"})


def layers_between_pair_by_order(backend_name):
    a = sequence(lambda: ub.Dense(6), ub.Tanh, ub.ReLU, lambda: ub.Dense(3))
    b = sequence(lambda: ub.Dense(6), ub.Tanh, ub.ELU, lambda: ub.Dense(3))
    found = ub.compare(a, copied(a, b), X, match="order")
    assert found.first_difference.name == "2", str(found)


def inputs_go_where_their_names_are(backend_name):
    class Difference(ub.Block):
        def __init__(self):
            super().__init__()
            self.dense = ub.Dense(6)

        def forward(self, first, second):
            return self.dense(first) - second

    class Exchanged(Difference):
        def forward(self, second, first):
            return self.dense(first) - second

    with ub.use_dtype("float64"):
        nets = Difference(), Exchanged()
    backend = ub.get_backend()
    inputs = {"first": X, "second": np.flip(X, 0).copy()}
    for net in nets:
        backend.run(net, [backend.from_numpy(X)] * 2)
    found = ub.compare(numbered(nets[0]), numbered(nets[1]), inputs)
    assert found, str(found)
