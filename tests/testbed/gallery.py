"""The blocks of `examples/`, each with an input for it."""

import importlib.util
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from testbed.where import ROOT

EXAMPLES = ROOT / "examples"


def example(name):
    """A module of the folder of examples."""
    full = f"examples_{name}".replace("/", "_")
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, EXAMPLES / f"{name}.py")
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


@dataclass(frozen=True)
class Example:
    """A block of the gallery.

    Attributes:
        arguments: of its constructor.
        shape: of its input.
        target: of its output.
    """

    module: str
    block: str
    arguments: dict[str, Any]
    shape: tuple[int, ...]
    target: tuple[int, ...]

    @property
    def cls(self):
        return getattr(example(self.module), self.block)

    def make(self, backend):
        return self.cls.on(backend)(**self.arguments)

    def batch(self, dtype="float64", seed=3):
        generator = np.random.default_rng(seed)
        return generator.normal(size=self.shape).astype(dtype), generator.normal(
            size=self.target
        ).astype(dtype)


GALLERY = [
    Example(
        "mixer",
        "MixerBlock",
        {"tokens": 5, "channels": 6, "hidden": 8},
        (3, 5, 6),
        (3, 5, 6),
    ),
    Example(
        "transformer",
        "EncoderBlock",
        {"units": 8, "heads": 2, "hidden": 12},
        (3, 5, 8),
        (3, 5, 8),
    ),
    Example("mixture", "Mixture", {"units": 4, "experts": 3, "hidden": 7}, (5, 6), (5, 4)),
    Example("highway", "Highway", {"units": 6}, (5, 6), (5, 6)),
    Example("deep_sets", "DeepSets", {"units": 4, "hidden": 9}, (6, 5, 3), (6, 4)),
    Example("vae", "VAE", {"d": 5, "latent": 2, "hidden": 8}, (4, 7), (4, 6)),
]
