"""Event files for TensorBoard, by the writer of TensorFlow."""

from __future__ import annotations

from unified_blocks.backend import EventWriter
from unified_blocks.errors import UnsupportedError


def event_writer(folder: str) -> EventWriter:
    """See `Backend.event_writer`."""
    raise UnsupportedError(
        f"event files must be written by the framework; got the folder {folder!r} on TensorFlow, "
        "whose writer is not used yet: plot the `History` of ub.fit instead"
    )
