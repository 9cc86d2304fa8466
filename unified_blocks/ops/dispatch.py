"""Which framework runs an operation: that of the tensor it is given, by one look-up of its type.

Each backend registers the types of its tensors with a module that has a function for each of
`PRIMITIVES`. For an operation that it lacks it gives a reason, which the error and the table of
`capabilities` show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from unified_blocks.backend.registry import load_backend, owner_of
from unified_blocks.dtypes import any_dtype_name
from unified_blocks.errors import ForeignTensorError, UnsupportedError

PRIMITIVES = (
    *("abs", "exp", "expm1", "log", "log1p", "sqrt", "square", "sign", "sin", "cos", "erf"),
    *("floor", "ceil", "round", "isfinite", "isnan", "add", "subtract", "multiply", "divide"),
    *("pow", "floor_divide", "remainder", "maximum", "minimum", "clip"),
    *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
    *("logical_and", "logical_or", "logical_not", "where", "astype", "stop_gradient"),
    *("check_finite", "sum", "mean", "max", "min", "prod", "any", "all", "argmax", "argmin"),
    *("matmul", "matrix_transpose", "reshape", "permute_dims", "expand_dims", "squeeze"),
    *("concat", "stack", "split", "broadcast_to", "flip", "take", "cumulative_sum", "tril", "triu"),
    *("one_hot", "one_hot_like", "full", "full_like", "arange", "eye"),
    *("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "sigmoid", "hard_sigmoid", "tanh"),
    *("softplus", "softsign", "softmax", "log_softmax", "logsumexp", "dropout"),
    *("pad", "resize", "scaled_dot_product_attention", "while_loop", "cond"),
)
"""The operations that a backend implements; the others are written with these."""

FLOATS = ("float16", "bfloat16", "float32", "float64")
NUMPY_FLOATS = tuple(np.dtype(name) for name in ("float16", "float32", "float64"))


class Namespace:
    """The operations of one backend, by name; calling one that it lacks raises the reason.

    Attributes:
        backend, title: the backend's name, and what its framework is called.
        symbolic: whether its tensors have no values yet, nor dtypes and shapes that are known.
        floats: the floating-point types, as the `dtype` of a tensor gives them.
        missing: the operations that it lacks, by name, and why.
        casts: whether its own operations choose the dtype of such a tensor now, as with autocast.
    """

    def __init__(
        self,
        backend: str,
        title: str,
        implementation: Any,
        floats: Iterable[Any],
        missing: Mapping[str, str],
        symbolic: bool,
        casts: Callable[[Any], bool],
    ) -> None:
        self.backend, self.title, self.symbolic = backend, title, symbolic
        self.casts = casts
        self.floats = frozenset((*floats, *FLOATS))
        self.missing: dict[str, str] = {}
        given = implementation if isinstance(implementation, tuple) else (implementation,)
        for name in PRIMITIVES:
            function = next((getattr(each, name) for each in given if hasattr(each, name)), None)
            if function is None or name in missing:
                self.missing[name] = missing.get(name, "its backend does not define it")
                function = self._unsupported(name)
            setattr(self, name, function)

    def _unsupported(self, name: str) -> Any:
        def unsupported(*args: Any, **kwargs: Any) -> Any:
            raise UnsupportedError(f"{self.title} has no ops.{name}: {self.missing[name]}")

        return unsupported

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


namespaces: dict[type, Namespace] = {}
"""The operations by type of tensor."""


def register(
    backend: str,
    title: str,
    implementation: Any,
    types: Iterable[type],
    *,
    floats: Iterable[Any] = NUMPY_FLOATS,
    missing: Mapping[str, str] | None = None,
    symbolic: bool = False,
    casts: Callable[[Any], bool] = lambda x: False,
) -> None:
    """Let a backend run operations.

    Args:
        backend, title: its name, and what its framework is called.
        implementation: a module, another object, or a tuple of such, with a function for each of
            `PRIMITIVES`.
        types: the types of its tensors; their subclasses need no registration.
        floats: its floating-point types, in place of NumPy's; their names are always known.
        missing: the operations that it lacks, by name, and why.
        symbolic: whether these tensors have no values yet, nor dtypes and shapes that are known.
        casts: whether its own operations choose the dtype of such a tensor now, as with autocast.

    Example::

        ub.ops.register("numpy", "NumPy", np, [np.ndarray], missing={"relu": "it has none"})
        ub.ops.exp(np.array([0.0, 1.0]))  # [1, 2.718]
        ub.ops.capabilities()["relu"]["numpy"]  # 'it has none'
    """
    namespace = Namespace(backend, title, implementation, floats, missing or {}, symbolic, casts)
    namespaces.update(dict.fromkeys(types, namespace))


def capabilities() -> dict[str, dict[str, str]]:
    """For each operation and each registered backend, `"yes"`, or why not.

    Example::

        backend = ub.get_backend()
        ub.ops.capabilities()["relu"][backend.name]  # 'yes'
    """
    found: dict[str, dict[str, str]] = {name: {} for name in PRIMITIVES}
    for namespace in namespaces.values():
        for name, backends in found.items():
            backends.setdefault(namespace.backend, namespace.missing.get(name, "yes"))
    return found


def namespace_of(name: str, x: Any) -> Namespace:
    """The operations for the tensor `x`, which `ops.{name}` was given.

    Raises:
        ForeignTensorError: (a `TypeError`) when it is not a tensor of any backend.
    """
    return namespaces.get(type(x)) or _find(name, x)


def _find(name: str, x: Any) -> Namespace:
    owner = owner_of(x)
    if owner is not None:
        load_backend(owner)  # which registers its types
    for cls in type(x).__mro__:
        if cls in namespaces:
            namespaces[type(x)] = namespaces[cls]
            return namespaces[cls]
    raise ForeignTensorError(
        f"ops.{name} must be given a tensor of a framework; got "
        f"{type(x).__module__}.{type(x).__qualname__}: convert it with ub.from_numpy(x)"
    )


def floating(name: str, x: Any) -> Namespace:
    """`namespace_of` for an operation on floating-point numbers.

    Raises:
        TypeError: when the tensor holds others.
    """
    namespace = namespaces.get(type(x)) or _find(name, x)
    dtype = getattr(x, "dtype", None)  # a symbol may have none
    if dtype is not None and dtype not in namespace.floats and not namespace.symbolic:
        raise TypeError(
            f"ops.{name} must be given floating-point numbers; got a tensor of {dtype}: "
            'convert it with ops.astype(x, "float32")'
        )
    return namespace


def whole(name: str, x: Any) -> Any:
    """The indices or labels `x`, as int32 or int64.

    Raises:
        TypeError: when the tensor holds others.
    """
    namespace = namespaces.get(type(x)) or _find(name, x)
    dtype = getattr(x, "dtype", None)
    kind = "int64" if dtype is None or namespace.symbolic else any_dtype_name(dtype)
    if kind in ("int32", "int64"):
        return x
    if not kind.startswith(("int", "uint")):
        raise TypeError(
            f"ops.{name} must be given whole numbers for indices and labels; got a tensor of "
            f'{dtype}: convert it with ops.astype(x, "int64")'
        )
    return namespace.astype(x, "int64")


def truth(name: str, x: Any) -> Namespace:
    """`namespace_of` for an operation on truth values.

    Raises:
        TypeError: when the tensor holds others.
    """
    namespace = namespaces.get(type(x)) or _find(name, x)
    dtype = getattr(x, "dtype", None)
    if dtype is not None and not namespace.symbolic and any_dtype_name(dtype) != "bool":
        raise TypeError(
            f"ops.{name} must be given truth values; got a tensor of {dtype}: compare it, as "
            "ops.not_equal(x, 0) does"
        )
    return namespace


def beside(name: str, x: Any, other: Any) -> Namespace:
    """The operations for two tensors of one framework, whatever their dtypes.

    Raises:
        ForeignTensorError: (a `TypeError`) for tensors of two frameworks.
    """
    first = namespaces.get(type(x)) or _find(name, x)
    second = namespaces.get(type(other)) or _find(name, other)
    if first.backend != second.backend:
        raise _foreign(name, first, second)
    return second if second.symbolic else first


def _foreign(name: str, first: Namespace, second: Namespace) -> ForeignTensorError:
    return ForeignTensorError(
        f"ops.{name} must be given tensors of one framework; got one of {first.title} and "
        f"one of {second.title}: convert one with ub.as_tensor(x, {first.backend!r})"
    )


def together(name: str, *values: Any) -> Namespace:
    """The operations for several tensors, which must be alike; numbers among them fit any.

    Raises:
        ForeignTensorError: (a `TypeError`) for tensors of two frameworks, or for none at all.
        TypeError: for tensors of two dtypes.
    """
    found: Namespace | None = None
    first: Any = None
    for x in values:
        if isinstance(x, bool | int | float):
            continue
        namespace = namespaces.get(type(x)) or _find(name, x)
        if found is None:
            found, first = namespace, x
            continue
        if namespace.backend != found.backend:
            raise _foreign(name, found, namespace)
        dtype, other = getattr(first, "dtype", None), getattr(x, "dtype", None)
        if dtype is not other and not _fit(first, dtype, found, x, other, namespace):
            raise TypeError(
                f"ops.{name} must be given tensors of one dtype; got {dtype} and {other}: "
                "convert one with ops.astype"
            )
        found = namespace if namespace.symbolic else found
    if found is None:
        raise ForeignTensorError(f"ops.{name} must be given a tensor; got {values!r}")
    dtype = getattr(first, "dtype", None)
    if dtype is not None and dtype not in found.floats and not found.symbolic:
        for x in values:
            if isinstance(x, float):  # frameworks differ in whether they round it
                raise TypeError(
                    f"ops.{name}: with a tensor of {dtype} a number must be a whole one; got {x}: "
                    'convert the tensor with ops.astype(x, "float32")'
                )
    return found


def _fit(
    x1: Any, dtype1: Any, namespace1: Namespace, x2: Any, dtype2: Any, namespace2: Namespace
) -> bool:
    """Whether two tensors, whose dtypes are two objects, can be in one operation."""
    if dtype1 is None or dtype2 is None:  # NumPy's float64 equals None
        return True
    if namespace1.symbolic or namespace2.symbolic:
        return True
    return dtype1 == dtype2 or (namespace1.casts(x1) and namespace2.casts(x2))
