"""`Watch`: tells the workers of a training when one of them has ended."""

from __future__ import annotations

from unified_blocks.backend.group import Group
from unified_blocks.errors import UnsupportedError


class Watch:
    """Connections between the workers of a group, which break when one of them ends.

    Args:
        group: the workers.
        silence: after how many seconds without a word a worker is lost.
        grace: how many seconds the framework has to raise its own error before the process ends.

    Raises:
        UnsupportedError: for more than one process, in this version.
    """

    def __init__(self, group: Group, *, silence: float = 20.0, grace: float = 10.0) -> None:
        if group.processes > 1:
            raise UnsupportedError(
                "Watch: there must be one process, because this version has no rule for more; got "
                f"{group.processes}"
            )
        self.group, self.silence, self.grace = group, silence, grace

    def lost(self) -> str | None:
        """Which worker has ended, in words; None while all are there."""
        return None

    def close(self) -> None:
        """Say goodbye: this worker has finished."""
