# on tensorflow
class MLP(keras.Model):
    def __init__(self, hidden_units=256, out_units=10):
        super().__init__()
        self.hidden = layers.Dense(hidden_units, activation="relu")
        self.out = layers.Dense(out_units)

    def call(self, X):
        H = self.hidden(X)  # (n, hidden_units)
        return self.out(H)  # (n, out_units)


mlp = MLP()
mlp(X)
ub.initialize(mlp, seed=0)
print(mlp(X).shape)
print("as the row computes:", bool(tf.reduce_all(mlp(X) == row(X))))
