"""Attention: means of values, weighted by how well their keys fit a query."""

from __future__ import annotations

from typing import Any

from unified_blocks.ops.dispatch import floating, together, truth
from unified_blocks.ops.reductions import rank_of


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    mask: Any = None,
    /,
    *,
    causal: bool = False,
    scale: float | None = None,
) -> Any:
    """`softmax(scale · Q Kᵀ) V`, by the framework's fused kernel where it has one.

    Args:
        query, key, value: `(…, q, d)`, `(…, k, d)` and `(…, k, e)`, with the same sizes in front.
        mask: truth values that broadcast to `(…, q, k)`: a query attends where it is True. One that
            attends to nothing gives zeros.
        causal: whether query i attends to the keys 0 to i only; of a mask, to those it leaves.
        scale: default `1 / √d`.

    Returns:
        `(…, q, e)`.

    Source:
        Vaswani et al., "Attention Is All You Need", 2017.

    Example::

        Q, V = ub.from_numpy(np.zeros((1, 2, 4))), ub.from_numpy([[[1.0], [3.0]]])
        ub.ops.scaled_dot_product_attention(Q, Q, V)  # [[[2], [2]]]
        ub.ops.scaled_dot_product_attention(Q, Q, V, causal=True)  # [[[1], [2]]]
    """
    return attend(query, key, value, mask, causal, scale)


def attend(
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    causal: bool,
    scale: float | None,
    drop: Any = None,
) -> Any:
    """`scaled_dot_product_attention`, with the `Dropout` that the weights go through.

    Raises:
        TypeError: for a mask of other than truth values.
        ValueError: for sizes that do not fit.
    """
    together(NAME, query, key, value)
    namespace = floating(NAME, query)
    shapes = None if rank_of(query) is None else (query.shape, key.shape, value.shape)
    if shapes is not None:
        _check_sizes(*shapes)
    if mask is not None:
        truth(NAME, mask)
        if shapes is not None:
            check_mask(f"ops.{NAME}", mask, (*query.shape[:-1], key.shape[-2]), "(…, q, k)")
    return namespace.scaled_dot_product_attention(query, key, value, mask, causal, scale, drop)


NAME = "scaled_dot_product_attention"


def _check_sizes(query: Any, key: Any, value: Any) -> None:
    ranks = {len(shape) for shape in (query, key, value)}
    if (
        ranks in ({0}, {1})
        or len(ranks) > 1
        or not _same(query[-1], key[-1])
        or not _same(key[-2], value[-2])
        or not all(map(_same, (*query[:-2], *query[:-2]), (*key[:-2], *value[:-2])))
    ):
        raise ValueError(
            f"ops.{NAME}: query, key and value must be (…, q, d), (…, k, d) and (…, k, e) with the "
            f"same sizes in front; got {tuple(query)}, {tuple(key)} and {tuple(value)}"
        )


def _same(a: Any, b: Any) -> bool:
    """Whether two sizes are one, as far as they are known."""
    return a is None or b is None or bool(a == b)


def check_mask(what: str, mask: Any, wanted: tuple[Any, ...], named: str, remedy: str = "") -> None:
    """Raise `ValueError` for a mask that does not broadcast to a shape, if both are known.

    Args:
        what: the operation or layer, for the message.
        mask: a tensor.
        wanted: the shape, with None in place of a size that is not known.
        named: that shape in words.
        remedy: what the message ends with.
    """
    if rank_of(mask) is None:
        return
    given = tuple(mask.shape)
    if len(given) > len(wanted) or not all(
        size is None or size == 1 or _same(size, whole)
        for size, whole in zip(reversed(given), reversed(wanted), strict=False)
    ):
        raise ValueError(
            f"{what}: a mask must broadcast to {named}, {wanted}; got one of {given}{remedy}"
        )
