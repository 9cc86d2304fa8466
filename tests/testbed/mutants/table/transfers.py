"""Mistakes in moving numbers from one model into another."""

from __future__ import annotations

from testbed.mutants import transfers
from testbed.mutants.checks import Checked
from testbed.mutants.table.mutant import Mutant

TRANSFERS = [
    Mutant(
        "a shared array goes under its first name only",
        None,
        "unified_blocks.models.loading:under_every_name",
        "found.setdefault(alias, stored)",
        "pass",
        Checked(transfers.a_shared_array_fills_each_of_its_names),
    ),
    Mutant(
        "of a layer that does not fit what fits is moved",
        None,
        "unified_blocks.models.transfer:_unit",
        "known = known_kind_of(v, backend) is not None",
        "known = False",
        Checked(transfers.what_does_not_fit_stays),
    ),
    Mutant(
        "by order what comes after a difference is moved",
        None,
        "unified_blocks.models.transfer:_paired",
        "            break\n",
        "            continue\n",
        Checked(transfers.by_order_a_part_ends_at_the_first_difference),
    ),
    Mutant(
        "by order a tied head is no layer",
        "torch",
        "unified_blocks.models.transfer:_of_every_layer",
        "if place is not None",
        "if False",
        Checked(transfers.by_order_a_tied_head_fills_one_of_its_own),
    ),
    Mutant(
        "by order a tied head comes last",
        "torch",
        "unified_blocks.models.transfer:_of_every_layer",
        "next(after, len(names))",
        "len(names)",
        Checked(transfers.by_order_a_tied_head_fills_one_of_its_own),
    ),
    Mutant(
        "a cast makes numbers infinite",
        None,
        "unified_blocks.models.loading:_too_large",
        "if lost.any()",
        "if False",
        Checked(transfers.a_number_that_would_be_infinite_is_refused),
    ),
    Mutant(
        "weight_norm is over the whole weight",
        None,
        "unified_blocks.formats.pytorch.reparametrized:_lengths",
        "if size == 1)",
        "if size)",
        Checked(transfers.lengths_are_of_each_row),
    ),
    Mutant(
        "depthwise filters in the order of the multiplier",
        "tensorflow",
        "unified_blocks_tensorflow.families:Depthwise.to_canonical",
        "(rank, rank + 1, *range(rank))",
        "(rank + 1, rank, *range(rank))",
        Checked(transfers.depthwise_filters_are_in_the_order_of_the_channels),
    ),
    Mutant(
        "a Normalization computes with what it had before",
        "tensorflow",
        "unified_blocks_tensorflow.variables:TensorFlowLayerVariable.write",
        "self.owner.finalize_state()",
        "pass",
        Checked(transfers.data_is_normalised_by_the_numbers_that_were_loaded),
    ),
    Mutant(
        "the slopes of a PReLU along another axis",
        "tensorflow",
        "unified_blocks_tensorflow.families:shared_by",
        "tuple(i - 1 for i in layer.shared_axes)",
        "tuple(i for i in layer.shared_axes)",
        Checked(transfers.slopes_are_of_each_channel),
    ),
]
