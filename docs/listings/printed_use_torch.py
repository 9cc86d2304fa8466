# on torch
print("in a file:", list(net.state_dict()))
print("gradient:", tried(lambda: net(X).backward()))
print("graph:", tried(lambda: torch.export.export(net, (X,))))
