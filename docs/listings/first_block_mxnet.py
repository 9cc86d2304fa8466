# on mxnet
from mxnet import autograd, gluon, npx
from mxnet import np as mnp

npx.set_np()
net = Perceptron.on("mxnet")(256, 10)
ub.initialize(ub.build(net, x.shape), seed=0)
print(isinstance(net, gluon.HybridBlock), isinstance(net.hidden, gluon.nn.Dense))

X, y = mnp.array(x), mnp.array([3, 7])
cross_entropy = gluon.loss.SoftmaxCrossEntropyLoss()
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
for _ in range(3):
    with autograd.record():
        loss = cross_entropy(net(X), y).mean()
    loss.backward()
    trainer.step(1)
    print(f"{loss.item():.4f}")
