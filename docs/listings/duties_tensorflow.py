# on tensorflow
with tf.GradientTape() as tape:
    tape.watch(X)
    Y = mlp(X)  # 1 and 2
    total = tf.reduce_sum(Y)
gradient = tape.gradient(total, X)  # 3
print("1. input:", tuple(X.shape))
print("2. output:", tuple(Y.shape))
print("3. gradient:", tuple(gradient.shape), "of the input")
for w in mlp.weights:
    print("4. keeps:", w.name, tuple(w.shape))
kernel = mlp.hidden.kernel
kernel.assign(mlp.hidden.kernel_initializer(kernel.shape))  # 5
print("5. drawn anew, other output:", bool(tf.reduce_any(mlp(X) != Y)))
