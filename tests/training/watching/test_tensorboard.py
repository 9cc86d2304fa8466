"""`TensorBoard`: each curve of the history, at each epoch, by the framework's writer."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem


def fit(*callbacks, **more):
    options = {"loss": "cross_entropy", "optimizer": ub.SGD(0.25), "epochs": 3, **more}
    x, y = problem()
    return ub.fit(classifier(), x, y, validation=(x, y), callbacks=callbacks, **options)


class Writer:
    def __init__(self, folder):
        self.folder, self.written, self.told = folder, [], []

    def scalar(self, name, value, step):
        self.written.append((name, value, step))

    def flush(self):
        self.told.append(len(self.written))

    def close(self):
        self.told.append("closed")


@pytest.fixture
def writers(backend, monkeypatch):
    """Those that were made."""
    made = []

    def event_writer(backend, folder):
        made.append(Writer(folder))
        return made[-1]

    monkeypatch.setattr(type(backend), "event_writer", event_writer)
    return made


class Failing(ub.Callback):
    def __init__(self, when):
        setattr(self, when, self.fail)

    def fail(self, run):
        raise KeyboardInterrupt


@pytest.mark.parametrize("when", ["begin", "epoch", "end"])
def test_an_error_closes_its_file(writers, tmp_path, when):
    failing = Failing(when)
    with pytest.raises(KeyboardInterrupt):
        fit(ub.TensorBoard(tmp_path / "run"), failing)
    assert writers[0].told[-1] == "closed"


def test_it_writes_each_curve_at_each_epoch(writers, tmp_path):
    callback = ub.TensorBoard(tmp_path / "run")
    for _ in range(2):
        history = fit(callback)
        writer = writers.pop()
        assert writer.folder == str(tmp_path / "run")
        wanted = [
            (name, values[i], i + 1) for i in range(3) for name, values in history.curves.items()
        ]
        assert writer.written == wanted
        count = len(history.curves)
        assert writer.told == [count, 2 * count, 3 * count, "closed"]


def test_another_process_writes_nothing(backend):
    callback = ub.TensorBoard("nowhere")
    run = ub.Run(None, ub.History(loss=[1.0]), epochs=1, steps_per_epoch=1, is_writer=False)
    for call in (callback.begin, callback.epoch, callback.end):
        call(run)
    callback.close()
    assert callback.writer is None


def test_mxnet_has_no_writer(backend, tmp_path):
    if "event-files" not in backend.lacks:
        pytest.skip("it has one")
    with pytest.raises(ub.UnsupportedError, match=r"TensorBoard: .*on MXNet, which has none"):
        fit(ub.TensorBoard(tmp_path))


def test_tensorflow_writes_what_it_reads(backend, tmp_path):
    if backend.name != "tensorflow":
        pytest.skip("the others are read by the package tensorboard")
    import tensorflow as tf

    history = fit(ub.TensorBoard(tmp_path))
    (file,) = tmp_path.iterdir()
    found = {}
    for record in tf.data.TFRecordDataset(str(file)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            assert value.metadata.plugin_data.plugin_name == "scalars"
            found[value.tag, event.step] = float(tf.make_ndarray(value.tensor))
    wanted = {
        (name, i + 1): np.float32(values[i])
        for name, values in history.curves.items()
        for i in range(3)
    }
    assert found == wanted
