# on mxnet
def unit():
    return nn.Dense(20, activation="relu")


def in_a_row(*blocks):
    made = nn.Sequential()
    made.add(*blocks)
    made.initialize()
    return made


one = unit()
for net in (in_a_row(*(unit() for _ in range(3))), in_a_row(one, one, one)):
    print(net(X).shape, len(net.collect_params().keys()), "parameters")
