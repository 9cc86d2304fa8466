"""Event files for TensorBoard, of which MXNet has no writer."""

from __future__ import annotations

from unified_blocks.backend import EventWriter
from unified_blocks.errors import UnsupportedError


def event_writer(folder: str) -> EventWriter:
    """See `Backend.event_writer`.

    Raises:
        UnsupportedError: always.
    """
    raise UnsupportedError(
        "TensorBoard: event files must be written by the framework's own writer; got the folder "
        f"{folder!r} on MXNet, which has none: use the ub.History of ub.fit, or its plot()"
    )
