# on torch
X.requires_grad_()
Y = mlp(X)  # 1 and 2
Y.sum().backward()  # 3
print("1. input:", tuple(X.shape))
print("2. output:", tuple(Y.shape))
print("3. gradient:", tuple(X.grad.shape), "of the input")
for name, p in mlp.named_parameters():
    print("4. keeps:", name, tuple(p.shape))
mlp.hidden.reset_parameters()  # 5
print("5. drawn anew, other output:", not torch.equal(mlp(X), Y))
