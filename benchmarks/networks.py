"""What networks of images and sequences cost, over the same ones written by hand.

Those by hand have the framework's own layers in the framework's own layout: in Keras, images have
their channels at the end. Both are called and trained, eagerly and as the graph that the framework
makes of either: `torch.compile`, `tf.function`, `hybridize`. A `layout` of "last / first" is ours
in the one over the one by hand in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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
SECONDS = 2.0
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
"""What a network in the layout in which the framework does not compute may cost."""


@dataclass(frozen=True)
class Network:
    """A network.

    Attributes:
        name: of its class in the modules by hand.
        arguments: of its constructor.
        make: makes ours of these.
        shape: of its input: `(n, c, h, w)`, or `(n, t, d)`.
        target: the most that it may cost.
        size: what the table says of the input.
        whole: whether PyTorch makes one graph of it, worth its while: its compiler takes seconds
            for each, and makes none of its own recurrent layers.
    """

    name: str
    arguments: Mapping[str, Any]
    make: Callable[..., Any]
    shape: tuple[int, ...]
    target: float
    size: str
    whole: bool = True

    @property
    def of_images(self) -> bool:
        return len(self.shape) == 4

    def ours(self, framework: str, layout: str) -> Any:
        with ub.use_backend(framework), ub.use_layout(layout):
            return self.make(**self.arguments)


def lenet() -> Any:
    return ub.MySequential(
        *(ub.Conv2D(6, 5, padding=2, activation="sigmoid"), ub.AvgPool2D(2)),
        *(ub.Conv2D(16, 5, activation="sigmoid"), ub.AvgPool2D(2), ub.Flatten()),
        *(ub.Dense(120, activation="sigmoid"), ub.Dense(84, activation="sigmoid"), ub.Dense(10)),
    )


def residual(channels: int, deep: bool = False) -> Any:
    return example("book/resnet").Residual(channels, deep=deep)


def encoder(units: int, heads: int, hidden: int) -> Any:
    return example("book/transformer").Layer(units, heads, hidden)


def networks() -> Iterator[Network]:
    yield Network("LeNet", {}, lenet, (32, 1, 32, 32), NATIVE, "32 px")
    for deep in (False, True):
        for pixels, channels in ((56, 64), (14, 256)):
            wide = {"channels": channels * 4 if deep else channels, "deep": deep}
            shape = (1, wide["channels"], pixels, pixels)
            whole = pixels == 14
            yield Network("Residual", wide, residual, shape, PORTABLE, f"{pixels} px", whole)
    for name in ("LSTM", "GRU"):
        for t in (32, 256):
            units = {"units": 128, "in_units": 64}
            yield Network(name, units, getattr(ub, name), (8, t, 64), NATIVE, f"t = {t}", False)
    for n, t in ((4, 64), (1, 512)):
        units = {"units": 256, "heads": 4, "hidden": 1024}
        yield Network("Encoder", units, encoder, (n, t, 256), PORTABLE, f"t = {t}", t == 64)


def measure(framework: str, effort: Effort) -> list[Cell]:
    effort = effort.at_most(PAIRS)
    if framework == "keras":
        return on_torch(effort)
    cells = []
    for network in networks():
        if effort.quick and network.size not in ("32 px", "14 px", "t = 32", "t = 64"):
            continue
        for layouts in LAYOUTS[framework][: 1 + network.of_images]:
            cells += compared(framework, network, layouts, effort)
    return cells


def compared(
    framework: str, network: Network, layouts: tuple[str, str], effort: Effort
) -> list[Cell]:
    """What a call and a step of training cost of ours over the one by hand."""
    native, backend = by_hand(framework), ub.get_backend(framework)
    usual = layouts == LAYOUTS[framework][0]
    pair, inputs = made(framework, network, layouts)
    name = f"{network.name}, deep" if network.arguments.get("deep") else network.name
    setting = {"size": network.size}
    if network.of_images:
        setting["layout"] = " / ".join(layout.removeprefix("channels_") for layout in layouts)
    cells = []
    for run in ("eager", "graph"):
        if framework == "torch" and run == "graph" and not (network.whole and usual):
            continue
        same = layouts[0] == layouts[1]
        target = network.target if same else TURNED.get((framework, run))
        if framework == "torch" and not usual:
            target = NATIVE
        for way in ("forward", "training step"):
            if way == "forward":
                nets = pair if run == "eager" else [native.compiled(net) for net in pair]
                calls = [lambda net=net, x=x: net(x) for net, x in zip(nets, inputs, strict=True)]
                with native.inference():
                    times = timed(calls, effort, backend.finish)
            else:
                calls = [
                    native.training_step(net, x, zeros(backend, net, x), run == "graph")
                    for net, x in zip(pair, inputs, strict=True)
                ]
                agree([backend.to_numpy(call()) for call in calls], name)
                times = timed(calls, effort, backend.finish)
                if framework == "torch":
                    pair = [net.eval() for net in pair]
            found = {"what": name, "setting": {"pass": way, "run": run, **setting}}
            cells.append(Cell.seconds(measure="by hand", times=times[:, 1], **found))
            found |= {"ratio": ratio(times[:, 0], times[:, 1]), "target": target}
            cells.append(Cell.ratio(measure=OURS, **found))
    return cells


def timed(calls: list[Callable[[], Any]], effort: Effort, finish: Callable[[], None]) -> Array:
    limits: Any = {"longest": SECONDS, "fewest": FEWEST, "patience": SECONDS}
    return in_turn(calls, effort, finish, precisely=True, **limits)


def zeros(backend: Any, net: Any, x: Any) -> Any:
    """Targets for a network that is trained on `x`."""
    return backend.from_numpy(np.zeros_like(backend.to_numpy(backend.run(net, [x]))))


def made(
    framework: str, network: Network, layouts: tuple[str, str]
) -> tuple[list[Any], tuple[Any, Any]]:
    """Ours and the one by hand, which are asserted to compute the same, and their inputs."""
    backend, native = ub.get_backend(framework), network_by_hand(framework)
    x = array(*network.shape)
    arrays = [moved(x, layout) if network.of_images else x for layout in layouts]
    ours = ub.build(network.ours(framework, layouts[0]), arrays[0].shape)
    ub.initialize(ours, 0, "torch_default")
    theirs = getattr(native, network.name)(**network.arguments)
    first, second = map(backend.from_numpy, arrays)
    if framework == "torch":
        ours, theirs = ours.eval(), theirs.eval()
        if layouts[1] == LAST:
            theirs, second = native.in_layout(theirs, second)
    backend.run(theirs, [second])  # makes what was deferred
    ub.transfer(ours, theirs, match="order")
    if hasattr(theirs, "adapt"):
        theirs.adapt()
    outputs = [
        backend.to_numpy(backend.run(net, [each]))
        for net, each in ((ours, first), (theirs, second))
    ]
    if outputs[0].ndim == 4:  # compare in one layout
        held = (layouts[0], FIRST if framework == "torch" else layouts[1])
        outputs = [moved(y, FIRST, layout) for y, layout in zip(outputs, held, strict=True)]
    agree(outputs, network.name)
    return [ours, theirs], (first, second)


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
        times = timed([lambda: model(last), lambda: net(first)], effort, lambda: None)
    setting = {"pass": "forward", "run": "eager", "size": "32 px", "layout": "last / first"}
    return [
        Cell.seconds("LeNet", "by hand", times[:, 1], setting=setting),
        Cell.ratio("LeNet", f"{KERAS} / by hand", ratio(times[:, 0], times[:, 1]), setting=setting),
    ]
