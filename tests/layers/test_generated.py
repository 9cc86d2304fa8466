"""Layers of images with arguments and sizes that nobody chose are as their references."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import unified_blocks as ub
from testbed.hostile import SOAK
from unified_blocks.reference.policy import deviation

EXAMPLES = 400 if SOAK else 25
SIZES = st.integers(1, 9)


def pairs(rank, most=3):
    return st.tuples(*(st.tuples(st.integers(0, most), st.integers(0, most)) for _ in range(rank)))


def each(rank, most):
    return st.tuples(*(st.integers(1, most) for _ in range(rank)))


@st.composite
def convolutions(draw):
    rank, groups = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    arguments = {
        "channels": groups * draw(st.integers(1, 2)),
        "kernel_size": draw(each(rank, 4)),
        "strides": draw(each(rank, 5)),
        "padding": draw(st.one_of(st.just("same"), pairs(rank))),
        "dilation": draw(each(rank, 3)),
        "groups": groups,
        "use_bias": draw(st.booleans()),
    }
    return f"Conv{rank}D", arguments, groups * draw(st.integers(1, 2))


@st.composite
def transposed(draw):
    name, arguments, channels = draw(convolutions())
    rank = len(arguments["kernel_size"])
    arguments["padding"] = draw(pairs(rank, 1))
    least = [max(s, d) for s, d in zip(arguments["strides"], arguments["dilation"], strict=True)]
    arguments["output_padding"] = tuple(draw(st.integers(0, most - 1)) for most in least)
    return f"{name}Transpose", arguments, channels


@st.composite
def pools(draw):
    rank = draw(st.integers(1, 3))
    window = draw(each(rank, 4))
    name, more = draw(
        st.sampled_from(
            (("MaxPool", {}), ("AvgPool", {}), ("AvgPool", {"count_include_pad": False}))
        )
    )
    below = st.tuples(*(st.tuples(*(st.integers(0, k - 1),) * 2) for k in window))
    padding = draw(st.one_of(st.just("same"), below))
    arguments = {"pool_size": window, "strides": draw(each(rank, 5)), "padding": padding, **more}
    if padding != "same":
        arguments["ceil_mode"] = draw(st.sampled_from((False, True, "full")))
    return f"{name}{rank}D", arguments, draw(st.integers(1, 3))


def reach(arguments):
    """The axes of space that the window takes, without padding."""
    windows = arguments.get("kernel_size") or arguments["pool_size"]
    dilation = arguments.get("dilation", (1,) * len(windows))
    return [(k - 1) * d + 1 for k, d in zip(windows, dilation, strict=True)]


@pytest.mark.parametrize("family", [convolutions, transposed, pools], ids=lambda f: f.__name__)
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_as_the_reference(backend_name, family, layout):
    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(layer=family(), n=st.integers(1, 2), extra=st.lists(st.integers(0, 6), min_size=3))
    def every(layer, n, extra):
        name, arguments, channels = layer
        sizes = [k + more for k, more in zip(reach(arguments), extra, strict=False)]
        x = np.random.default_rng(0).normal(size=(n, channels, *sizes))
        x = x if layout == "channels_first" else np.ascontiguousarray(np.moveaxis(x, 1, -1))
        with ub.use_dtype("float64"):
            net = getattr(ub, name)(**arguments, layout=layout)
        backend = ub.backend_of(net)
        found = backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))
        wanted = net.reference(ub.state(net) if hasattr(net, "input_parameter") else {}, x)
        assert found.shape == wanted.shape, (name, arguments, x.shape)
        nothing = np.isneginf(wanted)  # the largest of none: -inf, or the lowest that there is
        assert (found[nothing] <= np.finfo("float64").min).all()
        found, wanted = np.where(nothing, 0, found), np.where(nothing, 0, wanted)
        assert deviation(found, wanted, "float64").ok, (name, arguments, x.shape)

    every()
