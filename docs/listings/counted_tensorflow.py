# on tensorflow
import keras
import tensorflow as tf
from keras import layers

X = tf.constant(x)
calls = []


class Counted(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(256, activation="relu")
        self.out = layers.Dense(10)

    def call(self, X):
        calls.append("Python ran")
        return self.out(self.hidden(X))


net = Counted()
net(X)
calls.clear()
for _ in range(3):
    net(X)
print("as Python:", len(calls))

calls.clear()
graph = tf.function(net)
graph(X)
recorded = len(calls)
for _ in range(3):
    graph(X)
print("as a graph:", len(calls) - recorded)
print("equal:", bool(tf.reduce_all(tf.abs(graph(X) - net(X)) < 1e-5)))
