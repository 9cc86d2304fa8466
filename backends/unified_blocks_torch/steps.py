"""Training steps of PyTorch."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from unified_blocks.backend import EAGER, PLAIN, Slot, TrainingStep
from unified_blocks.training.data.batches import applied, mapped, tensors_in
from unified_blocks.training.learning.accumulation import lengths, parts
from unified_blocks.training.learning.groups import settings_of
from unified_blocks.training.losses import apply_loss
from unified_blocks.training.optimizers import Adam
from unified_blocks_torch.averages import Averages
from unified_blocks_torch.clipping import clipped
from unified_blocks_torch.graphs import GRAPH_KINDS, TorchGraph
from unified_blocks_torch.learning import loss_function, mode
from unified_blocks_torch.optimizers import KEPT, in_groups, make_optimizer
from unified_blocks_torch.precision import Precision
from unified_blocks_torch.variables import shared_out, walk, whole
from unified_blocks_torch.weighted import weighted_loss


def trains_alone(net: nn.Module) -> bool:
    """Whether there are other processes, with which `net` shares no gradients."""
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()):
        return False
    return distributed.get_world_size() > 1 and not is_distributed(net)


def is_distributed(net: nn.Module) -> bool:
    """Whether `net` shares its gradients with other processes, by a wrapper of PyTorch's own."""
    from torch.distributed.fsdp import FSDPModule, FullyShardedDataParallel  # slow to import
    from torch.distributed.tensor import DTensor

    wrappers = (nn.parallel.DistributedDataParallel, FullyShardedDataParallel, FSDPModule)
    return any(isinstance(module, wrappers) for module in net.modules()) or any(
        isinstance(parameter, DTensor) for parameter in net.parameters()
    )


class Later:
    """Sees what is watched of several batches in a row.

    Between two updates, the code of a metric would have to come to the caches of the processor
    for each batch, which takes longer than the metric itself.

    Args:
        see: what a step returns of `(loss, output, targets, weights)`.
    """

    def __init__(self, see):
        self.see, self.waiting, self.seen, self.held = see, [], [], 0

    def __call__(self, value, output, y, w):
        alone = not isinstance(output, torch.Tensor) or is_held(output)
        # What waits must not hold the graph of its gradients: memory would be taken from the system
        # in each epoch, and given back.
        self.waiting.append((value, output if alone else output.detach(), y, w))
        self.held += FULL if alone else output.numel()
        if self.held >= FULL:
            self.all()

    def all(self):
        """What was seen of all batches up to now."""
        self.seen += [self.see(*each) for each in self.waiting]
        self.waiting, self.held = [], 0
        return self.seen


FULL = 2**18
"""How many numbers of outputs wait to be seen."""


def is_held(output: torch.Tensor) -> bool:
    """Whether a model holds the numbers of its output, which an update may change."""
    return (output if output._base is None else output._base).is_leaf


