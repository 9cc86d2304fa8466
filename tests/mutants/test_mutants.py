"""The suite catches deliberate mistakes, and `ub.compare` says where each is and why."""

import pytest

from testbed.common import BACKENDS, HERE
from testbed.mutants.table import MUTANTS


def of(backend_name):
    return [mutant for mutant in MUTANTS if mutant.backend in (None, backend_name)]


CASES = [
    pytest.param(mutant, name, id=f"{name}-{mutant.name}") for name in HERE for mutant in of(name)
]


# Inductor, PyTorch's compiler, uses what PyTorch has deprecated since.
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize(("mutant", "where"), CASES)
def test_it_is_caught_and_named(mutant, where, record_property):
    mutant.check.control(where)  # a check that is always red proves nothing
    caught = mutant.check.catches(mutant, where)
    record_property("mutant", (caught.caught, caught.first, caught.cause))
    assert caught.caught, caught.said
    assert caught.first is not False, caught.said
    assert caught.cause is not False, caught.said


def test_there_are_enough():
    assert len({(mutant.function, mutant.new) for mutant in MUTANTS}) >= 40
    for name in BACKENDS:
        assert len(of(name)) >= 20
