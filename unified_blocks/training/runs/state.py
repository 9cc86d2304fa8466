"""What a training holds: taken for a file, and put back to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from unified_blocks.errors import UnsupportedError
from unified_blocks.training.callbacks import Callback, Run
from unified_blocks.training.data.source import Source
from unified_blocks.training.history import History
from unified_blocks.types import Array


@dataclass
class Captured:
    """All of a training.

    Attributes:
        arrays: by name: the network's in canonical names, `optimizer.*`, `average.*`,
            `run.losses`, `callback.<i>.*`.
        metadata: all else, for JSON.
    """

    arrays: dict[str, Array] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


def capture(
    trainer: Any, source: Source, callbacks: Sequence[Callback], history: History, run: Run
) -> Captured:
    """All of a training, as it is now.

    Raises:
        UnsupportedError: always, in this version.
    """
    raise UnsupportedError(
        "capture: this version has no rule for a training that is going on; got one of "
        f"{run.updates} updates: use ub.state(trainer)"
    )


def restore(
    captured: Captured,
    trainer: Any,
    source: Source,
    callbacks: Sequence[Callback],
    history: History,
    run: Run,
) -> None:
    """Put it back.

    Raises:
        UnsupportedError: always, in this version.
    """
    raise UnsupportedError(
        "restore: this version has no rule for a training that is going on; got one of "
        f"{len(captured.arrays)} arrays: use ub.load_state(trainer, state)"
    )
