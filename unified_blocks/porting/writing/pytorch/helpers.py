"""Small classes that a file of PyTorch defines where it needs them."""

from __future__ import annotations

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

HELPERS = {
    "Concurrent": CONCURRENT,
    **{f"BatchNorm{rank}d": COUNTING.format(rank=rank) for rank in (1, 2, 3)},
    **{f"FrozenBatchNorm{rank}d": FROZEN.format(rank=rank) for rank in (1, 2, 3)},
}
"""The text of each, by name."""
