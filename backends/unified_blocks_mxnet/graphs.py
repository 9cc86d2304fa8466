"""Models that MXNet runs as graphs."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend import Graph
from unified_blocks.backend.registry import load_backend
from unified_blocks.block.calls import foreign_tensor
from unified_blocks.errors import UnsupportedError
from unified_blocks_mxnet.compat import has_numpy_semantics, mx, nn, numpy_semantics
from unified_blocks_mxnet.hybrid import legacy_tensor, run_graph
from unified_blocks_mxnet.semantics import NUMPY, semantics_of
from unified_blocks_mxnet.tree import layers_of

GRAPH_KINDS: dict[str, dict[str, Any]] = {
    "hybridize()": {},
    "hybridize(static_alloc=True, static_shape=True)": {"static_alloc": True, "static_shape": True},
}
"""The arguments of `hybridize` for each kind of graph."""


class Whole(nn.HybridBlock):
    """A hybridized block whose forward is that of `net`, which stays as it is."""

    def __init__(self, net, traced):
        super().__init__()
        # Not children of this one, which would pass on to them how it is hybridized.
        self.__dict__.update(net=net, traced=traced)

    def collect_params(self, select=None):
        return self.net.collect_params(select)

    def forward(self, *inputs):
        return run_graph(self, inputs, self.net)  # which refuses what MXNet gets wrong

    def hybrid_forward(self, F, *inputs):
        self.traced()
        return self.net(*inputs)


class MXNetGraph(Graph):
    """See `Graph`. Its graph is for inputs of every shape."""

    def __init__(self, net: Any, kind: str) -> None:
        plain = [block for _, block in layers_of(net) if not isinstance(block, nn.HybridBlock)]
        if plain:
            raise UnsupportedError(
                "on MXNet a model that is run as a graph must be made of HybridBlocks; got a "
                f"{type(net).__name__} with a {type(plain[0]).__name__}, which is none"
            )
        self.semantics = semantics_of(net)
        with self.semantics.scope():
            self.block = Whole(net, self.count)
            self.block.hybridize(**GRAPH_KINDS[kind])

    def count(self) -> None:
        self.traces += 1

    def __call__(self, *inputs):
        if self.semantics is not NUMPY:
            return self.semantics.call(self.block, *inputs)
        if mx.nd.NDArray in map(type, inputs):
            raise legacy_tensor(self.block.net)
        try:
            if has_numpy_semantics():
                return self.block(*inputs)
            with numpy_semantics():
                return self.block(*inputs)
        except Exception:
            for value in inputs:
                if foreign := foreign_tensor(self.block.net, load_backend("mxnet"), value):
                    raise foreign from None
            raise
