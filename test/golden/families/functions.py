"""Functions that are made of ops: losses, and others."""

import torch
import torch.nn.functional as F

from families.vectors import normal, vector


def losses():
    """Not of ops: of functions of lib/nn, with the names of what comes after their operands in `takes`."""
    logits, labels, weights = normal(4, 3), torch.tensor([0, 2, 1, 2]), torch.tensor([0.5, 1, 2])
    mask = torch.tensor([1, 0, 1, 1], dtype=torch.uint8)
    a, b, c = normal(4, 3), normal(4, 3), normal(4, 3)
    targets, alike = torch.rand(4, 3).mul(16).round() / 16, torch.tensor([1, 0, 0, 1], dtype=torch.uint8)
    signs = alike.to(torch.float64) * 2 - 1
    apart = torch.arange(12.0).reshape(4, 3) / 4 - 1.4
    kept = lambda values: values[mask.bool()].mean()
    each = {"reduction": "none"}

    def entropy(x, y):
        return F.cross_entropy(x, y, weight=weights, label_smoothing=0.1)

    def masked(x, y, m):
        rows = m.bool()
        return F.cross_entropy(x[rows], y[rows], weight=weights, label_smoothing=0.1)

    return [
        vector("crossEntropy()", "plain", {"takes": []}, [logits, labels], F.cross_entropy),
        vector("crossEntropy()", "smoothed", {"takes": [], "smoothing": 0.1}, [logits, labels],
               lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1)),
        vector("crossEntropy()", "weighted", {"takes": [], "smoothing": 0.1, "weights": weights.tolist()}, [logits, labels], entropy),
        vector("crossEntropy()", "masked", {"takes": ["mask"], "smoothing": 0.1, "weights": weights.tolist()},
               [logits, labels, mask], masked),
        vector("crossEntropy()", "a mask alone", {"takes": ["mask"]}, [logits, labels, mask],
               lambda x, y, m: F.cross_entropy(x[m.bool()], y[m.bool()])),
        vector("binaryCrossEntropy()", "weighted", {"takes": [], "positiveWeight": 3}, [a, targets],
               lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=torch.tensor(3.0))),
        vector("meanAbsoluteError()", "plain", {"takes": []}, [a, apart], F.l1_loss),
        vector("huber()", "a delta", {"takes": [], "delta": 0.5}, [a, apart], lambda x, y: F.huber_loss(x, y, delta=0.5)),
        vector("meanSquaredError()", "masked", {"takes": ["mask"]}, [a[0], b[0], torch.tensor([1, 0, 1], dtype=torch.uint8)],
               lambda x, y, m: F.mse_loss(x[m.bool()], y[m.bool()])),
        vector("cosineEmbedding()", "a margin", {"takes": [], "margin": 0.2}, [a, b, alike],
               lambda x, y, _: F.cosine_embedding_loss(x, y, signs, margin=0.2)),
        vector("tripletMargin()", "plain", {"takes": []}, [a, b, c], lambda x, y, z: F.triplet_margin_loss(x, y, z)),
        vector("tripletMargin()", "masked", {"takes": ["mask"], "margin": 2}, [a, b, c, mask],
               lambda x, y, z, m: kept(F.triplet_margin_loss(x, y, z, margin=2, **each))),
    ]


def composed():
    """Functions of lib/ops that are made of others, by name; `attrs` are their options."""
    x, w, bias = normal(2, 4, 3, 4), normal(4, 3, 3, 2), normal(3)
    line, taps = normal(2, 4, 7), normal(6, 2, 3)
    return [
        vector("conv1d()", "in groups", {"stride": 2, "padding": 1, "groups": 2}, [line, taps, normal(6)],
               lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1, groups=2)),
        vector("convTranspose2d()", "strided", {"stride": 2, "padding": 1, "outputPadding": 1}, [x, w, bias],
               lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=1)),
        vector("globalAvgPool2d()", "images", {}, [x], lambda x: x.mean([2, 3])),
        vector("upsample2d()", "twice", {"factor": 2}, [x], lambda x: F.interpolate(x, scale_factor=2, mode="nearest")),
        vector("upsample2d()", "between", {"factor": 3, "by": "bilinear"}, [x],
               lambda x: F.interpolate(x, scale_factor=3, mode="bilinear", align_corners=False)),
    ]
