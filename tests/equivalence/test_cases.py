"""The book's blocks, each the same on every framework and device: see `BlockContract`."""

from pytest_unified_blocks import BlockContract
from unified_blocks.equivalence.matrix.cases import CASES

COMPILED = {"test_compiled_is_eager": "the chimera is made of all the others"}
for case in CASES:
    globals()[f"Test{case.name}"] = type(
        f"Test{case.name}",
        (BlockContract,),
        {
            "input_shape": case.input_shape,
            "output_shape": case.output_shape,
            "make": staticmethod(case.make),
            "lacks": {} if case.name == "chimera" else COMPILED,
        },
    )
