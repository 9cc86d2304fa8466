"""The loop in PyTorch."""

from __future__ import annotations

import torch
from torch import distributed
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset

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


def shared_epoch_of(net, x, y, batch_size, optimizer, rate, generator, group):
    """`epoch_of` of each of several processes: by `DistributedDataParallel`."""
    net = DistributedDataParallel(net.train())
    native = getattr(torch.optim, optimizer)(net.parameters(), lr=rate, **OPTIONS[optimizer])
    rank, processes = distributed.get_rank(), distributed.get_world_size()

    def epoch():
        order, total = torch.from_numpy(generator.permutation(len(x))).to(x.device), 0.0
        for i in range(0, len(x), batch_size):
            rows = order[i : i + batch_size]
            own = rows.tensor_split(processes)[rank]
            native.zero_grad()
            loss = F.cross_entropy(net(x[own]), y[own])
            (loss * (len(own) * processes / len(rows))).backward()
            native.step()
            total += loss.detach() * len(own)
        distributed.all_reduce(total)
        return float(total) / len(x)

    return epoch


def watched_epoch_of(net, x, y, others, batch_size, optimizer, rate, generator):
    """`epoch_of` that tells the accuracy, too, and both of other data, in one array."""
    native = getattr(torch.optim, optimizer)(net.parameters(), lr=rate, **OPTIONS[optimizer])

    def epoch():
        net.train()
        order = torch.from_numpy(generator.permutation(len(x))).to(x.device)
        total, right = 0.0, 0
        for i in range(0, len(x), batch_size):
            rows = order[i : i + batch_size]
            xb, yb = x[rows], y[rows]
            native.zero_grad()
            output = net(xb)
            loss = F.cross_entropy(output, yb)
            loss.backward()
            native.step()
            total += loss.detach() * len(rows)
            right += (output.detach().argmax(1) == yb).sum()
        net.eval()
        with torch.no_grad():
            output = net(others[0])
            loss = F.cross_entropy(output, others[1])
            told = (output.argmax(1) == others[1]).float().mean()
        return torch.stack([total / len(x), right / len(x), loss, told]).cpu().numpy()

    return epoch


def outputs_of(net, x, batch_size):
    """A function that gives the outputs of a model as an array."""

    def outputs():
        net.eval()
        with torch.no_grad():
            found = [net(x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
        return torch.cat(found).cpu().numpy()

    return outputs


def loader_of(x, y, batch_size):
    """A loader of arrays, in their order."""
    return DataLoader(TensorDataset(*map(torch.from_numpy, (x, y))), batch_size=batch_size)


def loaded_epoch_of(net, loader, optimizer, rate):
    """`epoch_of` over the batches of a loader."""
    net.train()
    native = getattr(torch.optim, optimizer)(net.parameters(), lr=rate, **OPTIONS[optimizer])

    def epoch():
        total, samples = 0.0, 0
        for xb, yb in loader:
            native.zero_grad()
            loss = F.cross_entropy(net(xb), yb)
            loss.backward()
            native.step()
            total += loss.detach() * len(xb)
            samples += len(xb)
        return float(total) / samples

    return epoch
