"""What networks of images and sequences cost, over the same ones written by hand.

Those by hand have the framework's own layers in the framework's own layout: in Keras, images have
their channels at the end. Both are called and trained, eagerly and as the graph that the framework
makes of either: `torch.compile`, `tf.function`, `hybridize`. A `layout` of "last / first" is ours
in the one over the one by hand in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

import unified_blocks as ub
from benchmarks.cells import Cell, Effort
from benchmarks.clock import in_turn
from benchmarks.contests import KERAS
from benchmarks.native import by_hand, network_by_hand
from benchmarks.subjects import NATIVE, PORTABLE, agree, array, example
from unified_blocks.compiling.timing import ratio
from unified_blocks.types import Array

OURS = "ours / by hand"
TIMES = 3
"""How often both are made, for a third of the pairs each: of two equal networks one may be faster
by some percent, for where its memory lies. What `torch.compile` takes seconds for is made once."""
SECONDS = 1.5
"""How long the pairs of one ratio may take; and once more, while its interval is wide."""
PAIRS = 100
FEWEST = 10

FIRST, LAST = "channels_first", "channels_last"
LAYOUTS: dict[str, tuple[tuple[str, str], ...]] = {
    "torch": ((FIRST, FIRST), (LAST, LAST)),
    "tensorflow": ((LAST, LAST), (FIRST, LAST)),
    "mxnet": ((FIRST, FIRST), (LAST, FIRST)),
}
"""The layout of ours and of the one by hand; first that in which the framework computes."""
TURNED = {("tensorflow", "eager"): 1.15, ("tensorflow", "graph"): 1.05}
"""What a network in the layout in which the framework does not compute may cost.

Not a block alone: it turns as much as several one after the other.
"""


@dataclass(frozen=True)
class Network:
    """A network.

    Attributes:
        what: what the table calls it.
        by_hand: the name of its class in the modules of those.
        make: makes ours.
        arguments: of both.
        shape: of its input: `(n, c, h, w)`, or `(n, t, d)`.
        target: the most that it may cost.
        left_out: what is not timed, since it takes long for what it shows: frameworks, and ways to
            run in them.
    """

    what: str
    by_hand: str
    make: Callable[..., Any]
    arguments: Mapping[str, Any]
    shape: tuple[int, ...]
    target: float = NATIVE
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def of_images(self) -> bool:
        return len(self.shape) == 4

    @property
    def size(self) -> str:
        return f"{self.shape[-1]} px" if self.of_images else f"t = {self.shape[1]}"

    def ours(self, framework: str, layout: str) -> Any:
        with ub.use_backend(framework), ub.use_layout(layout):
            return self.make(**self.arguments)


def lenet() -> Any:
    return ub.MySequential(
        *(ub.Conv2D(6, 5, padding=2, activation="sigmoid"), ub.AvgPool2D(2)),
        *(ub.Conv2D(16, 5, activation="sigmoid"), ub.AvgPool2D(2), ub.Flatten()),
        *(ub.Dense(120, activation="sigmoid"), ub.Dense(84, activation="sigmoid"), ub.Dense(10)),
    )


def residual(channels: int, deep: bool) -> Any:
    return example("book/resnet").Residual(channels, deep=deep)


def group(channels: int, blocks: int) -> Any:
    return ub.repeat(lambda: residual(channels, deep=False), blocks)


def encoder(units: int, heads: int, hidden: int) -> Any:
    return example("book/transformer").Layer(units, heads, hidden)


COMPILED = (("torch", "graph"),)
"""Its compiler takes seconds for each network, and leaves its own recurrent layers as they are."""
UNUSUAL = (*COMPILED, ("mxnet", "graph"))
"""What is left out of the layout that the framework is not asked for otherwise."""
STEPS = (("tensorflow", "eager"),)
"""There Keras' own recurrent layers take milliseconds for each step of a sequence."""


ROUGHLY = ("32 px", "14 px", "t = 32", "t = 64")
"""What a rough run takes."""


def networks(effort: Effort) -> list[Network]:
    """Those that are to be measured."""
    return [each for each in all_networks() if not effort.quick or each.size in ROUGHLY]


