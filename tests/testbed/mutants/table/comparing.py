"""Mistakes in the comparison itself, which would make it say something false."""

from __future__ import annotations

from testbed.mutants import comparisons
from testbed.mutants.checks import Checked
from testbed.mutants.table.mutant import Mutant

OUTPUTS = "unified_blocks.models.outputs"
EQUIVALENCE = "unified_blocks.equivalence"

COMPARING = [
    Mutant(name, None, function, old, new, Checked(check))
    for name, function, old, new, check in (
        (
            "outputs are paired by position",
            f"{OUTPUTS}:_equal",
            "x == y or",
            "True or",
            comparisons.dicts_are_paired_by_key,
        ),
        (
            "a named tuple is paired by position",
            f"{OUTPUTS}:_equal",
            "(_is_position(x) or _is_position(y)) and ",
            "",
            comparisons.fields_have_positions_for_a_tuple_alone,
        ),
        (
            "a dataclass is not looked into",
            f"{OUTPUTS}:_named",
            "elif is_dataclass(value)",
            "elif False",
            comparisons.dataclasses_are_looked_into,
        ),
        (
            "what one model lacks is passed over",
            f"{OUTPUTS}:paired",
            "return [*found, *((None, j) for j in left)]",
            "return found",
            comparisons.a_leaf_of_one_model_is_a_difference,
        ),
        (
            "an output without a tensor passes",
            f"{OUTPUTS}:output_of",
            "if not tensors_in(backend, value)",
            "if False",
            comparisons.an_output_must_hold_a_tensor,
        ),
        (
            "one output alone has an effect on gradients",
            f"{EQUIVALENCE}.losses:weighted",
            "for leaf in leaves if",
            "for leaf in leaves[:1] if",
            comparisons.each_output_has_an_effect,
        ),
        (
            "a parameter without a partner is a difference",
            f"{EQUIVALENCE}.comparing:Comparing.parameters",
            'self.mode != "parameters"',
            "False",
            comparisons.what_is_computed_decides,
        ),
        (
            "a name that was renamed away is given again",
            f"{EQUIVALENCE}.renaming:_renamed",
            "if moved is not None and",
            "if False and",
            comparisons.a_name_is_given_once,
        ),
        (
            "a wrong name in rename is ignored",
            f"{EQUIVALENCE}.renaming:_check",
            "if unknown",
            "if False",
            comparisons.a_wrong_name_is_an_error,
        ),
        (
            "layers without parameters have no partners",
            f"{EQUIVALENCE}.ordering:by_order",
            "len(inside) == len(other)",
            "False",
            comparisons.layers_between_pair_by_order,
        ),
        (
            "inputs by name go by their order",
            f"{EQUIVALENCE}.inputs:_in_order",
            "return list(values.values())[: last + 1]",
            "return list(given.values())",
            comparisons.inputs_go_where_their_names_are,
        ),
    )
]
