"""Seeds of what is random in a training, so that it can go on as it would have."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.backend import Backend
from unified_blocks.backend.registry import load_backend, owner_of


def seed_at(seed: int, updates: int, rank: int = 0) -> int:
    """The seed of a backend's generators after so many updates, in the process of this rank.

    It is a number of 32 bits from NumPy's `SeedSequence([seed, updates, rank])`: another one for
    each, and the same whenever the training comes there.
    """
    return int(np.random.SeedSequence([seed, updates, rank]).generate_state(1)[0])


def sow(backend: Backend, net: Any, loader: Any, seed: int | None) -> None:
    """Seed what `net` draws, and what draws the order of a loader, of another framework too.

    Args:
        backend, net: the model that trains.
        loader: what gives the batches; None, or what belongs to no framework, draws nothing.
        seed: None ends it.
    """
    backend.seed(net, seed)
    owner = owner_of(loader)
    if owner not in (None, backend.name):
        load_backend(owner).seed(None, seed)
