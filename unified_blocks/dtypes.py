"""The floating-point type that new blocks get: float32, or what `use_dtype` or `dtype=` says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

FLOAT_DTYPES = ("bfloat16", "float16", "float32", "float64")

default_float: ContextVar[str] = ContextVar("unified_blocks_dtype", default="float32")


def dtype_name(dtype: Any) -> str:
    """The canonical name of a floating-point type.

    Args:
        dtype: a name (`"float64"`), a NumPy type, or a framework's own (`torch.float64`,
            `tf.float64`).

    Raises:
        ValueError: when it is none of bfloat16, float16, float32 and float64.
    """
    name = any_dtype_name(dtype)
    if name not in FLOAT_DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(FLOAT_DTYPES)}; got dtype={dtype!r}")
    return name


def any_dtype_name(dtype: Any) -> str:
    """The name of a dtype of any framework: `int64`, `bool`, …"""
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    return str(name).rsplit(".", 1)[-1].rstrip("_")


def numpy_dtype(name: str) -> str:
    """The dtype in which NumPy holds numbers of this one: bfloat16, which it lacks, in float32."""
    return "float32" if name == "bfloat16" else name


def default_dtype() -> str:
    """The name of the default floating-point type, which a block gets when it is given none."""
    return default_float.get()


@contextmanager
def use_dtype(dtype: Any) -> Iterator[None]:
    """Give every block made inside the `with` this floating-point type.

    It holds for the current thread or async task only, and no framework's global default is
    touched.

    Example::

        with ub.use_dtype("float64"):
            net = ub.MLP()
    """
    token = default_float.set(dtype_name(dtype))
    try:
        yield
    finally:
        default_float.reset(token)
