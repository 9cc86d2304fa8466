# on mxnet
net = ub.initialize(ub.build(Perceptron(), x.shape), seed=0)
print("a gluon.Block:", isinstance(net, nn.Block))
ub.initialize(mlp, seed=0)
print("as the one by hand:", bool((net(X) == mlp(X)).all()))
