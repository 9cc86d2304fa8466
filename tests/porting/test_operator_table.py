"""The table of operators that are read is told by the code that reads them."""

import unified_blocks as ub
from testbed.where import ROOT
from unified_blocks.porting.families import load_families
from unified_blocks.porting.mxnet.reading import HANDLERS
from unified_blocks.porting.mxnet.table import markdown, rows
from unified_blocks.porting.operations.elementwise import UNARY
from unified_blocks.porting.writing.keras.writer import WORDS
from unified_blocks.porting.writing.pytorch.vocabulary import PYTORCH


def row_of(operator):
    (row,) = [row for row in rows() if operator in row.operators]
    return row


def test_every_operator_is_in_one_row():
    operators = [operator for row in rows() for operator in row.operators]
    assert sorted(operators) == sorted(HANDLERS)


def test_a_row_says_what_operators_become():
    assert row_of("Convolution").operations == ("Convolution",)
    assert row_of("elemwise_sub").operations == ("subtract",)
    assert {"_minus", "broadcast_sub"} < {*row_of("elemwise_sub").operators}
    assert row_of("_arange").operations == ("a constant",)
    assert row_of("_npi_add").operations == ("add",)
    assert row_of("identity").operations == ()
    assert {"Reduce", "Elementwise"} == {*row_of("L2Normalization").operations}


def test_an_operator_of_the_users_own_is_in_it():
    def mine(read):
        return read.inputs[0]

    ub.porting.register("_test_of_the_table")(mine)
    try:
        assert "| `_test_of_the_table` | nothing: what they take |  |" in markdown()
    finally:
        del HANDLERS["_test_of_the_table"]


def test_a_row_says_what_portable_blocks_lack_and_the_others_have():
    assert row_of("topk").missing == ("TopK",)
    assert row_of("arcsin").missing == ("arcsin",)
    assert row_of("Convolution").missing == row_of("sum").missing == row_of("_arange").missing == ()
    missing = {each for row in rows() for each in row.missing}
    for vocabulary in ("pytorch", "keras.words"):
        load_families(f"unified_blocks.porting.writing.{vocabulary}")
    known = [PYTORCH.operations, tuple(WORDS)]
    for each in missing - {*UNARY}:
        assert all(each in {operation.__name__ for operation in table} for table in known), each


def test_the_page_has_the_table():
    page = (ROOT / "docs" / "reference" / "mxnet-operators.md").read_text(encoding="utf-8")
    assert page.endswith(markdown())
