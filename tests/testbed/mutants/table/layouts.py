"""Mistakes in how a comparison brings the arrays of two models to one layout."""

from __future__ import annotations

from testbed.mutants import layouts
from testbed.mutants.checks import Checked
from testbed.mutants.table.mutant import Mutant

LAYOUTS = [
    Mutant(
        "rows and columns are exchanged with the channels",
        None,
        "unified_blocks.equivalence.layouts:brought",
        "np.moveaxis(array, -1, 1)",
        "np.swapaxes(array, -1, 1)",
        Checked(layouts.rows_and_columns_are_not_exchanged),
    ),
    Mutant(
        "axes are told apart by their sizes",
        None,
        "unified_blocks.equivalence.layouts:chosen_move",
        "if agree(x, brought(y, move), dtype):",
        "if brought(y, move).shape == x.shape:",
        Checked(layouts.a_port_has_every_row_aligned),
    ),
    Mutant(
        "layers without channels are not aligned",
        None,
        "unified_blocks.equivalence.layouts:sides_of",
        "inside, *took.moves, ",
        "inside, ",
        Checked(layouts.a_port_has_every_row_aligned),
    ),
    Mutant(
        "inputs of other numbers count as the same",
        None,
        "unified_blocks.equivalence.layouts:seen",
        "np.array_equal(x, brought(y, move))",
        "x.shape == brought(y, move).shape",
        Checked(layouts.from_outside_nothing_is_moved),
    ),
    Mutant(
        "the weights of the loss stay in the first layout",
        None,
        "unified_blocks.equivalence.losses:_of",
        "taken(array, moves.get(leaf.place))",
        "array",
        Checked(layouts.outputs_and_gradients_are_aligned),
    ),
    Mutant(
        "the input's gradient stays in the second layout",
        None,
        "unified_blocks.equivalence.learning:Learning.gradients",
        "self.given.taking.of(self.given.a[0])",
        "None",
        Checked(layouts.outputs_and_gradients_are_aligned),
    ),
    Mutant(
        "a weight in the order of another flattening is taken to be right",
        None,
        "unified_blocks.equivalence.numbers:Numbers.settle",
        "any(row.ok and move != n for row, move in inputs)",
        "False",
        Checked(layouts.a_weight_in_another_order_is_named),
    ),
    Mutant(
        "a Keras norm is thought to take channels last",
        "tensorflow",
        "unified_blocks_tensorflow.channels:channels_of",
        "axis = layer.axis",
        "axis = -1",
        Checked(layouts.keras_says_where_it_takes_channels),
    ),
    Mutant(
        "records of other layouts are compared as they are",
        None,
        "unified_blocks.equivalence.matrix.cells:row_between",
        "if of_images and layouts.move",
        "if False",
        Checked(layouts.records_are_aligned),
    ),
    Mutant(
        "the targets of a record are not in its layout",
        None,
        "unified_blocks.equivalence.matrix.subject:Subject.target",
        "move = self.layouts.of(output)",
        "move = None",
        Checked(layouts.records_are_aligned),
    ),
    Mutant(
        "a record forgets where its layers look for channels",
        None,
        "unified_blocks.equivalence.matrix.records:_call",
        "call.channels = channels",
        "pass",
        Checked(layouts.calls_of_records_are_aligned),
    ),
]
