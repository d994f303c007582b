"""Makes the golden vectors of test/golden/*.json with PyTorch in float64: outputs and gradients of each op, along random
cotangents, in the attributes of native/program/FORMAT.md. Run with any PyTorch >= 2.0: python test/golden/make_golden.py
"""

import json
import pathlib

from families.alignments import ctc
from families.functions import composed, losses
from families.moves import gather, reduce, reshape, scan
from families.products import ceil_pool2d, conv2d, lrn, matmul, pool2d, unfold
from families.recurrent import lstm
from families.rows import nonlinearity, norm, normalise, smoothed, softmax

FOLDER = pathlib.Path(__file__).parent
# All draw from one stream of random numbers: a new one comes last.
FAMILIES = (
    *(reduce, reshape, matmul, conv2d, pool2d, softmax, gather, lrn, ceil_pool2d, unfold, lstm, norm),
    *(nonlinearity, normalise, scan, losses, composed, smoothed, ctc),
)


def main():
    for family in FAMILIES:
        lines = ",\n".join(json.dumps(item) for item in family())
        (FOLDER / f"{family.__name__}.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
