"""Makes test/golden/solvers/lbfgsb.json: SciPy's L-BFGS-B on the problems of test/unit/solvers/problems.ts, in float64: its end
to the tightest tolerances, and its iterates; and test/golden/solvers/line-search.json: the steps of SciPy's dcsrch on functions
of Moré & Thuente 1994, section 5. Run with any SciPy >= 1.15: python test/golden/make_lbfgsb.py
"""

import json
import pathlib

import numpy as np
from scipy.optimize import minimize
from scipy.optimize._dcsrch import DCSRCH

FOLDER = pathlib.Path(__file__).parent / "solvers"


def rosenbrock(x):
    bend, rest = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    g = np.zeros_like(x)
    g[:-1] += -400 * bend * x[:-1] - 2 * rest
    g[1:] += 200 * bend
    return (100 * bend**2 + rest**2).sum(), g


def driver(x):
    bend = x[1:] - x[:-1] ** 2
    g = np.zeros_like(x)
    g[0] = 2 * (x[0] - 1)
    g[1:] += 8 * bend
    g[:-1] -= 16 * bend * x[:-1]
    return 4 * (0.25 * (x[0] - 1) ** 2 + (bend**2).sum()), g


def hs3(x):
    d = x[1] - x[0]
    return x[1] + 1e-5 * d**2, np.array([-2e-5 * d, 1 + 2e-5 * d])


def hs4(x):
    return (x[0] + 1) ** 3 / 3 + x[1], np.array([(x[0] + 1) ** 2, 1])


def hs5(x):
    a, b = x
    wave = np.cos(a + b)
    value = np.sin(a + b) + (a - b) ** 2 - 1.5 * a + 2.5 * b + 1
    return value, np.array([wave + 2 * (a - b) - 1.5, wave - 2 * (a - b) + 2.5])


def colville(x):
    a, b, c, d = x
    u, v = b - a * a, d - c * c
    value = 100 * u * u + (1 - a) ** 2 + 90 * v * v + (1 - c) ** 2
    value += 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1)
    cross = [20.2 * (b - 1) + 19.8 * (d - 1), 20.2 * (d - 1) + 19.8 * (b - 1)]
    return value, np.array([-400 * a * u - 2 * (1 - a), 200 * u + cross[0], -360 * c * v - 2 * (1 - c), 180 * v + cross[1]])


def hs45(x):
    return 2 - x.prod() / 120, -x.prod() / x / 120


def hs110(x):
    product, low, high = x.prod() ** 0.2, np.log(x - 2), np.log(10 - x)
    return (low**2 + high**2).sum() - product, 2 * low / (x - 2) - 2 * high / (10 - x) - 0.2 * product / x


def beale(x):
    a, b = x
    power = np.arange(1, 4)
    rest = np.array([1.5, 2.25, 2.625]) - a * (1 - b**power)
    return (rest**2).sum(), np.array([(-2 * rest * (1 - b**power)).sum(), (2 * rest * a * power * b ** (power - 1)).sum()])


def powell(x):
    a, b, c, d = x
    p, q, r, s = a + 10 * b, c - d, b - 2 * c, a - d
    g = [2 * p + 40 * s**3, 20 * p + 4 * r**3, 10 * q - 8 * r**3, -10 * q - 40 * s**3]
    return p**2 + 5 * q**2 + r**4 + 10 * s**4, np.array(g)


def quadratic(x):
    product = 2.01 * x
    product[1:] -= x[:-1]
    product[:-1] -= x[1:]
    b = np.sin(np.arange(len(x)) + 1)
    return 0.5 * x @ product - b @ x, product - b


def logistic(w):
    n, j = np.arange(60)[:, None], np.arange(len(w))
    signed = np.where(np.cos(3 * n) > 0, 1, -1) * np.sin(1 + 1.7 * n + 0.9 * j * n + j)
    margin = signed @ w
    value = np.log1p(np.exp(-margin)).mean() + w @ w / 200
    return value, -(signed / (1 + np.exp(margin))[:, None]).mean(0) + w / 100


def alternating(n, a, b):
    return [a if i % 2 == 0 else b for i in range(n)]


