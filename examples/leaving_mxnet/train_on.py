"""The network that `unified-blocks port` wrote, without MXNet: used, and trained on.

`python train_on.py net` takes the folder of `net.py`.
"""

import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
from net import load  # noqa: E402

digits = load_digits()
images = torch.tensor(digits.images[:, None] / 16, dtype=torch.float32)
labels = torch.tensor(digits.target)
net = load(str(folder / "net.safetensors"))


def accuracy():
    """The share of the last 360 images that are told right."""
    with torch.no_grad():
        answer = net.eval()(images[1437:]).argmax(1)
    return (answer == labels[1437:]).float().mean().item()


print(f"PyTorch: {accuracy():.4f} of the test images are told right")
torch.manual_seed(0)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
for _ in range(2):
    net.train()
    for batch in torch.randperm(1437).split(64):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(images[batch]), labels[batch]).backward()
        optimizer.step()
print(f"PyTorch, two epochs later: {accuracy():.4f}")
