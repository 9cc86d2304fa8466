"""Tensors keep their numbers, share memory as they say, and are on their devices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks.contracts.checks import made_case, normal
from unified_blocks.backend.dlpack import viewed


class Tensors:
    """Tests of the tensors of a backend."""

    @pytest.mark.parametrize("shape", [(2, 3), (), (0, 3)], ids=str)
    @pytest.mark.parametrize("kind", ["float64", "float32", "int64", "int32", "bool"])
    def test_tensors_keep_numbers_shape_and_dtype(
        self, backend: ub.Backend, kind: str, shape: tuple[int, ...]
    ) -> None:
        array = np.asarray(normal(*shape) * 5).astype(kind)
        tensor = backend.from_numpy(array)
        assert backend.is_tensor(tensor)
        found = backend.to_numpy(tensor)
        assert type(found) is np.ndarray
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found, array)

    def test_from_numpy_copies(self, backend: ub.Backend) -> None:
        array = np.ones(3)
        tensor = backend.from_numpy(array)
        array[:] = 7
        assert (backend.to_numpy(tensor) == 1).all()

    def test_to_numpy_copies(self, backend: ub.Backend) -> None:
        tensor = backend.from_numpy(np.ones(3))
        backend.to_numpy(tensor)[:] = 7
        assert (backend.to_numpy(tensor) == 1).all()

    def test_what_it_exports_is_its_own_memory(self, backend: ub.Backend) -> None:
        array = normal(4, 3)
        tensor = backend.from_numpy(array)
        try:
            found, again = (viewed(backend.exported(tensor, read_only=True)) for _ in range(2))
        except ub.SharingError as error:
            assert str(error)  # noqa: PT017  # it may share nothing, and says why
            return
        np.testing.assert_array_equal(found, array)
        assert found.ctypes.data == again.ctypes.data

    def test_what_it_imports_is_the_same_memory(self, backend: ub.Backend) -> None:
        memory = np.zeros(4 * 3 + 8)  # frameworks' own arrays begin at multiples of 64 bytes
        array = memory[-memory.ctypes.data % 64 // 8 :][:12].reshape(4, 3)
        array[...] = normal(4, 3)
        try:
            tensor = backend.imported(array, array)
        except ub.SharingError as error:
            assert str(error)  # noqa: PT017  # it may share nothing, and says why
            return
        assert backend.is_tensor(tensor)
        np.testing.assert_array_equal(backend.to_numpy(tensor), array)
        array[:] = 7
        assert (backend.to_numpy(tensor) == 7).all()

    @pytest.mark.parametrize("value", [np.ones(2), 1.0, [1.0], None], ids=repr)
    def test_what_is_no_tensor_is_none(self, backend: ub.Backend, value: Any) -> None:
        assert not backend.is_tensor(value)

    # devices

    def test_everything_is_on_its_device(self, backend: ub.Backend) -> None:
        devices = backend.devices()
        assert devices[0] == "cpu"
        for device in devices:
            tensor = backend.from_numpy(normal(2, 20, dtype="float32"), device)
            assert backend.device_of(tensor) == device
            net = ub.to_device(made_case("chimera", "float32"), device)
            assert {v.device for v in backend.variables(net)} == {device}
            assert backend.device_of(backend.run(net, [tensor])) == device

    def test_an_unknown_device_is_an_error(self, backend: ub.Backend) -> None:
        with pytest.raises(ValueError, match=r"must be one of cpu.*got 'warp:9'"):
            ub.to_device(made_case("MLP", "float32"), "warp:9")
