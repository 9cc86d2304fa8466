# on torch
print("trained:", [name for name, _ in net.named_parameters()])
print("in a file:", list(net.state_dict()))
net(X).backward()
print("gradient of the shared layer:", tuple(net.dense.weight.grad.shape))
