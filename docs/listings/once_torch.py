# on torch
net = ub.initialize(ub.build(Perceptron(), x.shape), seed=0)
print("an nn.Module:", isinstance(net, nn.Module))
ub.initialize(mlp, seed=0)
print("as the one by hand:", torch.equal(net(X), mlp(X)))
