"""Mistakes in reading files: layers of one size exchanged, and numbers that are not used."""

from __future__ import annotations

from testbed.mutants import files
from testbed.mutants.checks import Checked
from testbed.mutants.table.mutant import Mutant

FILES = [
    Mutant(
        "the arrays of a Module in the order of its file",
        None,
        "unified_blocks.formats.mxnet.params:read",
        "[renamed[i] for i in order] if order else renamed",
        "renamed",
        Checked(files.a_module_follows_its_graph),
    ),
    Mutant(
        "a Module is believed to have an order",
        None,
        "unified_blocks.formats.mxnet.params:read",
        "order is not None if exported else",
        "True if exported else",
        Checked(files.a_module_without_a_graph_has_no_order),
    ),
    Mutant(
        "a dict without order is believed to have one",
        None,
        "unified_blocks.formats.mxnet.params:_may_be_in_order",
        "int(part) < last.get(above, 0)",
        "False",
        Checked(files.a_file_without_order_is_none),
    ),
    Mutant(
        "the layers of a Keras file in alphabetical order",
        None,
        "unified_blocks.formats.keras.weights:read",
        "if ordered:",
        "if not ordered:",
        Checked(files.a_keras_file_follows_its_configuration),
    ),
    Mutant(
        "rows in the order of the file",
        None,
        "unified_blocks.formats.mxnet.params:_Reader._rows",
        "whole[places]",
        "whole[sorted(places)]",
        Checked(files.rows_are_where_they_belong),
    ),
    Mutant(
        "the shortest path is renamed",
        None,
        "unified_blocks.files.parts:renamed",
        "max(called",
        "min(called",
        Checked(files.the_longest_path_is_renamed),
    ),
    Mutant(
        "an imported network is said to use a gamma that its graph fixes",
        "mxnet",
        "unified_blocks_mxnet.variables:_of_symbols",
        "parameter.name in fixed)",
        "False)",
        Checked(files.an_imported_gamma_that_is_fixed_is_1),
    ),
]
