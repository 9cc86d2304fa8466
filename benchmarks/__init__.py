"""Benchmarks: what the library costs, compared with code written by hand for one framework.

    python -m benchmarks                          # all parts: an hour on two cores
    python -m benchmarks --quick                  # roughly, in five minutes
    python -m benchmarks --part overhead --backend torch --pairs 400 --json out.json --svg folder

Run from the root of a checkout. `unified_blocks` is the installed one, and the checkout's only
where none is installed.

A *part* is a module of this package with one function:

    def measure(framework: str, effort: Effort) -> list[Cell]

It is called in a separate process for each framework, and only it may import the framework: the
module must not, since the command line imports no framework. `effort.pairs` is how many pairs a
ratio has, and `effort.quick` asks to skip what takes long. It returns cells, one for each number
(see `benchmarks.cells`): `Cell.ratio` of two calls that `benchmarks.clock.in_turn` timed in turn,
`Cell.seconds`, or a plain `Cell` of a count. Cells of one `what` and `setting` are one row of the
table, with a column for each `measure`.

To add a part: write the module, and add a line to `PARTS` in `benchmarks.parts`. Its tables, its
place in the JSON and in the count of targets met, and its smoke test follow from that line.

No part fails because something is slow: a cell says whether it met its target, if it has one.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# `python -m` puts the checkout first: what is installed is to be measured, if it is.
if sys.path and sys.path[0] in ("", str(ROOT)):
    sys.path.append(sys.path.pop(0))
