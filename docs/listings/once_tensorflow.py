# on tensorflow
net = ub.initialize(ub.build(Perceptron(), x.shape), seed=0)
print("a keras.Model:", isinstance(net, keras.Model))
ub.initialize(mlp, seed=0)
print("as the one by hand:", bool(tf.reduce_all(net(X) == mlp(X))))
