"""Ports of the small network, to the framework of a test."""

import unified_blocks as ub
from testbed.exported import save, small_network

IMAGE = (2, 3, 8, 8)
TARGETS = {"torch": "torch", "tensorflow": "tensorflow"}


def target(backend_name):
    """What is ported to on a backend: a portable block, where it is no target itself."""
    return TARGETS.get(backend_name, "unified_blocks")


def ported(folder, backend_name, text=None, example=IMAGE, **options):
    """The port of a network that is written to a folder."""
    graph, _ = save(folder, small_network() if text is None else text)
    return ub.port(graph, target(backend_name), example=example, **options)


def spoiled(port, layer="conv0", share=1e-6):
    """`port`, with the weight of one of its layers a little larger."""
    name = port.names[f"{layer}_weight"]
    port.state[name] = port.state[name] * (1 + share)
    return port
