# on tensorflow
import keras
import tensorflow as tf
from keras import layers

X = tf.constant(x)


class FixedHiddenMLP(keras.Model):
    def __init__(self):
        super().__init__()
        self.rand_weight = keras.Variable(drawn, trainable=False, name="rand_weight")
        self.dense = layers.Dense(20, activation="relu")

    def call(self, X):
        H = self.dense(X)  # (n, 20)
        H = tf.nn.relu(H @ self.rand_weight + 1)  # (n, 20)
        H = self.dense(H)  # the same layer
        while tf.reduce_sum(tf.abs(H)) > 1:
            H = H / 2
        return tf.reduce_sum(H)  # ()


net = FixedHiddenMLP()
net(X)
ub.initialize(net.dense, seed=0)
print(f"{float(net(X)):.5f}")
