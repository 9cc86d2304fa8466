# on tensorflow
import keras
import tensorflow as tf

net = Perceptron.on("tensorflow")(256, 10)
ub.initialize(ub.build(net, x.shape), seed=0)
print(isinstance(net, keras.Model), isinstance(net.hidden, keras.layers.Dense))

X, y = tf.constant(x), tf.constant([3, 7])
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.SGD(0.1)
for _ in range(3):
    with tf.GradientTape() as tape:
        loss = cross_entropy(y, net(X))
    optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
    print(f"{loss.numpy():.4f}")
