"""`MultiHeadAttention`: each position takes from others what fits it."""

from __future__ import annotations

from typing import Any

from unified_blocks import ops
from unified_blocks.block import Block
from unified_blocks.block.rules import check
from unified_blocks.layers.dense import Dense
from unified_blocks.layers.dropout import Dropout
from unified_blocks.ops.attention import attend, check_mask
from unified_blocks.ops.dispatch import truth
from unified_blocks.ops.reductions import rank_of
from unified_blocks.reference.numpy_ops import attention
from unified_blocks.types import Array, State


class MultiHeadAttention(Block):
    """Scaled dot-product attention, of several heads side by side.

    `out(concat(softmax(Qᵢ Kᵢᵀ / √(units / num_heads)) Vᵢ))`, where `Qᵢ`, `Kᵢ` and `Vᵢ` are the
    i-th shares of `query(Q)`, `key(K)` and `value(V)`.

    Called with `(query, key=None, value=None, mask=None, causal=False)`; give the last two by
    name, as Keras needs it. Without a key it is the query (self-attention), without a value it is
    the key. A `mask` holds truth values, one for each query and key, the same for all heads: a
    query attends where it is True, and one that attends to nothing takes zeros. With `causal=True`
    query i attends to the keys 0 to i only.

    Args:
        units: width of the output, and of queries, keys and values inside; a multiple of
            `num_heads`.
        num_heads: how many heads share them.
        dropout: the rate of the `Dropout` that the weights of attention go through.
        use_bias: whether the four dense layers add one.
        in_units: width of the queries; if omitted, inferred from the first input.
        key_units: width of the keys; default `in_units`.
        value_units: width of the values; default that of the keys.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Queries `(n, q, in_units)`, keys `(n, k, key_units)`, values `(n, k, value_units)`, output
        `(n, q, units)`. A mask is one of keys, `(n, k)`, as Keras' layers pass it on, or broadcasts
        to `(n, q, k)` (in what MXNet hybridizes only this, since symbols do not tell their axes).

    Parameters (canonical names; the framework's default initial values):
        `query.weight`: `(units, in_units)`; `key.weight`: `(units, key_units)`; `value.weight`:
        `(units, value_units)`; `out.weight`: `(units, units)`; `query.bias`, `key.bias`,
        `value.bias`, `out.bias`: `(units,)`.

    Raises:
        TypeError: for a mask of other than truth values.
        ValueError: for units that the heads cannot share evenly, or a mask of another shape.

    Source:
        Vaswani et al., "Attention Is All You Need", 2017.

    Example::

        words = ub.from_numpy(np.array([[5, 3, 0], [7, 0, 0]]))  # two sentences, 0 is padding
        X = ub.from_numpy(np.ones((2, 3, 64), "float32"))
        layer = ub.MultiHeadAttention(64, 8)
        layer(X, mask=ub.ops.not_equal(words, 0))  # (2, 3, 64)
    """

    input_parameter = "query.weight"

    def __init__(
        self,
        units: int,
        num_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        *,
        in_units: int | None = None,
        key_units: int | None = None,
        value_units: int | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check(name, units=units, num_heads=num_heads, dropout=dropout, in_units=in_units)
        check(name, key_units=key_units, value_units=value_units)
        if units % num_heads:
            raise ValueError(
                f"{name}: units must be a multiple of num_heads; got units={units} and "
                f"num_heads={num_heads}"
            )
        key_units = in_units if key_units is None else key_units
        value_units = key_units if value_units is None else value_units
        options: Any = {"use_bias": use_bias, "dtype": dtype}
        self.num_heads, self.head_units = num_heads, units // num_heads
        self.scale = self.head_units**-0.5
        self.query: Any = Dense(units, in_units=in_units, **options)
        self.key: Any = Dense(units, in_units=key_units, **options)
        self.value: Any = Dense(units, in_units=value_units, **options)
        self.out: Any = Dense(units, in_units=units, **options)
        self.drop: Any = Dropout(dropout) if dropout else None

    def forward(
        self, query: Any, key: Any = None, value: Any = None, mask: Any = None, causal: bool = False
    ) -> Any:
        key = query if key is None else key
        value = key if value is None else value
        if mask is not None:
            mask = self.for_heads(mask, query, key)
        Q, K, V = map(self.apart, (self.query(query), self.key(key), self.value(value)))
        Y = attend(Q, K, V, mask, causal, self.scale, self.drop)  # (n, heads, q, head_units)
        Y = ops.permute_dims(Y, (0, 2, 1, 3))
        return self.out(ops.reshape(Y, (ops.KEEP, ops.KEEP, self.num_heads * self.head_units)))

    def apart(self, X: Any) -> Any:
        """`(n, t, units)` as `(n, heads, t, head_units)`."""
        X = ops.reshape(X, (ops.KEEP, ops.KEEP, self.num_heads, self.head_units))
        return ops.permute_dims(X, (0, 2, 1, 3))

    def for_heads(self, mask: Any, query: Any, key: Any) -> Any:
        """A mask as `(n, 1, q, k)`, checked as far as it is known."""
        name = type(self).__name__
        truth(name, mask)
        rank = rank_of(mask)
        if rank is None:
            mask = ops.reshape(mask, (ops.KEEP,) * 3)  # of another rank an error, not another mask
        elif rank == 2:
            mask = ops.expand_dims(mask, axis=1)
        if rank_of(query) is not None:
            check_mask(name, mask, (*query.shape[:2], key.shape[1]), "(n, q, k)", FOR_ALL)
        return ops.expand_dims(mask, axis=1)

    def reference(
        self,
        state: State,
        X: Array,
        key: Any = None,
        value: Any = None,
        mask: Any = None,
        causal: bool = False,
    ) -> Array:
        key = X if key is None else key
        value = key if value is None else value

        def dense(name: str, X: Array) -> Array:
            return X @ state[f"{name}.weight"].T + state.get(f"{name}.bias", 0)

        def apart(X: Array) -> Array:  # (n, t, units) to (n, heads, t, head_units)
            return X.reshape(*X.shape[:2], self.num_heads, self.head_units).swapaxes(1, 2)

        Q, K, V = (
            apart(dense(name, X)) for name, X in (("query", X), ("key", key), ("value", value))
        )
        seen = None if mask is None else mask[:, None, None] if mask.ndim == 2 else mask[:, None]
        Y = attention(Q, K, V, seen, causal, self.scale).swapaxes(1, 2)
        return dense("out", Y.reshape(*Y.shape[:2], -1))


FOR_ALL = ": one of all samples, (q, k), becomes mask[None]"
