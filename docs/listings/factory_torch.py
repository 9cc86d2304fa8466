# on torch
def unit():
    return nn.Sequential(nn.Linear(20, 20), nn.ReLU())


deep = nn.Sequential(*(unit() for _ in range(3)))
one = unit()
same = nn.Sequential(one, one, one)
for net in (deep, same):
    print(tuple(net(X).shape), len(list(net.parameters())), "parameters")
