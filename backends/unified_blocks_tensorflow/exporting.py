"""`export` of a block that takes whole numbers, where Keras takes floating ones for granted."""

from __future__ import annotations

from typing import Any

import keras

from unified_blocks.block import Block


def remember(net: Any, inputs: tuple[Any, ...]) -> None:
    """Keep the shapes and dtypes of the first call of a block."""
    specs = [(tuple(x.shape), keras.backend.standardize_dtype(x.dtype)) for x in inputs]
    object.__setattr__(net, "_first_inputs", specs)  # Keras need not track it


def export(
    self: Any,
    filepath: Any,
    format: str = "tf_saved_model",  # noqa: A002  as Keras calls it
    verbose: bool | None = None,
    input_signature: Any = None,
    **options: Any,
) -> None:
    """Write the model for inference, as Keras does; an input of whole numbers stays one."""
    if input_signature is None and any("int" in dtype for _, dtype in self._first_inputs or ()):
        input_signature = [
            keras.InputSpec(shape=(None, *shape[1:]), dtype=dtype)
            for shape, dtype in self._first_inputs
        ]
    super(Block, self).export(filepath, format, verbose, input_signature, **options)
