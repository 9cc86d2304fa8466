"""Products of matrices."""

from __future__ import annotations

from typing import Any

from unified_blocks.ops.dispatch import floating, namespace_of, together
from unified_blocks.ops.reductions import rank_of


def matmul(x1: Any, x2: Any, /) -> Any:
    """The product of matrices, `(…, n, k)` and `(…, k, m)`, to `(…, n, m)`.

    The dimensions before the last two are broadcast.

    Raises:
        ValueError: for fewer than two dimensions.

    Example::

        A, B = ub.from_numpy([[1.0, 2.0]]), ub.from_numpy([[3.0], [4.0]])
        ub.ops.matmul(A, B)  # [[11]]
    """
    together("matmul", x1, x2)
    for x in (x1, x2):
        rank = rank_of(x)
        if rank is not None and rank < 2:
            raise ValueError(
                f"ops.matmul must be given at least two dimensions; got {rank}: add one with "
                "ops.expand_dims"
            )
    return floating("matmul", x1).matmul(x1, x2)


def matrix_transpose(x: Any, /) -> Any:
    """`x` with its last two axes swapped: `(…, n, m)` to `(…, m, n)`.

    Example::

        ub.ops.matrix_transpose(ub.from_numpy([[1, 2], [3, 4]]))  # [[1, 3], [2, 4]]
    """
    return namespace_of("matrix_transpose", x).matrix_transpose(x)
