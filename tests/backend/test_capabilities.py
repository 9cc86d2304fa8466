"""What a backend lacks: one list, by which tests are skipped and which the documentation shows."""

import pytest

import unified_blocks as ub
from testbed.common import BACKENDS
from testbed.where import ROOT
from unified_blocks.backend.capabilities import CAPABILITIES, table, why_lacking

PAGE = ROOT / "docs" / "reference" / "capabilities.md"


def test_the_table_in_the_documentation_is_the_declared_one():
    if len(ub.available_backends()) < 3:
        pytest.skip("it has all three frameworks")
    shown = table([ub.get_backend(name) for name in BACKENDS])
    assert len(shown.splitlines()) > 15
    assert f"\n\n{shown}\n\n" in PAGE.read_text(encoding="utf-8")


def test_a_capability_is_there_or_has_a_reason(backend):
    for name in CAPABILITIES:
        assert why_lacking(backend, name) == backend.lacks.get(name)


def test_an_unknown_capability_lists_the_known_ones(backend):
    with pytest.raises(ValueError, match=r"must be one of gradients, .*; got 'telepathy'"):
        why_lacking(backend, "telepathy")


@pytest.mark.capability("array-inputs")
@pytest.mark.capability("cast-inputs")
def test_a_test_is_run_only_where_all_are_there(backend):
    assert not {"array-inputs", "cast-inputs"} & backend.lacks.keys()


def test_only_rows_that_differ_are_shown(backend):
    rows = table([backend]).splitlines()[2:]
    assert len(rows) == len({*backend.lacks, *backend.remarks})