def all_networks() -> Iterator[Network]:
    """The blocks of a ResNet are its first and its third group's, for images of 224 pixels."""
    yield Network("LeNet", "LeNet", lenet, {}, (32, 1, 32, 32))
    for name, deep in (("ResNet-18 block", False), ("ResNet-50 block", True)):
        for pixels, channels in ((56, 64), (14, 256)):
            channels *= 4 if deep else 1
            wide, shape = {"channels": channels, "deep": deep}, (1, channels, pixels, pixels)
            left_out = COMPILED if pixels == 56 else ()
            yield Network(name, "Residual", residual, wide, shape, PORTABLE, left_out)
    wide = {"channels": 256, "blocks": 5}
    yield Network("ResNet-34 group", "Group", group, wide, (1, 256, 14, 14), PORTABLE, COMPILED)
    for name in ("LSTM", "GRU"):
        for t in (32, 256):
            wide, left_out = {"units": 128, "in_units": 64}, COMPILED + STEPS * (t == 256)
            yield Network(name, name, getattr(ub, name), wide, (8, t, 64), left_out=left_out)
    for n, t in ((4, 64), (1, 512)):
        wide, shape = {"units": 256, "heads": 4, "hidden": 1024}, (n, t, 256)
        left_out = COMPILED if t == 512 else ()
        yield Network("transformer block", "Encoder", encoder, wide, shape, PORTABLE, left_out)


def measure(framework: str, effort: Effort) -> list[Cell]:
    effort = effort.at_most(PAIRS)
    if framework == "keras":
        return on_torch(effort)
    cells = []
    for network in networks(effort):
        for layouts in LAYOUTS[framework][: 1 + network.of_images]:
            cells += compared(framework, network, layouts, effort)
    return cells


def compared(
    framework: str, network: Network, layouts: tuple[str, str], effort: Effort
) -> list[Cell]:
    """What a call and a step of training cost of ours over the one by hand."""
    usual = layouts == LAYOUTS[framework][0]
    left_out = network.left_out if usual else (*network.left_out, *UNUSUAL)
    setting = {"size": network.size}
    if network.of_images:
        setting["layout"] = " / ".join(layout.removeprefix("channels_") for layout in layouts)
    cells = []
    for run in ("eager", "graph"):
        if (framework, run) in left_out:
            continue
        again = 1 if effort.quick or (framework, run) in COMPILED else TIMES
        each = [run_times(framework, network, layouts, run, effort, again) for _ in range(again)]
        for way in WAYS:
            times = np.concatenate([found[way] for found in each])
            found: Any = {"what": network.what, "setting": {"pass": way, "run": run, **setting}}
            cells.append(Cell.seconds(measure="by hand", times=times[:, 1], **found))
            found |= {"target": target_of(framework, network, layouts, run)}
            cells.append(Cell.ratio(measure=OURS, ratio=ratio(times[:, 0], times[:, 1]), **found))
    return cells


WAYS = ("forward", "training step")


def run_times(
    framework: str,
    network: Network,
    layouts: tuple[str, str],
    run: str,
    effort: Effort,
    again: int,
) -> dict[str, Array]:
    """Seconds of ours and of the one by hand, both newly made, for each of `WAYS`.

    That is done `again` times in all, so each time takes its share.
    """
    native, backend = by_hand(framework), ub.get_backend(framework)
    nets, inputs = made(framework, network, layouts)
    targets = [backend.from_numpy(np.zeros_like(y)) for y in outputs_of(backend, nets, inputs)]
    models = [native.compiled(net) for net in nets] if run == "graph" else nets
    with native.inference():
        calls = [partial(*each) for each in zip(models, inputs, strict=True)]
        forward = timed(calls, effort, backend.finish, again)
    each = zip(nets, inputs, targets, strict=True)
    steps = [native.training_step(*given, as_graph=run == "graph") for given in each]
    agree([backend.to_numpy(step()) for step in steps], network.what)
    return dict(zip(WAYS, (forward, timed(steps, effort, backend.finish, again)), strict=True))


