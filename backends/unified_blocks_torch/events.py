"""Event files for TensorBoard, by the writer of PyTorch."""

from __future__ import annotations

from unified_blocks.backend import EventWriter


class TorchEventWriter(EventWriter):
    """See `EventWriter`: a `torch.utils.tensorboard.SummaryWriter`."""

    def __init__(self, folder: str) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ImportError(
                "TensorBoard: for the writer of PyTorch the package tensorboard must be installed; "
                f"got {error}: pip install tensorboard"
            ) from error
        self.native = SummaryWriter(folder)

    def scalar(self, name: str, value: float, step: int) -> None:
        self.native.add_scalar(name, value, step)

    def flush(self) -> None:
        self.native.flush()

    def close(self) -> None:
        self.native.close()


def event_writer(folder: str) -> EventWriter:
    """See `Backend.event_writer`."""
    return TorchEventWriter(folder)
