"""Networks of others, read into typed nodes, and written as source code.

Example::

    net = ub.build(ub.MLP.on("mxnet")(256, 10), (2, 20))
    port = ub.port(net, "torch", example=(2, 20))
    [node.name for node in port.graph.nodes]
"""

from unified_blocks.porting.mxnet.reading import register

__all__ = ["register"]
