"""The floating-point type that new blocks get: what `dtype=` or `use_dtype` says, or the default.

The default is float32; on TensorFlow it is Keras' own policy, which is float32 unless it was set.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

FLOAT_DTYPES = ("bfloat16", "float16", "float32", "float64")

MIXED_DTYPES = ("mixed_bfloat16", "mixed_float16")
"""Policies of Keras: layers compute in the type that is named, and their variables are float32."""

default_float: ContextVar[str | None] = ContextVar("unified_blocks_dtype", default=None)
"""What `use_dtype` says; None outside of it."""


def dtype_name(dtype: Any) -> str:
    """The canonical name of a floating-point type.

    Args:
        dtype: a name (`"float64"`), a NumPy type, or a framework's own (`torch.float64`,
            `tf.float64`); for blocks of TensorFlow also a mixed policy of Keras.

    Raises:
        ValueError: when it is none of bfloat16, float16, float32 and float64, nor such a policy.
    """
    name = any_dtype_name(dtype)
    if name not in FLOAT_DTYPES and name not in MIXED_DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(FLOAT_DTYPES)}; got dtype={dtype!r}")
    return name


def any_dtype_name(dtype: Any) -> str:
    """The name of a dtype of any framework: `int64`, `bool`, …"""
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    return str(name).rsplit(".", 1)[-1].rstrip("_")


def numpy_dtype(name: str) -> str:
    """The dtype in which NumPy holds numbers of this one: bfloat16, which it lacks, in float32."""
    return "float32" if name == "bfloat16" else name


def variable_dtype(name: str) -> str:
    """The dtype of the variables of a block of this one."""
    return "float32" if name in MIXED_DTYPES else name


def default_dtype() -> str:
    """The name of the default floating-point type, which a block gets when it is given none."""
    return default_float.get() or "float32"


@contextmanager
def use_dtype(dtype: Any) -> Iterator[None]:
    """Give every block made inside the `with` this floating-point type.

    It holds for the current thread or async task only, and no framework's global default is
    touched. Keras' mixed policies, `"mixed_bfloat16"` and `"mixed_float16"`, are for TensorFlow.

    Example::

        with ub.use_dtype("float64"):
            net = ub.build(ub.MLP(256, 10), (2, 20))
        ub.state(net)["out.weight"].dtype.name  # 'float64'
    """
    token = default_float.set(dtype_name(dtype))
    try:
        yield
    finally:
        default_float.reset(token)
