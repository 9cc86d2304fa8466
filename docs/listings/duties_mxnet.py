# on mxnet
X.attach_grad()
with autograd.record():
    Y = mlp(X)  # 1 and 2
Y.backward()  # 3
print("1. input:", X.shape)
print("2. output:", Y.shape)
print("3. gradient:", X.grad.shape, "of the input")
for name, p in mlp._collect_params_with_prefix().items():
    print("4. keeps:", name, p.shape)
mlp.hidden.initialize(force_reinit=True)  # 5
print("5. drawn anew, other output:", bool((mlp(X) != Y).any()))
