"""Random networks that are right give no alarm: on two frameworks, and against NumPy."""

from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import unified_blocks as ub
from testbed.common import HERE
from testbed.hostile import SOAK
from testbed.images import last
from testbed.mutants.checks import numbered
from testbed.mutants.networks import GIVES, Heads, apart, made, networks
from unified_blocks.layouts import LAYOUTS
from unified_blocks.reference.gradients import reference_gradients, reference_output
from unified_blocks.reference.policy import deviation

EACH = 50
PARTS = 20 if SOAK else 1
PAIRS = [(a, b) for a in HERE for b in HERE if a != b] or [(name, None) for name in HERE]


def forms():
    """How a network and its port are made: see `alarms_of_a_port`."""
    gives = st.sampled_from(
        [
            tuple((row, column) for column in pair)
            for row, ways in enumerate(GIVES)
            for pair in product(range(len(ways)), repeat=2)
        ]
    )
    tied = st.tuples(st.booleans(), st.booleans())
    return st.tuples(st.integers(1, 4), tied, gives, st.sampled_from(LAYOUTS))


@pytest.mark.skipif(not HERE, reason="it needs a framework")
@pytest.mark.filterwarnings("ignore:Exception encountered when calling Softmax")  # of one number
@pytest.mark.filterwarnings("ignore:.*softmax over axis")
@pytest.mark.parametrize("part", range(PARTS))
def test_they_give_no_alarm(part, record_property):
    alarms, count = [], 0

    @seed(part)
    @settings(
        max_examples=EACH,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(network=networks(), pair=st.sampled_from(PAIRS), form=forms())
    def every(network, pair, form):
        nonlocal count
        count += 1
        alarms.extend(alarms_of(*network, *pair))
        alarms.extend(alarms_of_a_port(*network, *pair, *form))

    every()
    record_property("networks", (len(alarms), count))
    assert not alarms, "\n\n".join(alarms)


def alarms_of(words, x, first, second):
    """What is said against a network, which is right."""
    alarms = []
    for dtype in ("float64", "float32"):
        a = net_of(words, x, first, dtype)
        y = targets_for(a, x).astype(dtype)
        x = x.astype(dtype) if x.dtype.kind == "f" else x
        if second is not None:
            b = ub.load_state(net_of(words, x, second, dtype), ub.state(a))
            found = ub.compare(a, b, x, mode="gradient", targets=y)
            if not found.ok:
                alarms.append(f"{words}, {dtype}\n{found}")
        alarms += [f"{words}, {dtype} on {first}: {said}" for said in by_reference(a, x, y, dtype)]
    return alarms


def alarms_of_a_port(words, x, first, second, units, tied, gives, layout):
    """What is said against a network and its port, which computes the same and is built otherwise.

    The first is fused. Each may know its last layer by two names, and gives its two outputs in a
    structure of its own. The second takes images in `layout`.
    """
    layouts = (LAYOUTS[0], layout if x.ndim == 4 else LAYOUTS[0])
    x = x.astype("float64") if x.dtype.kind == "f" else x
    nets = []
    for name, fused, (row, column), two_names, of in zip(
        (first, second or first), (True, False), gives, tied, layouts, strict=True
    ):

        def make(words=words, fused=fused, tied=two_names, give=GIVES[row][column]):
            return Heads(made(words), units, fused, tied, give)

        with ub.use_layout(of):
            nets.append(net_of(make, x if of == LAYOUTS[0] else last(x), name, "float64"))
    a, b = nets
    ub.load_state(b, apart(ub.state(a)))
    options = {"layouts": layouts} if layouts[0] != layouts[1] else {}
    found = ub.compare(a, b, x, mode="gradient", **options)
    return [] if found.ok else [f"{words}, {units}, {tied}, {gives}, {layouts}\n{found}"]


def net_of(words, x, backend_name, dtype):
    """The network, from its words or a function, with random numbers everywhere."""
    with ub.use_backend(backend_name) as backend, ub.use_dtype(dtype):
        net = words() if callable(words) else made(words)
        backend.run(net, [backend.from_numpy(x.astype(dtype) if x.dtype.kind == "f" else x)])
    return numbered(net)


def targets_for(net, x):
    shape = reference_output(net, ub.state(net), x).shape
    return np.random.default_rng(1).normal(size=shape)


def by_reference(net, x, y, dtype):
    """Where a network departs from its NumPy reference, whose gradients are by complex steps."""
    backend, numbers = ub.backend_of(net), ub.state(net)
    output = backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))
    found = {"output": output}
    wanted = {"output": reference_output(net, numbers, x)}
    if dtype == "float64":
        names = [v.name for v in backend.variables(net) if v.trainable]
        _, gradients = ub.value_and_grad(net, x, y, loss="mse")
        found |= gradients
        wanted |= reference_gradients(net, numbers, x, y, names)
    for name, array in found.items():
        away = deviation(array, wanted[name], dtype)
        if not away.ok:
            yield f"{name} is {away.share:.2g} of what is allowed from the reference"
