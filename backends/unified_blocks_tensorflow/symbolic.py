"""`ub.ops` on Keras' symbolic tensors, for Functional models."""

from __future__ import annotations

from typing import Any

import keras

from unified_blocks.ops import KEEP, dispatch


@keras.saving.register_keras_serializable("unified_blocks")
class Operation(keras.Operation):
    """One operation of `ub.ops` as a node of a Functional model."""

    def __init__(self, operation: str, name: str | None = None) -> None:
        super().__init__(name=name)
        self.operation = operation

    def compute_output_spec(self, *args: Any) -> Any:
        return super().compute_output_spec(*keras.tree.map_structure(dense, args))

    def call(self, *args: Any) -> Any:
        args = keras.tree.map_structure(
            lambda x: KEEP if isinstance(x, str) and x == repr(KEEP) else x, args
        )
        tensors = keras.tree.flatten(args)
        first = next(x for x in tensors if not isinstance(x, bool | int | float | str | None))
        namespace = dispatch.namespace_of(self.operation, first)
        return getattr(namespace, self.operation)(*args)

    def get_config(self) -> dict[str, Any]:
        return {"operation": self.operation, "name": self.name}


def dense(x: Any) -> Any:
    """`x`; Keras takes its own product of a symbolic tensor and a number for a sparse one."""
    return keras.KerasTensor(x.shape, x.dtype) if isinstance(x, keras.KerasTensor) else x


class Symbolic:
    """Makes a node of each operation, whose shape and dtype Keras infers by tracing it."""

    def __getattr__(self, name: str) -> Any:
        if name not in dispatch.PRIMITIVES:
            raise AttributeError(name)

        def apply(*args: Any) -> Any:
            named = keras.tree.map_structure(lambda x: repr(x) if x is KEEP else x, args)
            return Operation(name)(*named)  # Keras can write a name into a file

        return apply
