"""A call of a block does what the same network written by hand does: counted, not timed."""

import pytest

import unified_blocks as ub
from testbed.benchmarking import benchmark

NATIVE = ("MLP", "MySequential", "NestMLP")
PORTABLE = ("portable MLP", "Highway")
OF_IMAGES = ("ResNet-18 block, 14 px", "ResNet-50 block, 14 px", "ResNet-34 group, 14 px")


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """For each framework, what `benchmarks.counts` counts, by block and by what is counted."""
    names = [name for name in ("torch", "tensorflow", "mxnet") if name in ub.available_backends()]
    asked = [part for name in names for part in ("--backend", name)]
    folder = tmp_path_factory.mktemp("counts")
    found, _ = benchmark(folder, "--part", "counts", "--quick", *asked)
    table = {name: {} for name in names}
    for cell in found["cells"]:
        row = table[cell["framework"]].setdefault(cell["what"], {})
        row.setdefault(cell["setting"]["counted"], {})[cell["measure"]] = cell["value"]
    return table


@pytest.mark.parametrize("block", NATIVE + PORTABLE + OF_IMAGES)
def test_a_block_runs_the_operations_of_the_one_by_hand(backend_name, counts, block):
    row = counts[backend_name][block]
    assert row["operations"]["ours"] == row["operations"]["by hand"] > 0
    assert row["operations that by hand there are not"] == {"ours": 0}


@pytest.mark.parametrize("block", NATIVE + PORTABLE)
def test_a_block_fetches_no_value(backend_name, counts, block):
    assert counts[backend_name][block]["values fetched"] == {"ours": 0, "by hand": 0}


def test_the_loop_on_values_is_seen_to_fetch_some(backend_name, counts):
    fetched = counts[backend_name]["FixedHiddenMLP"]["values fetched"]
    assert fetched["ours"] >= fetched["by hand"] > 1


MORE_CALLS = {"torch": 0, "tensorflow": 3, "mxnet": 3}
"""Functions of Python that a call of a block may call besides; a Keras layer calls hundreds."""


@pytest.mark.parametrize("block", ["MLP", "NestMLP"])
def test_a_block_calls_few_functions_besides(backend_name, counts, block):
    calls = counts[backend_name][block]["Python calls"]
    assert calls["ours"] <= calls["by hand"] + MORE_CALLS[backend_name]
