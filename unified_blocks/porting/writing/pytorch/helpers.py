"""Small classes and functions that a file of PyTorch defines where it needs them."""

from __future__ import annotations

from unified_blocks.porting.writing.pytorch.boxes import BOXES
from unified_blocks.porting.writing.pytorch.moving import DEFORMABLE

CONCURRENT = '''
class Concurrent(nn.Sequential):
    """Layers that take the same, joined along the channels."""

    def forward(self, input: Tensor) -> Tensor:
        return torch.cat([layer(input) for layer in self], 1)
'''

COUNTING = '''
class BatchNorm{rank}d(nn.BatchNorm{rank}d):
    """Counts the biased variance of each batch, where PyTorch counts the unbiased one."""

    running_var: Tensor

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        kept, count = self.running_var, input.numel() // input.size(1)
        self.running_var = kept * (count / max(count - 1, 1))
        output = super().forward(input)
        self.running_var = kept.copy_(self.running_var * (1 - 1 / count))
        return output
'''

FROZEN = '''
class FrozenBatchNorm{rank}d(nn.BatchNorm{rank}d):
    """Uses the counted statistics in training, too."""

    def train(self, mode: bool = True) -> "FrozenBatchNorm{rank}d":
        return super().train(False)
'''

PACKED = '''
def packed(
    layer: nn.RNNBase,
    x: Tensor,
    lengths: Tensor,
    states: Tensor | tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Any]:
    """What a layer gives for sequences of which each has its own length."""
    ends, steps = lengths.long().cpu(), x.shape[1 if layer.batch_first else 0]
    inside = pack_padded_sequence(x, ends, layer.batch_first, enforce_sorted=False)
    y, states = layer(inside, states)
    return pad_packed_sequence(y, layer.batch_first, 0.0, steps)[0], states
'''

MASK = '''
def mask_sequences(
    x: Tensor, lengths: Tensor, value: float = 0.0, dim: int = 0
) -> Tensor:
    """Sequences `(t, n, ...)`, or `(n, t, ...)`, with one number after the end of each."""
    steps = torch.arange(x.shape[dim], device=x.device)
    after = (steps >= lengths[:, None]).movedim(1, dim)
    return x.masked_fill(after.reshape(after.shape + (1,) * (x.ndim - 2)), value)
'''

LAST = '''
def last_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """The last step of each sequence of `(t, n, ...)`."""
    return x[lengths.long() - 1, torch.arange(x.shape[1], device=x.device)]
'''

REVERSE = '''
def reverse_sequences(x: Tensor, lengths: Tensor) -> Tensor:
    """Each sequence of `(t, n, ...)` from its end to its begin; what comes after it stays."""
    steps, ends = torch.arange(len(x), device=x.device)[:, None], lengths.long()
    sources = torch.where(steps < ends, ends - 1 - steps, steps)
    return x[sources, torch.arange(x.shape[1], device=x.device)]
'''

SOFTMAX = '''
def masked_softmax(x: Tensor, lengths: Tensor, dim: int = -1) -> Tensor:
    """Softmax of so many numbers; the others are 0, all where the length is 0."""
    steps = torch.arange(x.shape[dim], device=x.device)
    outside = (steps >= lengths[..., None]).movedim(-1, dim)
    lowest = torch.finfo(x.dtype).min
    return x.masked_fill(outside, lowest).softmax(dim).masked_fill(outside, 0.0)
'''

SPLIT = '''
def split_heads(x: Tensor, heads: int) -> Tensor:
    """What is `(t, n, heads * d)` as `(n * heads, t, d)`."""
    return x.unflatten(2, (heads, -1)).permute(1, 2, 0, 3).flatten(0, 1)
'''

PARTS = '''
def split_parts(x: Tensor, heads: int, parts: int) -> tuple[Tensor, ...]:
    """The parts of each head of `(t, n, heads * parts * d)`, each `(n * heads, t, d)`."""
    x = x.unflatten(2, (heads, parts, -1)).permute(3, 1, 2, 0, 4)
    return x.flatten(1, 2).unbind()
'''

MERGE = '''
def merge_heads(x: Tensor, heads: int) -> Tensor:
    """What is `(n * heads, t, d)` as `(t, n, heads * d)`."""
    return x.unflatten(0, (-1, heads)).permute(2, 0, 1, 3).flatten(2)
'''

HELPERS = {
    "Concurrent": CONCURRENT,
    **BOXES,
    "DeformableConv2d": DEFORMABLE,
    **{f"BatchNorm{rank}d": COUNTING.format(rank=rank) for rank in (1, 2, 3)},
    "packed": PACKED,
    "mask_sequences": MASK,
    "last_steps": LAST,
    "reverse_sequences": REVERSE,
    "masked_softmax": SOFTMAX,
    "split_heads": SPLIT,
    "split_parts": PARTS,
    "merge_heads": MERGE,
    **{f"FrozenBatchNorm{rank}d": FROZEN.format(rank=rank) for rank in (1, 2, 3)},
}
"""The text of each, by name."""
