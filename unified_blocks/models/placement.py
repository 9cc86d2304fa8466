"""The device and the dtype of a model: `devices`, `to_device`, `cast`."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend.devices import device_meant
from unified_blocks.backend.registry import get_backend
from unified_blocks.backend.tensors import backend_of
from unified_blocks.block.construction import check_dtype
from unified_blocks.dtypes import dtype_name


def devices(backend: str | None = None) -> list[str]:
    """The devices that a backend sees: `["cpu"]`, `["cpu", "gpu:0"]`, …

    Args:
        backend: a backend's name; default: the default backend.

    Example::

        ub.devices()  # without a GPU, ['cpu']
    """
    return get_backend(backend).devices()


def to_device(net: Any, device: str) -> Any:
    """Move a model to another device: parameters, constants, and computation.

    Args:
        net: a model of any framework.
        device: one of `devices()`; `"cuda:0"` is `"gpu:0"`.

    Returns:
        The moved model: on PyTorch and MXNet the same object; on TensorFlow a new one, made from
        the configuration of a built `net`, with its numbers. The settings of Keras' `compile`
        and attributes set by hand are not copied. The variables of a native Keras model are
        moved, and TensorFlow places its calls. A pickle or `deepcopy` of a moved Keras model is
        on TensorFlow's default device.

    Raises:
        NotBuiltError: on TensorFlow, when a parameter does not exist yet.
        UnsupportedError: on TensorFlow, when a layer has no configuration.
        ValueError: when the framework does not know the device.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        ub.to_device(net, ub.devices()[-1])  # the last GPU, if there is one
    """
    return backend_of(net).to_device(net, device_meant(device))


def cast(net: Any, dtype: Any) -> Any:
    """Cast a model to another floating-point type: parameters, constants, and computation.

    Args:
        net: a model of any framework.
        dtype: `"float64"`, `"float32"`, `"float16"` or, on PyTorch and TensorFlow, `"bfloat16"`;
            on TensorFlow also `"mixed_bfloat16"` and `"mixed_float16"`.

    Returns:
        The cast model: on PyTorch and MXNet the same object; on TensorFlow a new one, as
        `to_device` makes it.

    Raises:
        ValueError: for another dtype.
        UnsupportedError: on TensorFlow, for a native model that contains layers; on MXNet, for
            bfloat16; on PyTorch and MXNet, for a policy of Keras.

    Example::

        net = ub.cast(ub.build(ub.MLP(256, 10), (2, 20)), "float64")
        ub.state(net)["out.weight"].dtype.name  # 'float64'
    """
    backend, name = backend_of(net), dtype_name(dtype)
    check_dtype(backend, name)
    return backend.cast(net, name)
