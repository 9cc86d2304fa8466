"""The loop in Gluon."""

from __future__ import annotations

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
