"""`TensorBoard`: curves in the files that TensorBoard reads."""

from __future__ import annotations

import os
from os import PathLike

from unified_blocks.backend import EventWriter
from unified_blocks.training.callbacks import Callback, Run


class TensorBoard(Callback):
    """Writes losses, metrics and the learning rate to TensorBoard's event files.

    The framework's own writer does it: `torch.utils.tensorboard.SummaryWriter`, which needs the
    package tensorboard, and `tf.summary`. The curves have their names in `ub.History`, and each
    epoch is a point of them. They can be seen while it trains, by `tensorboard --logdir run`; in a
    group of processes the first one writes them.

    Args:
        folder: where the files go; it is made if it is not there. Each training adds a file, so
            that one that goes on from a checkpoint adds to its curves.

    Raises:
        UnsupportedError: when training begins on MXNet, which has no writer of such files.
        ImportError: when it begins on PyTorch without the package tensorboard.

    Example::

        x = np.linspace(-1, 1, 64, dtype="float32").reshape(64, 1)
        net, board = ub.MLP.on("tensorflow")(16, 1), ub.TensorBoard("run")
        history = ub.fit(net, x, x, loss="mse", optimizer="adam", epochs=3, callbacks=[board])
        len(history.loss)  # 3
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        self.writer: EventWriter | None = None

    def begin(self, run: Run) -> None:
        if run.is_writer:
            self.writer = run.trainer.backend.event_writer(self.folder)

    def epoch(self, run: Run) -> None:
        if self.writer is not None:
            for name, values in run.history.curves.items():
                self.writer.scalar(name, values[-1], run.epoch)
            self.writer.flush()

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.writer = None
