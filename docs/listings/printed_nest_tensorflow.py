# on tensorflow
class NestMLP(keras.Model):
    def __init__(self):
        super().__init__()
        self.net = keras.Sequential(
            [layers.Dense(64, activation="relu"), layers.Dense(32, activation="relu")]
        )
        self.dense = layers.Dense(16, activation="relu")

    def call(self, X):
        return self.dense(self.net(X))


nest = NestMLP()
nest(X)
ub.initialize(nest, seed=0)
print(f"smallest output: {float(tf.reduce_min(nest(X))):.4f}")
