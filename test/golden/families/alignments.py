"""Losses of rows of labels that nobody has aligned with their frames."""

import torch
import torch.nn.functional as F

from families.vectors import normal, vector


def ctc():
    """Rows of random lengths, half of them as many labels as fit; a third of the cases over two labels, where repeats are many. A row that
    does not fit is not among them: PyTorch's gradient of it is no number."""
    below = lambda n: torch.randint(n, ()).item()

    def fitting(labels, frames):
        repeats = lambda n: (labels[1:n] == labels[: max(n - 1, 0)]).sum().item()
        return [n for n in range(len(labels) + 1) if n + repeats(n) <= frames]

    made = []
    for case in range(60):
        classes = 3 if case % 3 == 0 else 2 + below(5)
        frames, rows, longest = 1 + below(8), 1 + below(2), 1 + below(5)
        blank = 0 if case % 2 == 0 else below(classes)
        symbols = torch.tensor([k for k in range(classes) if k != blank])
        labels = symbols[torch.randint(len(symbols), (rows, longest))]
        seen = torch.tensor([frames - below(1 + frames // 2) for _ in range(rows)])
        fits = [fitting(own, room) for own, room in zip(labels, seen.tolist())]
        counts = torch.tensor([own[-1] if below(2) else own[below(len(own))] for own in fits])

        def loss(x, y, counts, seen):
            return F.ctc_loss(x.log_softmax(-1), y, seen, counts, blank=blank, reduction="none")

        name = f"{case}: {frames} frames, {classes} classes, labels {counts.tolist()}"
        inputs = [normal(frames, rows, classes) * 2, labels, counts, seen]
        made.append(vector("ctc", name, {"blank": blank, "impossible": "error"}, inputs, loss))
    return made
