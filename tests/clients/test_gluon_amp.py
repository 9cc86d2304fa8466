"""MXNet's mixed precision (`mxnet.contrib.amp`) on a block, as on one written by hand.

On the CPU MXNet computes no dense layer in half precision, so that what is compared is the graph.
"""

import json
import warnings

import pytest

import unified_blocks as ub
from testbed.common import normal

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from testbed.gluon_pairs import WIDTH, pair
from unified_blocks_mxnet.compat import mx, numpy_semantics


def converted(net, target, **options):
    from mxnet.contrib import amp

    with numpy_semantics(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "Cannot decide type": of any net
        net.hybridize()
        net(mx.np.array(normal(5, WIDTH)))
        return amp.convert_hybrid_block(net, target, ctx=mx.cpu(), **options)


@pytest.mark.parametrize(
    ("target", "cast"), [("float16", False), ("float16", True), ("bfloat16", False)]
)
def test_convert_hybrid_block(target, cast):
    graphs, dtypes = [], []
    for net in pair():
        half = converted(net, target, cast_optional_params=cast)
        nodes = json.loads(half._cached_graph[1].tojson())["nodes"]
        graphs.append([node["op"] for node in nodes])
        dtypes.append([str(p.dtype) for p in half.collect_params().values()])
    assert graphs[0] == graphs[1]
    assert "amp_cast" in graphs[0]
    assert dtypes[0] == dtypes[1]


def test_a_block_with_a_constant():
    class Scaled(ub.Block):
        def __init__(self):
            super().__init__()
            self.dense, self.scale = ub.Dense(3, in_units=WIDTH), ub.Constant(0.5)

        def forward(self, X):
            return self.dense(X) * self.scale

    half = converted(Scaled.on("mxnet")(), "float16")
    scale = next(p for name, p in half.collect_params().items() if name.endswith("scale"))
    assert scale.data().asnumpy() == 0.5
