# on tensorflow
import keras
import tensorflow as tf
from keras import layers

X = tf.constant(x)


class Listed(keras.Model):
    def __init__(self, *blocks):
        super().__init__()
        self.blocks = list(blocks)

    def call(self, X):
        for block in self.blocks:
            X = block(X)
        return X


net = Listed(layers.Dense(8, activation="relu"), layers.Dense(4))
print("computes:", tuple(net(X).shape))
print("parameters:", len(net.trainable_weights))
print(*ub.check(net) or ["hidden: nothing"])