class TorchTrainingStep(TrainingStep):
    """See `TrainingStep`. Batches go through `call`: the model, or what computes the same."""

    count = 0
    kinds = (EAGER, *GRAPH_KINDS)
    takes: ClassVar = frozenset(
        {
            *("watched", "accumulate", "scheduled", "weighted"),
            *("clip", "groups", "average", "precision"),
        }
    )

    def __init__(self, net, optimizer, loss, options=PLAIN):
        super().__init__(options)
        if options.group is None and trains_alone(net):
            warnings.warn(
                "Trainer: in a group of processes a model must be distributed for its gradients to "
                f"be shared; got a {type(net).__name__}, which each of the "
                f"{torch.distributed.get_world_size()} processes trains alone: give Trainer "
                "torch.nn.parallel.DistributedDataParallel(net)",
                stacklevel=5,  # where Trainer is called
            )
        self.net, self.optimizer = net, optimizer.rounded()
        self.ways = {EAGER: net}
        self.call = net
        self.variables = [v for v in walk(net) if v.trainable]
        self.named = loss
        self.loss = weighted_loss(loss) if options.weighted else loss_function(loss)
        frozen = [v.name for v in walk(net) if not v.trainable]
        names = [[v.name] for v in self.variables]
        self.settings = settings_of(names, options.groups, optimizer, frozen)
        tensors = [v.tensor for v in self.variables]
        self.native = make_optimizer(in_groups(tensors, self.settings), optimizer)
        if self.settings:
            self.set_rate(self.optimizer.learning_rate)
        self.precision = Precision(options.precision, tensors, self.native)
        if options.average is not None:
            self.kept_averages = Averages(self.variables, float(np.float32(options.average)))

    def weigh(self):
        super().weigh()
        self.loss = weighted_loss(self.named)

    def use(self, kind):
        if kind not in self.ways:
            self.ways[kind] = TorchGraph(self.net, dynamic=False)
        self.call = self.ways[kind]

    @property
    def traces(self):
        return getattr(self.call, "traces", 0)

    def __call__(self, x, y, w=None, rate=None):
        if self.options is not PLAIN or w is not None or rate is not None:
            self.check_given(w, rate)
        with self.running():
            if self.options.accumulate > 1:
                return self.accumulated(parts((x, y, w), self.options.accumulate), rate)
            return self.update(x, y, w, rate)

    @property
    def may_see_later(self):
        """Whether all it does besides is to watch what depends on outputs alone."""
        return self.options.given().keys() == {"watched"} and all(
            getattr(function, "of_outputs", False) for function in self.options.watched
        )

    @contextmanager
    def running(self):
        with mode(self.net, True), torch.enable_grad():
            yield

    def epoch(self, x, y, order, batch_size, w=None, rates=None):
        self.check_given(w, rates)
        data = (x, y, w)
        rows = torch.from_numpy(order).to(next(tensors_in(x)).device)
        rate = iter(() if rates is None else rates.tolist())
        batches = rows.split(batch_size)
        with self.running():
            if self.may_see_later:
                later = Later(self.seen)
                for batch in batches:
                    self.updated(later, *self.gather(data, batch))
                values = later.all()
            elif self.options.accumulate == 1:
                values = [
                    self.update(x, y, w, next(rate, None))
                    for batch in batches
                    for x, y, w in [self.gather(data, batch)]
                ]
            else:
                values = [
                    self.accumulated(
                        [self.gather(data, batch) for batch in some.split(batch_size)],
                        next(rate, None),
                    )
                    for some in rows.split(batch_size * self.options.accumulate)
                ]
        return self.fetched(values)

    def update(self, x, y, w=None, rate=None):
        return self.updated(self.seen, x, y, w)

    def updated(self, seen, x, y, w):
        """An update; what `seen` gives of it."""
        if isinstance(self.optimizer, Adam):
            self.move_epsilon()
        self.native.zero_grad()
        output = applied(self.call, x)
        value = apply_loss(self.loss, output, y)
        value.backward()
        found = seen(value.detach(), output, y, w)
        self.native.step()
        self.count += 1
        return found

    def hooked(self, x, y, w=None, rate=None):
        return self.accumulated([(x, y, w)], rate)

    def accumulated(self, batches, rate=None):
        if rate is not None:
            self.set_rate(rate)
        if isinstance(self.optimizer, Adam):
            self.move_epsilon()
        self.native.zero_grad()
        if len(batches) == 1:
            seen = self.differentiated(*batches[0])
        else:
            seen = sum(
                self.differentiated(x, y, w, share, last=i == len(batches))
                for i, ((x, y, w), share) in enumerate(
                    zip(batches, self.shares(batches), strict=True), 1
                )
            )
        trained = [v.tensor for v in self.variables]
        self.precision.unscale()
        found = [tensor.grad for tensor in trained]
        gradients = self.clipped(self.reduced(found))
        if gradients is not found:
            for tensor, gradient in zip(trained, gradients, strict=True):
                tensor.grad = gradient
        if self.precision.step():
            self.count += 1
            self.after()
        return seen

    def shares(self, batches):
        """What each batch counts in the mean of all: `mⱼ / Σ mⱼ`."""
        if self.options.weighted:
            masses = torch.stack([w.sum() for _, _, w in batches])
            total = masses.sum()
            return torch.where(total == 0, masses, masses / total)
        counts = lengths(batches)
        return [count / sum(counts) for count in counts]

    def differentiated(self, x, y, w, share=None, last=True):
        """Add the gradients of a batch, times its share if there is one; what is seen, too."""
        with self.syncing(last):
            with self.precision.around():
                output = applied(self.call, x)
            output = self.precision.widened(output)
            value = self.loss_of(output, y, w)
            self.precision.backward(value if share is None else value * share)
        seen = self.seen(value.detach(), output, y, w)
        return seen if share is None else seen * share

    def syncing(self, last):
        """Around a batch of an update: the `last` one is that after which gradients are reduced."""
        return nullcontext()

    def set_rate(self, rate):
        """Let the next update have this learning rate."""
        for group in self.native.param_groups:
            group["lr"] = group["setting"].rate(rate) if self.settings else rate

    def move_epsilon(self):
        """Make one of the two forms of Adam.

        PyTorch adds epsilon to sqrt(v / (1 - beta_2^t)), the others to sqrt(v): with this epsilon
        the two are one.
        """
        t = self.count + 1
        for group in self.native.param_groups:
            group["eps"] = self.optimizer.epsilon / math.sqrt(1 - group["betas"][1] ** t)

    def clipped(self, gradients):
        clip = self.options.clip
        return gradients if clip is None else clipped(gradients, clip)

    def loss_of(self, output, y, w):
        return (
            self.loss(output, y, w) if self.options.weighted else apply_loss(self.loss, output, y)
        )

    def seen(self, value, output, y, w):
        """What a step returns: the loss, or a vector of it and of what is watched."""
        if not self.options.watched:
            return value
        with torch.no_grad():
            output = mapped(torch.Tensor.detach, output)
            watched = [function(output, y, w).to(value) for function in self.options.watched]
            return torch.stack([value, *watched])

    def gather(self, data, rows):
        rows = torch.as_tensor(rows)

        def taken(a):
            return a.index_select(0, rows if rows.device == a.device else rows.to(a.device))

        return [taken(a) if isinstance(a, torch.Tensor) else mapped(taken, a) for a in data]

    def fetched(self, values):
        return torch.stack(values).cpu().double().numpy()

    def slots(self):
        kept = [self.slot(v, name) for v in self.variables for name in self.optimizer.keeps]
        return kept + self.precision.slots()

    def slot(self, v, name):
        def read():
            found = self.native.state[v.tensor].get(KEPT[name])
            return (
                np.zeros(v.shape, v.dtype)
                if found is None
                else whole(found).to_dense().cpu().numpy().copy()
            )

        def write(array):
            tensor = torch.tensor(array, device=v.tensor.device)
            self.native.state[v.tensor][KEPT[name]] = shared_out(tensor, v.tensor)

        return Slot(f"{v.name}.{name}", v.shape, v.dtype, read, write)

    def parts_in(self, folder):
        from unified_blocks_torch import parts  # slow to import

        return [
            (name, shape, text, partial(parts.whole_array, folder, name, shape, dtype))
            for name, shape, text, dtype in parts.stored(folder)
        ]

    def restart_at(self, count):
        self.count = count
        for v in self.variables if isinstance(self.optimizer, Adam) else ():
            # As PyTorch makes it: on the CPU, whatever the device.
            self.native.state[v.tensor]["step"] = torch.tensor(float(count))

    def set_learning_rate(self, learning_rate):
        self.set_rate(learning_rate)
