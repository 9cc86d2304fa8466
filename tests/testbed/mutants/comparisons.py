"""What `ub.compare` itself is held to: it says the same of models alike, and of no others."""

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.held_otherwise import Attention, split
from testbed.made_up import KINDS, Unseen, unseen
from testbed.mutants.checks import copied, numbered
from testbed.structures import NOTHING, OTHER, SAME, Giving
from unified_blocks import ops
from unified_blocks.reference.rows import compared

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


def a_layer_makes_up_for_another(backend_name):
    for kind, (one, other, numbers) in KINDS.items():
        a = made(one)
        found = ub.compare(a, numbers(a, made(other)), X)
        assert found, f"{kind}\n{found}"


def a_difference_that_inputs_do_not_show_is_one(backend_name):
    x = np.abs(X)
    a, b = (made(lambda bias=bias: Unseen(bias), x) for bias in (True, False))
    found = ub.compare(a, unseen(a, b), x)
    assert not found, str(found)


def a_layer_that_was_taken_in_is_not_the_one_at_fault(backend_name):
    one, other, numbers = KINDS["a norm"]
    a = made(one)
    b = numbers(a, made(other))
    state = ub.state(b)
    state["out.bias"][0] += 1
    found = ub.compare(a, ub.load_state(b, state), X)
    assert found.first_difference.name == "out.bias", str(found)


def whole_numbers_have_any_width(backend_name):
    places = np.array([0, 2, 1])
    row = compared("output", "output", places.astype("int64"), places.astype("int32"))
    assert row.ok, row
    assert not compared("output", "output", places, (places + 1).astype("int32")).ok


def linear(weight, product=False):
    """A native layer of PyTorch, which multiplies by its weight, transposed or as it is."""
    import torch

    class Product(torch.nn.Linear):
        def forward(self, x):
            return x @ self.weight

    net = torch.nn.Sequential((Product if product else torch.nn.Linear)(6, 6, bias=False).double())
    return ub.load_state(net, {"0.weight": weight})


def a_weight_may_be_held_transposed(backend_name):
    weight = normal(6, 6, dtype="float64")
    a = linear(weight)
    assert ub.compare(a, linear(weight.T.copy(), product=True), X)
    assert not ub.compare(a, linear(weight.T.copy()), np.zeros((2, 6)))


def by_order_a_part_of_a_weight_is_no_weight(backend_name):
    from torch.nn.utils import parametrizations

    a = linear(normal(6, 6, dtype="float64"))
    parametrizations.weight_norm(a[0])
    b = ub.transfer(numbered(a), linear(normal(6, 6, dtype="float64")), match="order")
    found = ub.compare(a, b, X, match="order")
    assert found, str(found)
