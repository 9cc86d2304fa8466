"""Clipping of PyTorch's gradients."""

from __future__ import annotations

from functools import reduce

import torch

from unified_blocks.backend import Clip

Gradients = list[torch.Tensor | None]


@torch.no_grad()
def clipped(gradients: Gradients, clip: Clip) -> Gradients:
    """See `Clip`. A sparse gradient becomes a dense one."""
    kind, bound = clip.rounded()
    dense = [None if g is None else g.to_dense() if g.is_sparse else g for g in gradients]
    given = [g for g in dense if g is not None]
    if kind == "value":
        for g in given:
            g.clamp_(-bound, bound)
        return dense
    norms = [torch.linalg.vector_norm(g) for g in given]
    if kind == "global_norm" and given:
        widest = reduce(torch.promote_types, (norm.dtype for norm in norms))
        norms = [torch.linalg.vector_norm(torch.stack([norm.to(widest) for norm in norms]))]
        norms *= len(given)
    for g, norm in zip(given, norms, strict=True):
        g.mul_(bound / norm.clamp(min=bound))  # where nothing is clipped exactly 1
    return dense
