# on tensorflow
def unit():
    return keras.Sequential([layers.Dense(20, activation="relu")])


deep = Listed(*(unit() for _ in range(3)))
one = unit()
same = Listed(one, one, one)
for net in (deep, same):
    print(tuple(net(X).shape), len(net.trainable_weights), "parameters")
