# on tensorflow
import keras
import tensorflow as tf
from keras import layers

X = tf.constant(x)


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
print(nest(X).shape)
