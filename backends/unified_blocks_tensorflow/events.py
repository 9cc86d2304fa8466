"""Event files for TensorBoard, by the writer of TensorFlow."""

from __future__ import annotations

import tensorflow as tf

from unified_blocks.backend import EventWriter

SCALAR = tf.compat.v1.SummaryMetadata(
    plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
)
"""What `tf.summary.scalar` says of a number; that function is a part of the package tensorboard."""


class TensorFlowEventWriter(EventWriter):
    """See `EventWriter`: a `tf.summary.create_file_writer`."""

    def __init__(self, folder: str) -> None:
        self.native = tf.summary.create_file_writer(folder)

    def scalar(self, name: str, value: float, step: int) -> None:
        number = tf.constant(value, tf.float32)
        with self.native.as_default():
            tf.summary.write(name, number, step=step, metadata=SCALAR)

    def flush(self) -> None:
        self.native.flush()

    def close(self) -> None:
        self.native.close()


def event_writer(folder: str) -> EventWriter:
    """See `Backend.event_writer`."""
    return TensorFlowEventWriter(folder)
