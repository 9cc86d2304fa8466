"""A text, and the network that learns which character comes next."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.block import Block
from unified_blocks.cli.learning import Data, Learner
from unified_blocks.layers import GRU, Dense, Embedding
from unified_blocks.training.optimizers import SGD

TEXT = """
a block is a small thing that does one job. it takes what it is given, and it gives back what it
has made of it. many blocks in a row are a block again, and many of those side by side are one too.
so a great network is built as a great house is built: of parts that a child could hold, each put
next to the one before it, until there is a wall, and of walls a room, and of rooms a street.
what a block has learned is in its numbers. take the numbers out, and the block forgets; put them
into another block of the same shape, and it knows what the first one knew. the numbers do not mind
in which house they live. they only want to be in the right order, the rows where the rows were and
the columns where the columns were. then the answer is the same, to the last place that counts.
if two houses are built from one plan, go through both of them, and look at the same room in each.
when a window in one is a hand wider than in the other, do not say that they are nearly the same.
say which window it is, and by how much, and who read the plan upside down.
"""
WINDOW = 16
SEED = 0


def windows() -> Data:
    """Windows of the text as whole numbers `(n, 16)`, and the character after each."""
    text = TEXT.strip().replace("\n", " ")
    codes = np.array([characters().index(letter) for letter in text], np.int64)
    seen = np.lib.stride_tricks.sliding_window_view(codes, WINDOW + 1)
    seen = seen[np.random.Generator(np.random.PCG64(SEED)).permutation(len(seen))]
    tenth = len(seen) // 10
    inputs, labels = seen[:, :-1].copy(), seen[:, -1].copy()
    return Data(inputs[tenth:], labels[tenth:], inputs[:tenth], labels[:tenth])


def characters() -> list[str]:
    """Those of the text, in order."""
    return sorted(set(TEXT.strip().replace("\n", " ")))


class NextCharacter(Block):
    """Scores for each character to be the next: `(n, t)` to `(n, characters)`."""

    def __init__(self, characters: int, units: int) -> None:
        super().__init__()
        self.embedding = Embedding(characters, 16)
        self.gru = GRU(units)
        self.out = Dense(characters)

    def forward(self, X: Any) -> Any:
        return self.out(self.gru(self.embedding(X))[:, -1])


READ_BY_GRU = Learner(
    f"GRU on a text of {len(TEXT.split()):,} words",
    windows,
    lambda: NextCharacter(len(characters()), 64),
    SGD(learning_rate=0.0625, momentum=0.875),
    epochs=20,
    least_accuracy=0.4,  # the commonest character alone, the space, would be right in 0.2
)
