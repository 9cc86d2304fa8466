"""Types that the annotations of this package use."""

from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A NumPy array of any dtype."""

State: TypeAlias = dict[str, Array]
"""Arrays by canonical name."""

Shape: TypeAlias = tuple[int, ...]

Mixin: Any = object
"""Base of a class that uses what the other bases of its subclasses have."""
