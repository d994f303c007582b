"""The nearest images of other classes, one image after the other: SciPy's L-BFGS-B driving PyTorch's gradients.

Arguments: a safetensors file with the images `x` [N, 784], their labels to reach `target`, and the weights of a perceptron with
sigmoid layers; the values of c that each image tries; the history; both tolerances; threads; `image` or `resume`, where each c starts.
Prints one line of JSON: seconds, distortion of each image (null where the label was not reached), evaluations.
"""
import json
import sys
import time

import numpy
import scipy
import torch
from scipy.optimize import minimize

from tensor_file import read_tensors


def layers_of(tensors):
    """[(weight, bias)] of linear1, linear2, ..."""
    found = []
    while True:
        name = next((key for key in tensors if key.endswith(f'linear{len(found) + 1}/w')), None)
        if name is None:
            return found
        found.append((torch.tensor(tensors[name]), torch.tensor(tensors[name[:-1] + 'b'])))


def logits_of(layers, x):
    for weight, bias in layers[:-1]:
        x = torch.sigmoid(torch.nn.functional.linear(x, weight, bias))
    return torch.nn.functional.linear(x, *layers[-1])


def attack(layers, image, target, rounds, options, resume):
    """Distortion at the largest c that reaches the label, c by powers of ten and then between; None where none does."""
    goal, start = torch.tensor([target]), torch.tensor(image)
    evaluations, best, low, high, c = 0, None, 0.0, float('inf'), 1.0
    x = image.astype(numpy.float64)
    for _ in range(rounds):
        def f(z):
            point = torch.tensor(z, dtype=torch.float32, requires_grad=True)
            away = point - start
            loss = c * (away * away).sum() + torch.nn.functional.cross_entropy(logits_of(layers, point[None]), goal)
            loss.backward()
            return loss.item(), point.grad.numpy().astype(numpy.float64)

        found = minimize(f, x if resume else image.astype(numpy.float64), jac=True, method='L-BFGS-B',
                         bounds=[(0, 1)] * len(image), options=options)
        x = found.x
        evaluations += found.nfev
        with torch.no_grad():
            reached = logits_of(layers, torch.tensor(found.x, dtype=torch.float32)[None]).argmax().item() == target
        if reached:
            low = c
            distortion = float(numpy.sqrt(numpy.mean((found.x - image) ** 2)))
            best = distortion if best is None else min(best, distortion)
        else:
            high = c
        c = high / 10 if low == 0 else low * 10 if high == float('inf') else (low * high) ** 0.5
    return best, evaluations


if __name__ == '__main__':
    path, rounds, history, value_tolerance, gradient_tolerance, threads, start = sys.argv[1:]
    torch.set_num_threads(int(threads))
    tensors = read_tensors(path)
    layers = layers_of(tensors)
    options = {'maxcor': int(history), 'ftol': float(value_tolerance), 'gtol': float(gradient_tolerance), 'maxfun': 1000}
    images, targets = tensors['x'], tensors['target']
    attack(layers, images[0], int(targets[0]), 2, options, False)
    began = time.perf_counter()
    found = [attack(layers, image, int(target), int(rounds), options, start == 'resume')
             for image, target in zip(images, targets)]
    print(json.dumps({
        'name': f'scipy {scipy.__version__} L-BFGS-B, torch {torch.__version__}',
        'seconds': time.perf_counter() - began,
        'distortions': [distortion for distortion, _ in found],
        'evaluations': sum(count for _, count in found) / len(found),
    }), flush=True)
