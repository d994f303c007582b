"""Makes test/golden/video/similarity.json with scikit-image: structural similarity and peak signal-to-noise ratio of made-up frames. Run with
scikit-image 0.26 (pip install scikit-image==0.26.0): python test/golden/make_similarity.py
"""

import json
import pathlib

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

FILE = pathlib.Path(__file__).parent / "video" / "similarity.json"


def case(name, a, b, data_range):
    a, b = np.round(a, 6), np.round(b, 6)
    similarity = structural_similarity(a, b, data_range=data_range)
    noise = peak_signal_noise_ratio(a, b, data_range=data_range)
    numbers = {"a": a.flatten().tolist(), "b": b.flatten().tolist()}
    return {"name": name, "height": a.shape[0], "width": a.shape[1], "range": data_range, "similarity": similarity, "noise": noise, **numbers}


def cases():
    random = np.random.default_rng(1)
    x = random.random((12, 9))
    yield case("noise", x, random.random((12, 9)), 1)
    yield case("noise, of another range", x, random.random((12, 9)), 2)
    yield case("alike but for little", x, np.clip(x + 0.05 * random.standard_normal((12, 9)), 0, 1), 1)
    black = np.zeros((10, 14))
    digit = black.copy()
    digit[3:8, 2:6] = 0.9
    yield case("a digit beside black", black, digit, 1)
    yield case("a digit that has moved", digit, np.roll(digit, 2, 1), 1)
    yield case("one window", random.random((7, 7)), random.random((7, 7)), 1)


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(list(cases())) + "\n")
