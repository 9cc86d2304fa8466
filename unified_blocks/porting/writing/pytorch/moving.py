"""A convolution whose windows see points between pixels, where a file of PyTorch needs it."""

from __future__ import annotations

DEFORMABLE = '''
class DeformableConv2d(nn.Module):
    """A convolution, of which each point of a window is moved and multiplied.

    Takes images, how far points are moved (n, parts * points * 2, h, w), down and to the right,
    and by what they are multiplied (n, parts * points, h, w).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int] = (0, 0),
        dilation: tuple[int, int] = (1, 1),
        groups: int = 1,
        parts: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.groups, self.parts = groups, parts
        weight = torch.empty(out_channels, in_channels // groups, *kernel_size)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None

    def places(self, axis: int, size: int, x: Tensor) -> Tensor:
        """Where the points of each window are along an axis."""
        points = torch.arange(self.weight.shape[2 + axis], device=x.device)
        windows = torch.arange(size, device=x.device) * self.stride[axis]
        return points[:, None] * self.dilation[axis] + windows - self.padding[axis]

    def forward(self, x: Tensor, moved: Tensor, scaled: Tensor) -> Tensor:
        (n, _, h, w), (rows, columns) = x.shape, moved.shape[2:]
        down, right = self.places(0, rows, x), self.places(1, columns, x)
        both = torch.broadcast_tensors(down[:, None, :, None], right[:, None, :])
        at = torch.stack(both, -1).flatten(0, 1)  # (points, rows, columns, 2)
        moved = moved.reshape(n * self.parts, len(at), 2, rows, columns).movedim(2, -1)
        grid = (2 * (at + moved) + 1) / x.new_tensor([h, w]) - 1
        parts = x.reshape(n * self.parts, -1, h, w)
        points = grid.flip(-1).flatten(1, 2)
        seen = F.grid_sample(parts, points, align_corners=False)
        seen = seen.unflatten(2, (-1, rows)) * scaled.reshape(
            len(parts), 1, -1, rows, columns
        )
        weight = self.weight.reshape(self.groups, len(self.weight) // self.groups, -1)
        seen = seen.reshape(n, self.groups, weight.shape[2], rows * columns)
        y = (weight @ seen).reshape(n, -1, rows, columns)
        return y if self.bias is None else y + self.bias[:, None, None]
'''
