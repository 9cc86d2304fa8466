"""Functions on boxes that a file of PyTorch defines where it needs them."""

from __future__ import annotations

AS_CORNERS = '''
def as_corners(boxes: Tensor, form: str) -> Tensor:
    """Boxes as left, top, right and bottom, of x, y, width and height if form is "center"."""
    if form == "corner":
        return boxes
    middle, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([middle - half, middle + half], -1)
'''

AS_CENTERS = '''
def as_centers(boxes: Tensor, form: str) -> Tensor:
    """Boxes as x, y, width and height, of left, top, right and bottom if form is "corner"."""
    if form == "center":
        return boxes
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], -1)
'''

OVERLAPS = '''
def overlaps(first: Tensor, second: Tensor, form: str = "corner") -> Tensor:
    """The common area of boxes (..., m, 4) and (..., n, 4) by that of both: (..., m, n)."""
    a, b = as_corners(first, form).unsqueeze(-2), as_corners(second, form).unsqueeze(-3)
    low = torch.maximum(a[..., :2], b[..., :2])
    high = torch.minimum(a[..., 2:], b[..., 2:])
    common = (high - low).clamp(min=0).prod(-1)
    areas = [(box[..., 2:] - box[..., :2]).clamp(min=0).prod(-1) for box in (a, b)]
    union = areas[0] + areas[1] - common
    return common / union.where(union != 0, 1)
'''

DECODED = '''
def decoded(
    x: Tensor,
    anchors: Tensor,
    scales: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0),
    form: str = "center",
    limit: float | None = None,
) -> Tensor:
    """Boxes, as corners, of offsets from anchors: (n, boxes, 4)."""
    x, anchors = x * x.new_tensor(scales), as_centers(anchors, form)
    middle = anchors[..., :2] + x[..., :2] * anchors[..., 2:]
    grown = x[..., 2:] if limit is None else x[..., 2:].clamp(max=limit)
    half = grown.exp() * anchors[..., 2:] / 2
    return torch.cat([middle - half, middle + half], -1)
'''

SUPPRESSED = '''
def suppressed(
    x: Tensor,
    overlap: float,
    least: float,
    most: int | None = None,
    box: int = 2,
    score: int = 1,
    label: int | None = None,
    form: str = "corner",
    new_form: str = "corner",
    background: tuple[int, int] | None = None,
) -> Tensor:
    """Rows (..., boxes, numbers) without the boxes that overlap with one of a larger score.

    The largest come first; rows that are left over are -1. Only scores above `least` count, and
    the `most` largest of them; with a `label`, boxes suppress those of their own class only.
    """
    counts = x[..., score] > least
    if background is not None:
        counts = counts & (x[..., background[0]] != background[1])
    scores = x[..., score].masked_fill(~counts, -torch.inf)
    order = scores.sort(stable=True, dim=-1, descending=True)[1][..., :most]
    left = counts.take_along_dim(order, -1)
    rows = x.take_along_dim(order.unsqueeze(-1), -2)
    boxes = rows[..., box : box + 4]
    both = overlaps(boxes, boxes, form) > overlap
    if label is not None:
        both = both & (rows[..., :, None, label] == rows[..., None, :, label])
    both = both.triu(1)
    for i in range(rows.shape[-2]):  # each that is left removes those after it
        left = left & ~(both[..., i, :] & left[..., i : i + 1])
    if new_form != form:
        turned = (as_corners if new_form == "corner" else as_centers)(boxes, form)
        turned = torch.where(boxes[..., :1] < 0, boxes, turned)
        rows = torch.cat([rows[..., :box], turned, rows[..., box + 4 :]], -1)
    rows = rows.masked_fill(~left.unsqueeze(-1), -1)
    first = left.to(torch.int8).sort(stable=True, dim=-1, descending=True)[1]
    rows = rows.take_along_dim(first.unsqueeze(-1), -2)
    return F.pad(rows, (0, 0, 0, x.shape[-2] - rows.shape[-2]), value=-1)
'''

SHARES = '''
def shares(at: Tensor, size: int) -> Tensor:
    """The share of each of `size` pixels in points between them: (..., size)."""
    pixels, inside = torch.arange(size, device=at.device), (at >= -1) & (at <= size)
    distance = (at.clamp(0, size - 1).unsqueeze(-1) - pixels).abs()
    return (1 - distance).clamp(min=0) * inside.unsqueeze(-1)
'''

ALIGNED = '''
def aligned(
    x: Tensor,
    regions: Tensor,
    size: tuple[int, int],
    scale: float,
    samples: int | None = None,
    half_pixel: bool = False,
) -> Tensor:
    """The mean of points of each part of regions (place, left, top, right, bottom) of images."""
    made = []
    for region in regions:
        start, end = (region[1:] * scale - (0.5 if half_pixel else 0.0)).chunk(2)
        lengths = end - start if half_pixel else (end - start).clamp(min=1)
        along = []
        for i, parts, pixels in ((1, size[0], x.shape[2]), (0, size[1], x.shape[3])):
            count = samples or int((lengths[i] / parts).ceil())
            at = torch.arange(parts * count, dtype=x.dtype, device=x.device) + 0.5
            points = start[i] + at / count * lengths[i] / parts
            along.append(shares(points, pixels).unflatten(0, (parts, count)).mean(1))
        made.append(torch.einsum("chw,ih,jw->cij", x[region[0].long()], *along))
    return torch.stack(made)
'''

BOXES = {
    "as_corners": AS_CORNERS,
    "as_centers": AS_CENTERS,
    "overlaps": OVERLAPS,
    "decoded": DECODED,
    "suppressed": SUPPRESSED,
    "shares": SHARES,
    "aligned": ALIGNED,
}
"""The text of each, by name; those that it uses stand before it."""
