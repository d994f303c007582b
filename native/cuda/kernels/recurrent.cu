// The cells of recurrent networks at one step: a thread for each unit of each stream. A masked stream keeps its state,
// and its gradients go past the step.
#include "cuda/kernels/device.h"
#include "cuda/kernels/recurrent.h"
#include "math/recurrent.h"

namespace ostrich::cuda {
namespace {

// Calls body(i, row, unit, live) for every unit of every stream.
template <class Body>
OSTRICH_DEVICE void for_units(const RecurrentArgs& args, Body body) {
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    const int64_t row = quotient(i, args.units), unit = i - row * args.units.divisor;
    body(i, row, unit, args.mask == nullptr || args.mask[row] != 0);
  }
}

// Element of part `part` of [N, parts * H].
template <class T>
OSTRICH_DEVICE int64_t place_of(const T& args, int64_t row, int64_t unit, int parts, int part) {
  return (row * parts + part) * args.units.divisor + unit;
}

template <class Kind>
struct As {
  using T = typename Kind::Stored;
  OSTRICH_DEVICE float load(const void* data, int64_t i) { return Kind::load(static_cast<const T*>(data)[i]); }
  OSTRICH_DEVICE void store(void* data, int64_t i, float x) { static_cast<T*>(data)[i] = Kind::store(x); }
};

// Gradient of h at this step: from outside, from the product of the step after, and past it.
template <class Kind>
OSTRICH_DEVICE float joined(const RecurrentArgs& args, int64_t i) {
  const float dh = As<Kind>::load(args.dh, i);
  return args.first ? dh : dh + args.product[i] + args.held[i];
}

template <class Kind>
OSTRICH_DEVICE void lstm_cell(const RecurrentArgs& args) {
  using In = As<Kind>;
  for_units(args, [&](int64_t i, int64_t row, int64_t unit, bool live) {
    int64_t at[4];
    for (int part = 0; part < 4; ++part) at[part] = place_of(args, row, unit, 4, part);
    if (!live) {
      for (int part = 0; part < 4; ++part) In::store(args.activated, at[part], 0.0f);
      args.c[i] = args.c_before[i];
      In::store(args.h, i, In::load(args.h_before, i));
      return;
    }
    float z[4];
    for (int part = 0; part < 4; ++part) z[part] = In::load(args.gates, at[part]) + args.product[at[part]];
    const math::LstmGates a = math::lstm_gates(z[0], z[1], z[2], z[3]);
    const math::LstmState state = math::lstm_state(a, args.c_before[i]);
    In::store(args.activated, at[0], a.i);
    In::store(args.activated, at[1], a.f);
    In::store(args.activated, at[2], a.g);
    In::store(args.activated, at[3], a.o);
    args.c[i] = state.c;
    In::store(args.h, i, state.h);
  });
}

template <class Kind>
OSTRICH_DEVICE void lstm_cell_grad(const RecurrentArgs& args) {
  using In = As<Kind>;
  for_units(args, [&](int64_t i, int64_t row, int64_t unit, bool live) {
    int64_t at[4];
    for (int part = 0; part < 4; ++part) at[part] = place_of(args, row, unit, 4, part);
    const float dh = joined<Kind>(args, i);
    const float dc = (args.first ? 0.0f : args.dc_carried[i]) + (args.dc == nullptr ? 0.0f : args.dc[i]);
    if (!live) {
      for (int part = 0; part < 4; ++part) In::store(args.dgates, at[part], 0.0f);
      args.held[i] = dh;
      args.dc_carried[i] = dc;
      return;
    }
    float a[4];
    for (int part = 0; part < 4; ++part) a[part] = In::load(args.given_activated, at[part]);
    const math::LstmGradient gradient =
        math::lstm_gradient({a[0], a[1], a[2], a[3]}, args.given_c[i], args.c_before[i], dh, dc);
    In::store(args.dgates, at[0], gradient.i);
    In::store(args.dgates, at[1], gradient.f);
    In::store(args.dgates, at[2], gradient.g);
    In::store(args.dgates, at[3], gradient.o);
    args.held[i] = 0;
    args.dc_carried[i] = gradient.c_before;
  });
}

template <class Kind>
OSTRICH_DEVICE void rnn_cell(const RecurrentArgs& args) {
  using In = As<Kind>;
  for_units(args, [&](int64_t i, int64_t, int64_t, bool live) {
    In::store(
        args.h, i,
        live ? math::rnn_state(In::load(args.gates, i) + args.product[i], args.relu) : In::load(args.h_before, i));
  });
}

template <class Kind>
OSTRICH_DEVICE void rnn_cell_grad(const RecurrentArgs& args) {
  using In = As<Kind>;
  for_units(args, [&](int64_t i, int64_t, int64_t, bool live) {
    const float dh = joined<Kind>(args, i);
    In::store(args.dgates, i, live ? math::rnn_gradient(In::load(args.given_h, i), dh, args.relu) : 0.0f);
    args.held[i] = live ? 0.0f : dh;
  });
}

template <class Kind>
OSTRICH_DEVICE void gru_cell(const RecurrentArgs& args) {
  using In = As<Kind>;
  for_units(args, [&](int64_t i, int64_t row, int64_t unit, bool live) {
    const float before = In::load(args.h_before, i);
    float kept[4] = {0, 0, 0, 0}, h = before;
    if (live) {
      float own[3], inner[3];
      for (int part = 0; part < 3; ++part) {
        const int64_t at = place_of(args, row, unit, 3, part);
        own[part] = In::load(args.gates, at);
        inner[part] = args.product[at] + args.bias[part * args.units.divisor + unit];
      }
      const math::GruGates a = math::gru_gates(own[0] + inner[0], own[1] + inner[1], own[2], inner[2]);
      kept[0] = a.r;
      kept[1] = a.z;
      kept[2] = a.n;
      kept[3] = inner[2];
      h = math::gru_state(a, before);
    }
    for (int part = 0; part < 4; ++part) In::store(args.activated, place_of(args, row, unit, 4, part), kept[part]);
    In::store(args.h, i, h);
  });
}

template <class Kind>
OSTRICH_DEVICE void gru_cell_grad(const RecurrentArgs& args) {
  using In = As<Kind>;
  for_units(args, [&](int64_t i, int64_t row, int64_t unit, bool live) {
    const float dh = joined<Kind>(args, i);
    float gates[3] = {0, 0, 0}, inner = 0, past = dh;
    if (live) {
      float a[4];
      for (int part = 0; part < 4; ++part) {
        a[part] = In::load(args.given_activated, place_of(args, row, unit, 4, part));
      }
      const math::GruGradient gradient = math::gru_gradient({a[0], a[1], a[2]}, a[3], In::load(args.h_before, i), dh);
      gates[0] = gradient.r;
      gates[1] = gradient.z;
      gates[2] = gradient.n;
      inner = gradient.n * a[0];
      past = gradient.h_before;
    }
    for (int part = 0; part < 3; ++part) {
      const int64_t at = place_of(args, row, unit, 3, part);
      In::store(args.dgates, at, gates[part]);
      In::store(args.dproducts, at, part == 2 ? inner : gates[part]);
    }
    args.held[i] = past;
  });
}

// After the last step: the gradient of the first state.
template <class Kind>
OSTRICH_DEVICE void first_state_grad(const RecurrentArgs& args) {
  for_units(args,
            [&](int64_t i, int64_t, int64_t, bool) { As<Kind>::store(args.dh0, i, args.product[i] + args.held[i]); });
}

}  // namespace

#define OSTRICH_RECURRENT(name)                                       \
  OSTRICH_GLOBAL(name##_f32, RecurrentArgs, 256) { name<F32>(args); } \
  OSTRICH_GLOBAL(name##_bf16, RecurrentArgs, 256) { name<Bf16>(args); }
OSTRICH_RECURRENT(lstm_cell)
OSTRICH_RECURRENT(lstm_cell_grad)
OSTRICH_RECURRENT(rnn_cell)
OSTRICH_RECURRENT(rnn_cell_grad)
OSTRICH_RECURRENT(gru_cell)
OSTRICH_RECURRENT(gru_cell_grad)
OSTRICH_RECURRENT(first_state_grad)

}  // namespace ostrich::cuda
