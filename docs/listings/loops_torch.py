# on torch
print("the one by hand:", tried(lambda: torch.export.export(net, (X,))))
ours = ub.initialize(ub.build(ub.FixedHiddenMLP(20), x.shape), seed=0)
graph = torch.export.export(ours, (X,)).module()
print(f"the library's: {float(ours(X)):.5f} as Python, {float(graph(X)):.5f} as a graph")
