"""`BackendContract`: tests of a backend, for authors of one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks import plugin
from pytest_unified_blocks.contracts.blocks import Blocks
from pytest_unified_blocks.contracts.layers import Layers
from pytest_unified_blocks.contracts.learning import Learning
from pytest_unified_blocks.contracts.moving import Moving
from pytest_unified_blocks.contracts.tensors import Tensors
from pytest_unified_blocks.contracts.variables import Variables
from unified_blocks.backend.capabilities import CAPABILITIES


class BackendContract(Tensors, Variables, Layers, Blocks, Learning, Moving):
    """A backend keeps the promises of `unified_blocks.backend.Backend`.

    Subclass it under a name that pytest collects::

        class TestToyframe(BackendContract):
            name = "toyframe"

    Tests of the capabilities in the backend's `lacks`, and of operations of `ub.ops` that it lacks,
    are skipped with the reason.

    Attributes:
        name: the name that the backend is registered under.
    """

    name: str

    # the backend itself

    def test_it_is_what_its_entry_point_says(self, backend: ub.Backend) -> None:
        assert isinstance(backend, ub.Backend)
        assert backend.name == self.name
        assert backend.title
        assert backend.version
        assert ub.backend_of(backend.from_numpy(np.zeros(1))) is backend
        assert issubclass(backend.base_class, backend.layer_class)

    def test_what_it_lacks_is_said_in_known_names(self, backend: ub.Backend) -> None:
        assert {*backend.lacks, *backend.remarks} <= CAPABILITIES.keys()
        assert not backend.lacks.keys() & backend.remarks.keys()
        assert all([*backend.lacks.values(), *backend.remarks.values()])

    # how they are run

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Called by pytest for each test of a subclass: refuse one without a known name."""
        from unified_blocks.backend.registry import registered_backends

        name, known = getattr(self, "name", None), ", ".join(registered_backends())
        if name not in registered_backends():
            raise pytest.Collector.CollectError(
                f"{type(self).__name__} must set name to that of a registered backend, one of "
                f"{known}; got {name!r}"
            )

    @pytest.fixture
    def backend(self, request: pytest.FixtureRequest) -> Iterator[ub.Backend]:
        """The backend, which is the default one during the test."""
        if self.name not in plugin.backends(request.config):
            pytest.skip(f"{self.name} is not among those that --backend names")
        problem = plugin.problem_of(self.name)
        if problem:
            pytest.skip(problem)
        with ub.use_backend(self.name) as backend:
            plugin.skip_what_it_lacks(request.node, backend)
            yield backend
