"""A function that is not part of any test module, with a loop on a tensor."""

from unified_blocks import ops


def halved(H):
    while ops.sum(ops.abs(H)) > 1:
        H = H / 2
    return H
