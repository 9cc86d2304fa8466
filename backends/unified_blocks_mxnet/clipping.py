"""Clipping of MXNet's gradients.

`gluon.utils.clip_global_norm` is another formula, and waits for the norm.
"""

from __future__ import annotations

from typing import Any

from unified_blocks.backend import Clip
from unified_blocks_mxnet.compat import mx


def clipped(gradients: list[Any], clip: Clip) -> list[Any]:
    """See `Clip`. A sparse gradient becomes a dense one."""
    kind, bound = clip.rounded()
    dense = [None if g is None else in_whole(g) for g in gradients]
    given = [g for g in dense if g is not None]
    if kind == "value":
        return [None if g is None else mx.np.clip(g, -bound, bound) for g in dense]
    norms = [norm_of(g) for g in given]
    if kind == "global_norm" and given:
        widest = max((norm.dtype for norm in norms), key=lambda dtype: dtype.itemsize)
        norms = [norm_of(mx.np.stack([norm.astype(widest) for norm in norms]))] * len(given)
    # Where nothing is clipped the factor is exactly 1.
    scaled = iter(
        g * (bound / mx.np.maximum(norm, bound)).astype(g.dtype)
        for g, norm in zip(given, norms, strict=True)
    )
    return [None if g is None else next(scaled) for g in dense]


def norm_of(array: Any) -> Any:
    return mx.np.sqrt(mx.np.square(array).sum())


def in_whole(gradient: Any) -> Any:
    if isinstance(gradient, mx.np.ndarray):
        return gradient
    return gradient.tostype("default").as_np_ndarray()
