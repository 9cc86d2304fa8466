"""Test your own blocks, or your own backend, with pytest.

    from pytest_unified_blocks import BlockContract

    class TestHighway(BlockContract):
        input_shape = (3, 20)

        def make(self):
            return Highway(20)

See `pytest_unified_blocks.plugin` for the options, fixtures and the marker. pytest imports this
package in every run, so it imports nothing until a contract is used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_unified_blocks.backend_contract import BackendContract
    from pytest_unified_blocks.block_contract import BlockContract

__all__ = ["BackendContract", "BlockContract"]


def __getattr__(name: str) -> Any:
    if name == "BlockContract":
        from pytest_unified_blocks.block_contract import BlockContract

        return BlockContract
    if name == "BackendContract":
        from pytest_unified_blocks.backend_contract import BackendContract

        return BackendContract
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
