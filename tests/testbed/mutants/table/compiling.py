"""Mistakes in how the graphs of a model are compared with it."""

from __future__ import annotations

from testbed.mutants import compiling
from testbed.mutants.checks import Checked
from testbed.mutants.table.mutant import Mutant

COMPILING = [
    Mutant(
        "a model that gives nothing is as its graphs",
        None,
        "unified_blocks.compiling.models:probes_of",
        "output_of(backend, output, net)",
        "pass",
        Checked(compiling.a_model_must_give_a_tensor),
    ),
    Mutant(
        "the outputs of a graph are paired by position",
        None,
        "unified_blocks.compiling.models:rows",
        "paired([leaf.place for leaf in a], [leaf.place for leaf in b])",
        "zip(range(len(a)), range(len(b)), strict=True)",
        Checked(compiling.outputs_are_paired_by_key),
    ),
]
