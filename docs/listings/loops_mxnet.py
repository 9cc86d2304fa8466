# on mxnet
class Halved(nn.HybridBlock):
    def hybrid_forward(self, F, X):
        while F.np.sum(X) > 1:
            X = X / 2
        return X


halved = Halved()
halved.hybridize()
print("one by hand:", tried(lambda: halved(X)))
ours = ub.initialize(ub.build(ub.FixedHiddenMLP(20), x.shape), seed=0)
plain = float(ours(X))
ours.hybridize()
print(f"the library's: {plain:.5f} as Python, {float(ours(X)):.5f} as a graph")
