"""`predict`: the outputs of a model on some data, as NumPy arrays."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend.tensors import backend_of
from unified_blocks.models.variables import all_built, device_of_variables
from unified_blocks.training.data.batches import mapped
from unified_blocks.training.gradients import native_batch
from unified_blocks.training.words import must_be_left_out


def predict(net: Any, x: Any, *, batch_size: int | None = None, progress: bool = False) -> Any:
    """The outputs of a model, in inference mode.

    Args:
        net: a built model of any framework.
        x: inputs, a NumPy array or a tensor of that framework, samples first.
        batch_size: how many samples to run at once; left out, all, as it must be in this version.
        progress: whether to draw a bar; not in this version.

    Returns:
        A NumPy array, or a tuple, list or dict of them, as the model gives.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        TypeError: another framework's tensor.
        UnsupportedError: an argument that this version has no rule for.

    Example::

        labels = ub.predict(net, x).argmax(axis=-1)
    """
    must_be_left_out("predict", batch_size=(batch_size, None), progress=(progress, False))
    backend = backend_of(net)
    device = device_of_variables(all_built(net, "predict"))
    return mapped(backend.to_numpy, backend.run(net, [native_batch(backend, x, device)]))
