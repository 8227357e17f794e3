"""The numbers of logistic_regression_test.cpp: Newton's method in float64 on the data that the test makes too.

    python tests/training/make_logistic_golden.py
"""
import torch

n, f, k, penalty = 60, 3, 3, 1e-2
x = torch.tensor([[float((7 * i + 3 * j + (i * j) % 5) % 11) for j in range(f)] for i in range(n)], dtype=torch.float64)
y = torch.tensor([(0 if x[i, 0] + x[i, 1] < 9 else (1 if x[i, 2] < 6 else 2)) if i % 9 else i % k for i in range(n)])
z = (x - x.mean(0)) / x.std(0, unbiased=False)


def objective(p):
    p = p.reshape(k, f + 1)
    return torch.nn.functional.cross_entropy(z @ p[:, :f].T + p[:, f], y) + penalty / 2 * (p[:, :f] ** 2).sum()


p = torch.zeros(k * (f + 1), dtype=torch.float64)
for _ in range(30):  # the bias is determined up to a constant: the pseudo-inverse keeps its mean at 0
    g = torch.autograd.functional.jacobian(objective, p)
    p = p - torch.linalg.pinv(torch.autograd.functional.hessian(objective, p)) @ g
print("largest slope", float(g.abs().max()), "objective", repr(float(objective(p))))
w = p.reshape(k, f + 1)
raw = w[:, :f] / x.std(0, unbiased=False)
print("weight", [round(float(v), 9) for v in raw.flatten()])
print("bias", [round(float(v), 9) for v in w[:, f] - raw @ x.mean(0)])
print("classes", [int(v) for v in (z @ w[:, :f].T + w[:, f]).argmax(1)])
