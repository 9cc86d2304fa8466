# on tensorflow
class Halving(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(20)

    def call(self, X):
        H = self.dense(tf.nn.relu(self.dense(X)))  # the same layer twice
        while tf.reduce_sum(tf.abs(H)) > 1:
            H = H / 2
        return tf.reduce_sum(H)


class Chimera(keras.Model):  # keras.Sequential would make a graph, and the loop is none
    def __init__(self):
        super().__init__()
        self.blocks = [NestMLP(), layers.Dense(20), Halving()]

    def call(self, X):
        for block in self.blocks:
            X = block(X)
        return X


chimera = Chimera()
chimera(X)
ub.initialize(chimera, seed=0)
print(f"{float(chimera(X)):.5f}")
print(*[w.path for w in chimera.weights if w.name == "kernel"], sep="\n")