INF = np.inf
PROBLEMS = {
    "rosenbrock 2": (rosenbrock, [-1.2, 1], [-2, -2], [0.8, 2]),
    "rosenbrock 10": (rosenbrock, alternating(10, -1.2, 1), [-1.5] * 10, alternating(10, 0.7, 2)),
    "rosenbrock 100": (rosenbrock, alternating(100, -1.2, 1), [-30] * 100, [0.9] * 100),
    "rosenbrock 20, open": (rosenbrock, alternating(20, -1.2, 1), [-INF] * 20, [INF] * 20),
    "driver 25": (driver, [3] * 25, alternating(25, 1, -100), [100] * 25),
    "hs1": (rosenbrock, [-2, 1], [-INF, -1.5], [INF] * 2),
    "hs2": (rosenbrock, [-2, 1], [-INF, 1.5], [INF] * 2),
    "hs3": (hs3, [10, 1], [-INF, 0], [INF] * 2),
    "hs4": (hs4, [1.125, 0.125], [1, 0], [INF] * 2),
    "hs5": (hs5, [0, 0], [-1.5, -3], [4, 3]),
    "hs38": (colville, [-3, -1, -3, -1], [-10] * 4, [10] * 4),
    "hs45": (hs45, [0.5] * 5, [0] * 5, [1, 2, 3, 4, 5]),
    "hs110": (hs110, [9] * 10, [2.001] * 10, [9.999] * 10),
    "beale": (beale, [1, 1], [0.6, 0.5], [10, 100]),
    "powell": (powell, [3, -1, 0, 1], [0.1, -20, -20, -20], [100, 20, 20, 0.2]),
    "quadratic 50": (quadratic, [0.5] * 50, [0] * 50, [1] * 50),
    "logistic 10": (logistic, [0] * 10, [-0.5] * 10, alternating(10, 0.25, 2)),
}


def solve(name, f, x0, lower, upper):
    values = []
    options = {"maxcor": 5, "ftol": 0, "gtol": 1e-10, "maxiter": 2000, "maxfun": 20000}
    bounds = list(zip(lower, upper))
    result = minimize(f, np.array(x0, float), jac=True, method="L-BFGS-B", bounds=bounds, options=options,
                      callback=lambda intermediate_result: values.append(intermediate_result.fun))
    return {
        "name": name,
        "x": result.x.tolist(),
        "value": result.fun,
        "start": f(np.array(x0, float))[0],
        "iterations": result.nit,
        "evaluations": result.nfev,
        "values": values[:30],
    }


def root(b, t):
    return np.sqrt(b * b + t * t)


def yanai(t, a, b):
    scale = [root(a, 1) - a, root(b, 1) - b]
    value = scale[0] * root(b, 1 - t) + scale[1] * root(a, t)
    return value, scale[0] * (t - 1) / root(b, 1 - t) + scale[1] * t / root(a, t)


# Names, functions of t giving value and slope, and the conditions with which the paper searches them.
LINES = {
    "5.1": (lambda t: (-t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2), 1e-3, 1e-1),
    "5.2": (lambda t: ((t + 0.004) ** 5 - 2 * (t + 0.004) ** 4, 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3), 1e-1, 1e-1),
    "5.4": (lambda t: yanai(t, 0.001, 0.001), 1e-3, 1e-3),
    "5.5": (lambda t: yanai(t, 0.01, 0.001), 1e-3, 1e-3),
    "5.6": (lambda t: yanai(t, 0.001, 0.01), 1e-3, 1e-3),
    "loose": (lambda t: (t**4 / 4 - t + np.sin(9 * t) / 20, t**3 - 1 + 0.45 * np.cos(9 * t)), 1e-3, 0.9),
    "narrow": (lambda t: (abs(t - 0.3) - 0.5 * t, (1 if t > 0.3 else -1) - 0.5), 1e-3, 1e-3),
}


def search(name, line, ftol, gtol, first):
    finder = DCSRCH(None, None, ftol, gtol, 0.1, 0, 100)
    (value, slope), steps = line(0), []
    start, (step, value, slope, task) = (value, slope), finder._iterate(first, value, slope, b"START")
    while task[:2] == b"FG":
        steps.append(step)
        value, slope = line(step)
        step, value, slope, task = finder._iterate(step, value, slope, task)
    return {"name": name, "decrease": ftol, "curvature": gtol, "start": start, "steps": steps}


def write(file, items):
    lines = ",\n".join(json.dumps(item) for item in items)
    (FOLDER / file).write_text(f"[\n{lines}\n]\n")


def main():
    FOLDER.mkdir(exist_ok=True)
    write("lbfgsb.json", [solve(name, *problem) for name, problem in PROBLEMS.items()])
    firsts = (1e-3, 1e-1, 1, 10, 100)
    write("line-search.json", [search(name, *line, first) for name, line in LINES.items() for first in firsts])


if __name__ == "__main__":
    main()
