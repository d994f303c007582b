// The cells of recurrent networks and their derivatives, one unit of one stream at one step. Host and device code
// include this file. Letters as in lib/ops: i, f, g, o of an LSTM; r, z, n of gated recurrent units, s_n the inner part
// of n.
#pragma once

#include "math/functions.h"

namespace ostrich::math {

// From pre-activations to activated gates; then c from the c before, and h.
struct LstmGates {
  float i, f, g, o;
};
struct LstmState {
  float h, c;
};

OSTRICH_HD LstmGates lstm_gates(float i, float f, float g, float o) {
  return {sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)};
}

OSTRICH_HD LstmState lstm_state(const LstmGates& a, float c_before) {
  const float c = a.f * c_before + a.i * a.g;
  return {a.o * tanh(c), c};
}

// Gradients of the pre-activations, and of the c before.
struct LstmGradient {
  float i, f, g, o, c_before;
};

OSTRICH_HD LstmGradient lstm_gradient(const LstmGates& a, float c, float c_before, float dh, float dc) {
  const float t = tanh(c);
  const float all = dc + dh * a.o * (1.0f - t * t);
  return {all * a.g * a.i * (1.0f - a.i), all * c_before * a.f * (1.0f - a.f), all * a.i * (1.0f - a.g * a.g),
          dh * t * a.o * (1.0f - a.o), all * a.f};
}

struct GruGates {
  float r, z, n;
};

OSTRICH_HD GruGates gru_gates(float r, float z, float n, float s_n) {
  const float reset = sigmoid(r);
  return {reset, sigmoid(z), tanh(n + reset * s_n)};
}

OSTRICH_HD float gru_state(const GruGates& a, float h_before) { return a.n + a.z * (h_before - a.n); }

// Gradients of the pre-activations; the inner part of n has that of n times r. `h_before` is the part that goes past
// the product.
struct GruGradient {
  float r, z, n, h_before;
};

OSTRICH_HD GruGradient gru_gradient(const GruGates& a, float s_n, float h_before, float dh) {
  const float dn = dh * (1.0f - a.z) * (1.0f - a.n * a.n);
  return {dn * s_n * a.r * (1.0f - a.r), dh * (h_before - a.n) * a.z * (1.0f - a.z), dn, dh * a.z};
}

// Both activations of a plain network have a derivative that their value tells.
OSTRICH_HD float rnn_state(float x, bool relu) { return relu ? (x < 0.0f ? 0.0f : x) : tanh(x); }
OSTRICH_HD float rnn_gradient(float h, float dh, bool relu) {
  return relu ? (h > 0.0f ? dh : 0.0f) : dh * (1.0f - h * h);
}

}  // namespace ostrich::math
