"""The loop in Gluon."""

from __future__ import annotations

import numpy as np
from mxnet import autograd, gluon

from benchmarks.loops import OPTIONS
from unified_blocks_mxnet.compat import mx

mx.npx.set_np()


def epoch_of(net, x, y, batch_size, optimizer, rate, generator):
    options = {"learning_rate": rate, **OPTIONS[optimizer]}
    trainer = gluon.Trainer(net.collect_params(), optimizer.lower(), options)
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()

    def epoch():
        order = mx.np.array(generator.permutation(len(x)), dtype="int64", ctx=x.ctx)
        total = 0.0
        for i in range(0, len(x), batch_size):
            rows = order[i : i + batch_size]
            # x[rows] would take MXNet ten times as long
            xb, yb = mx.np.take(x, rows, axis=0), mx.np.take(y, rows, axis=0)
            with autograd.record():
                loss = loss_of(net(xb), yb)
            loss.backward()
            trainer.step(len(rows))
            total = total + loss.sum()
        return float(total) / len(x)

    return epoch


def shared_epoch_of(net, x, y, batch_size, optimizer, rate, generator, group):
    """`epoch_of` of each of several processes: by a key-value store `dist_sync`.

    What `gluon.Trainer` does with a store, under other keys: a process has one store, and that
    of ours has names.
    """
    options = {"learning_rate": rate, **OPTIONS[optimizer]}
    trainer = gluon.Trainer(net.collect_params(), optimizer.lower(), options, kvstore=None)
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
    parameters, store = net.collect_params(), group.store  # their names count up in all alike
    gradients = {name: parameter.grad() for name, parameter in parameters.items()}
    for name, gradient in gradients.items():
        store.init(name, mx.np.zeros_like(gradient))

    def epoch():
        order = generator.permutation(len(x))
        total = mx.np.zeros(1, ctx=x.ctx)
        for i in range(0, len(x), batch_size):
            rows = order[i : i + batch_size]
            own = mx.np.array(np.array_split(rows, group.processes)[group.rank], dtype="int64")
            xb, yb = mx.np.take(x, own, axis=0), mx.np.take(y, own, axis=0)
            with autograd.record():
                loss = loss_of(net(xb), yb)
            loss.backward()
            for name, gradient in gradients.items():
                store.pushpull(name, gradient, out=gradient)
            trainer.step(len(rows))
            total = total + loss.sum()
        return float(group.sum(total.asnumpy())[0]) / len(x)

    return epoch


def watched_epoch_of(net, x, y, others, batch_size, optimizer, rate, generator):
    """`epoch_of` that tells the accuracy, too, and both of other data, in one array."""
    options = {"learning_rate": rate, **OPTIONS[optimizer]}
    trainer = gluon.Trainer(net.collect_params(), optimizer.lower(), options)
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()

    def epoch():
        order = mx.np.array(generator.permutation(len(x)), dtype="int64", ctx=x.ctx)
        total, right = 0.0, 0.0
        for i in range(0, len(x), batch_size):
            rows = order[i : i + batch_size]
            xb, yb = mx.np.take(x, rows, axis=0), mx.np.take(y, rows, axis=0)
            with autograd.record():
                output = net(xb)
                loss = loss_of(output, yb)
            loss.backward()
            trainer.step(len(rows))
            total = total + loss.sum()
            right = right + (output.argmax(-1) == yb).astype("float32").sum()
        output = net(others[0])
        loss = loss_of(output, others[1]).mean()
        told = (output.argmax(-1) == others[1]).astype("float32").mean()
        return mx.np.stack([total / len(x), right / len(x), loss, told]).asnumpy()

    return epoch


def outputs_of(net, x, batch_size):
    """A function that gives the outputs of a model as an array."""

    def outputs():
        found = [net(x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
        return mx.np.concatenate(found).asnumpy()

    return outputs


def loader_of(x, y, batch_size):
    """A loader of arrays, in their order."""
    return gluon.data.DataLoader(gluon.data.ArrayDataset(x, y), batch_size=batch_size)


def loaded_epoch_of(net, loader, optimizer, rate):
    """`epoch_of` over the batches of a loader."""
    options = {"learning_rate": rate, **OPTIONS[optimizer]}
    trainer = gluon.Trainer(net.collect_params(), optimizer.lower(), options)
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()

    def epoch():
        total, samples = 0.0, 0
        for xb, yb in loader:
            with autograd.record():
                loss = loss_of(net(xb), yb)
            loss.backward()
            trainer.step(len(xb))
            total = total + loss.sum()
            samples += len(xb)
        return float(total) / samples

    return epoch
