# on tensorflow
print("trained:", [w.name for w in net.trainable_weights])
print("in a file:", [w.name for w in net.weights])
with tf.GradientTape() as tape:
    total = net(X)
gradients = tape.gradient(total, net.trainable_weights)
print("gradient of the shared layer:", tuple(gradients[0].shape))
