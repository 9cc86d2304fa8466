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
            f"{EQUIVALENCE}.numbers:Numbers.parameters",
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
        (
            "what a layer beside it makes up for is a difference",
            f"{EQUIVALENCE}.numbers:Numbers.reconsider",
            "if not made_up:",
            "if True:",
            comparisons.a_layer_makes_up_for_another,
        ),
        (
            "what the inputs do not show is no difference",
            f"{EQUIVALENCE}.numbers:Numbers.reconsider",
            "alike = agree_on_others(self.a, self.b, self.given)",
            "alike = True",
            comparisons.a_difference_that_inputs_do_not_show_is_one,
        ),
        (
            "a layer that took in a norm is at fault",
            f"{EQUIVALENCE}.alignment:taken_in",
            "return call.name",
            "return None",
            comparisons.a_layer_that_was_taken_in_is_not_the_one_at_fault,
        ),
        (
            "whole numbers of another width differ",
            "unified_blocks.reference.rows:compared",
            "_are_whole(a, b)",
            "False",
            comparisons.whole_numbers_have_any_width,
        ),
    )
] + [
    Mutant(
        "a weight that is held transposed is a difference",
        "torch",
        f"{EQUIVALENCE}.otherwise:is_transposed",
        "a.ndim == b.ndim == 2",
        "a.ndim == b.ndim == 3",
        Checked(comparisons.a_weight_may_be_held_transposed),
    ),
    Mutant(
        "a transposed weight is believed to be held so",
        "torch",
        f"{EQUIVALENCE}.otherwise:used_transposed",
        "any(not agree(x @ a, x @ b, None) for x in taken)",
        "True",
        Checked(comparisons.a_weight_may_be_held_transposed),
    ),
    Mutant(
        "by order a part of a weight is the weight",
        "torch",
        "unified_blocks.models.transfer:names_by_order",
        " and _attribute(stored.name) == _attribute(name)",
        "",
        Checked(comparisons.by_order_a_part_of_a_weight_is_no_weight),
    ),
]
