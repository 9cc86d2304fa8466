"""The loop in PyTorch."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from benchmarks.loops import OPTIONS


def epoch_of(net, x, y, batch_size, optimizer, rate, generator):
    net.train()
    native = getattr(torch.optim, optimizer)(net.parameters(), lr=rate, **OPTIONS[optimizer])

    def epoch():
        order, total = torch.from_numpy(generator.permutation(len(x))).to(x.device), 0.0
        for i in range(0, len(x), batch_size):
            rows = order[i : i + batch_size]
            xb, yb = x[rows], y[rows]
            native.zero_grad()
            loss = F.cross_entropy(net(xb), yb)
            loss.backward()
            native.step()
            total += loss.detach() * len(rows)
        return float(total) / len(x)

    return epoch
