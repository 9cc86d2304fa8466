"""Seeds of what is random in a training, so that it can go on as it would have."""

from __future__ import annotations

import numpy as np


def seed_at(seed: int, updates: int, rank: int = 0) -> int:
    """The seed of a backend's generators after so many updates, in the process of this rank.

    It is a number of 32 bits from NumPy's `SeedSequence([seed, updates, rank])`: another one for
    each, and the same whenever the training comes there.
    """
    return int(np.random.SeedSequence([seed, updates, rank]).generate_state(1)[0])
