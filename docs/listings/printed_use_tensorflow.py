# on tensorflow
def gradient():
    with tf.GradientTape() as tape:
        total = net(X)
    return tape.gradient(total, net.trainable_weights)


print("in a file:", [w.name for w in net.weights])
print("gradient:", tried(gradient))
print("graph:", tried(lambda: tf.function(net)(X)))
print("in keras.Sequential:", tried(lambda: keras.Sequential([FixedHiddenMLP()])(X)))
