"""The recurrent parts of layers."""

import torch

from families.vectors import normal, vector


def lstm():
    """The recurrent part alone: PyTorch's cells on gates as they are, with the identity as weights of the input."""
    t, n, h = 3, 2, 3

    def steps(cell, gates, first, reverse):
        state, kept = first, [None] * t
        for i in reversed(range(t)) if reverse else range(t):
            state = kept[i] = cell(gates[i], state)
        return kept

    def whole(reverse):
        def compute(gates, w, h0, c0):
            def cell(x, state):
                return torch.lstm_cell(x, state, torch.eye(4 * h), w.T, torch.zeros(4 * h), torch.zeros(4 * h))

            kept = steps(cell, gates, (h0, c0), reverse)
            return torch.stack([h for h, _ in kept]), torch.stack([c for _, c in kept])

        return compute

    def plain(torch_cell, reverse):
        def compute(gates, w, h0):
            def cell(x, state):
                return torch_cell(x, state, torch.eye(h), w.T, torch.zeros(h), torch.zeros(h))

            return torch.stack(steps(cell, gates, h0, reverse))

        return compute

    def gated(reverse):
        def compute(gates, w, h0, b):
            def cell(x, state):
                return torch.gru_cell(x, state, torch.eye(3 * h), w.T, torch.zeros(3 * h), b)

            return torch.stack(steps(cell, gates, h0, reverse))

        return compute

    made = []
    for reverse in (False, True):
        name = "reversed" if reverse else "in order"
        inputs = [normal(t, n, 4 * h), normal(h, 4 * h), normal(n, h), normal(n, h)]
        made.append(vector("lstm", name, {"reverse": reverse}, inputs, whole(reverse)))
        for activation, cell in (("tanh", torch.rnn_tanh_cell), ("relu", torch.rnn_relu_cell)):
            attrs = {"reverse": reverse, "activation": activation}
            inputs = [normal(t, n, h), normal(h, h), normal(n, h)]
            made.append(vector("rnn", f"{activation}, {name}", attrs, inputs, plain(cell, reverse)))
        inputs = [normal(t, n, 3 * h), normal(h, 3 * h), normal(n, h), normal(3 * h)]
        made.append(vector("gru", name, {"reverse": reverse}, inputs, gated(reverse)))
    return made
