"""Event files for TensorBoard, of which MXNet has no writer."""

from __future__ import annotations

from unified_blocks.backend import EventWriter
from unified_blocks.errors import UnsupportedError


def event_writer(folder: str) -> EventWriter:
    """See `Backend.event_writer`."""
    raise UnsupportedError(
        f"event files must be written by the framework; got the folder {folder!r} on MXNet, "
        "which has no writer: plot the `History` of ub.fit instead"
    )
