# on mxnet
params = net._collect_params_with_prefix()
print("trained:", [name for name, p in params.items() if p.grad_req != "null"])
print("in a file:", list(params))
with autograd.record():
    total = net(X)
total.backward()
print("gradient of the shared layer:", net.dense.weight.grad().shape)
