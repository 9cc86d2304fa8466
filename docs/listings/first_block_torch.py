# on torch
import torch

net = Perceptron.on("torch")(256, 10)
ub.initialize(ub.build(net, x.shape), seed=0)
print(isinstance(net, torch.nn.Module), isinstance(net.hidden, torch.nn.Linear))

X, y = torch.from_numpy(x), torch.tensor([3, 7])
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(net(X), y)
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.4f}")