def timed(
    calls: list[Callable[[], Any]], effort: Effort, finish: Callable[[], None], again: int = 1
) -> Array:
    """Seconds of each, in turn: of `again` times that this is done in all, its share."""
    effort = replace(effort, pairs=-(-effort.pairs // again))
    limits: Any = {"longest": SECONDS / again, "fewest": FEWEST // again}
    return in_turn(calls, effort, finish, precisely=True, patience=SECONDS / again, **limits)


def target_of(framework: str, network: Network, layouts: tuple[str, str], run: str) -> float | None:
    if layouts[0] != layouts[1]:
        return None if network.what.endswith("block") else TURNED.get((framework, run))
    return network.target if layouts == LAYOUTS[framework][0] else NATIVE


def infer(nets: list[Any]) -> None:
    """Let models of PyTorch infer; the others do, unless they are told to train."""
    for net in nets:
        if hasattr(net, "eval"):
            net.eval()


def outputs_of(backend: Any, nets: list[Any], inputs: list[Any]) -> list[Array]:
    return [backend.to_numpy(backend.run(net, [x])) for net, x in zip(nets, inputs, strict=True)]


def made(framework: str, network: Network, layouts: tuple[str, str]) -> tuple[list[Any], list[Any]]:
    """Ours and the one by hand, which are asserted to compute the same, and their inputs."""
    backend, native = ub.get_backend(framework), network_by_hand(framework)
    x = array(*network.shape)
    arrays = [moved(x, layout) if network.of_images else x for layout in layouts]
    ours = ub.build(network.ours(framework, layouts[0]), arrays[0].shape)
    ub.initialize(ours, 0, "torch_default")
    theirs = getattr(native, network.by_hand)(**network.arguments)
    first, second = map(backend.from_numpy, arrays)
    held = layouts
    if (framework, layouts[1]) == ("torch", LAST):
        theirs, second = native.in_memory(theirs, second)
        held = layouts[0], FIRST
    infer([ours, theirs])
    backend.run(theirs, [second])  # makes what was deferred
    ub.transfer(ours, theirs, match="order")
    if hasattr(theirs, "adapt"):
        theirs.adapt()
    nets, inputs = [ours, theirs], [first, second]
    found = outputs_of(backend, nets, inputs)
    if found[0].ndim == 4:  # compare in one layout
        found = [moved(y, FIRST, layout) for y, layout in zip(found, held, strict=True)]
    agree(found, network.what)
    return nets, inputs


def moved(x: Array, layout: str, held: str = FIRST) -> Array:
    """An array of images, held in one layout, in another."""
    if layout == held:
        return x
    return np.ascontiguousarray(np.moveaxis(x, *((1, -1) if layout == LAST else (-1, 1))))


def on_torch(effort: Effort) -> list[Cell]:
    """LeNet by Keras on PyTorch, over the one by hand."""
    import torch

    net = network_by_hand("torch").LeNet().eval()
    model = by_hand("keras_on_torch").LeNet()
    x = array(32, 1, 32, 32)
    first, last = torch.from_numpy(x), torch.from_numpy(moved(x, LAST))
    with by_hand("torch").inference():
        model(last)
        numbers = [parameter.detach().numpy() for parameter in net.parameters()]
        turned = [n.transpose(2, 3, 1, 0) if n.ndim == 4 else n.T for n in numbers]
        turned[4] = turned[4].reshape(16, 6, 6, -1).transpose(1, 2, 0, 3).reshape(576, -1)
        model.set_weights(turned)
        agree([net(first).numpy(), model(last).numpy()], KERAS)
        calls = [lambda: model(last), lambda: net(first)]
        times = in_turn(calls, effort, longest=SECONDS, patience=SECONDS, precisely=True)
    setting = {"pass": "forward", "run": "eager", "size": "32 px", "layout": "last / first"}
    return [
        Cell.seconds("LeNet", "by hand", times[:, 1], setting=setting),
        Cell.ratio("LeNet", f"{KERAS} / by hand", ratio(times[:, 0], times[:, 1]), setting=setting),
    ]
