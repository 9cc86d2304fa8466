# on mxnet
from mxnet import autograd, np, npx
from mxnet.gluon import nn

npx.set_np()
X = np.array(x)

row = nn.Sequential()
row.add(nn.Dense(256, activation="relu"), nn.Dense(10))
row.initialize()
row(X)  # the first call finds the width of the input
ub.initialize(row, seed=0)
print(row(X).shape)
ub.to_numpy(row(X))[0, :4].round(4)
