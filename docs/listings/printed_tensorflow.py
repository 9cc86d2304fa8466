# on tensorflow
import keras
import tensorflow as tf
from keras import layers

X = tf.constant(x)


class FixedHiddenMLP(keras.Model):
    def __init__(self):
        super().__init__()
        self.flatten = layers.Flatten()
        self.rand_weight = tf.constant(drawn)  # not a variable
        self.dense = layers.Dense(20, activation="relu")

    def call(self, X):
        H = self.flatten(X)  # here the others call the dense layer
        H = tf.nn.relu(H @ self.rand_weight + 1)
        H = self.dense(H)  # its only use
        while tf.reduce_sum(tf.abs(H)) > 1:
            H = H / 2
        return tf.reduce_sum(H)


net = FixedHiddenMLP()
net(X)
ub.initialize(net.dense, seed=0)
outputs["TensorFlow"] = float(net(X))
print(f"output: {outputs['TensorFlow']:.5f}")
