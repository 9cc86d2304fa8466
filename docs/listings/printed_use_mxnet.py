# on mxnet
def gradient():
    with autograd.record():
        total = net(X)
    total.backward()


print("in a file:", list(net._collect_params_with_prefix()))
print("gradient:", tried(gradient))
