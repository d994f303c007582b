// The cells of recurrent networks over neighbouring units, row by row; whole lanes have loops of a fixed length.
#include "math/recurrent.h"

#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

constexpr int64_t L = kPanelLanes;

// A body has two call sites: left to itself the compiler calls it, unit by unit, and vectorises neither loop.
#define OSTRICH_INSIDE __attribute__((always_inline))

// Calls body(row, unit, product) for every unit of every row: `unit` is its place in the block, `product` its row's.
// A masked row goes to `held` instead.
template <class Body, class Held>
inline __attribute__((always_inline)) void for_units(const RecurrentBlock& block, Body body, Held held) {
  for (int64_t row = 0; row < block.rows; ++row) {
    const float* product = block.product + row * block.product_stride;
    if (block.mask != nullptr && block.mask[row] == 0) {
      for (int64_t unit = 0; unit < block.units; ++unit) held(row, unit, product);
    } else {
      int64_t from = 0;
      for (; from + L <= block.units; from += L) {
#pragma GCC ivdep
        for (int64_t unit = from; unit < from + L; ++unit) body(row, unit, product);
      }
#pragma GCC ivdep
      for (int64_t unit = from; unit < block.units; ++unit) body(row, unit, product);
    }
  }
}

void lstm_cell(const LstmCell& cell) {
  const int64_t h = cell.h, part = cell.part_stride;
  for_units(
      cell,
      [&](int64_t row, int64_t unit, const float* product) OSTRICH_INSIDE {
        const float* gates = cell.gates + row * 4 * h + unit;
        float* activated = cell.activated + row * 4 * h + unit;
        const math::LstmGates a =
            math::lstm_gates(gates[0] + product[unit], gates[h] + product[part + unit],
                             gates[2 * h] + product[2 * part + unit], gates[3 * h] + product[3 * part + unit]);
        const math::LstmState state = math::lstm_state(a, cell.c_before[row * h + unit]);
        activated[0] = a.i;
        activated[h] = a.f;
        activated[2 * h] = a.g;
        activated[3 * h] = a.o;
        cell.out_c[row * h + unit] = state.c;
        cell.out_h[row * h + unit] = state.h;
      },
      [&](int64_t row, int64_t unit, const float*) OSTRICH_INSIDE {
        for (int gate = 0; gate < 4; ++gate) cell.activated[(row * 4 + gate) * h + unit] = 0;
        cell.out_c[row * h + unit] = cell.c_before[row * h + unit];
        cell.out_h[row * h + unit] = cell.h_before[row * h + unit];
      });
}

void lstm_cell_grad(const LstmCellGrad& cell) {
  const int64_t h = cell.h;
  for_units(
      cell,
      [&](int64_t row, int64_t unit, const float* product) OSTRICH_INSIDE {
        const int64_t at = row * h + unit;
        const float* a = cell.activated + row * 4 * h + unit;
        float* dgates = cell.dgates + row * 4 * h + unit;
        const float dh = cell.dh[at] + product[unit] + cell.held[at];
        const float dc = cell.dc_carried[at] + (cell.dc == nullptr ? 0.0f : cell.dc[at]);
        const math::LstmGradient gradient =
            math::lstm_gradient({a[0], a[h], a[2 * h], a[3 * h]}, cell.c[at], cell.c_before[at], dh, dc);
        dgates[0] = gradient.i;
        dgates[h] = gradient.f;
        dgates[2 * h] = gradient.g;
        dgates[3 * h] = gradient.o;
        cell.dc_carried[at] = gradient.c_before;
        cell.held[at] = 0;
      },
      [&](int64_t row, int64_t unit, const float* product) OSTRICH_INSIDE {
        const int64_t at = row * h + unit;
        for (int part = 0; part < 4; ++part) cell.dgates[(row * 4 + part) * h + unit] = 0;
        cell.held[at] += cell.dh[at] + product[unit];
        if (cell.dc != nullptr) cell.dc_carried[at] += cell.dc[at];
      });
}

void rnn_cell(const RnnCell& cell) {
  const int64_t h = cell.h;
  const bool relu = cell.relu;
  for_units(
      cell,
      [&](int64_t row, int64_t unit, const float* product) OSTRICH_INSIDE {
        const int64_t at = row * h + unit;
        cell.out_h[at] = math::rnn_state(cell.gates[at] + product[unit], relu);
      },
      [&](int64_t row, int64_t unit, const float*)
          OSTRICH_INSIDE { cell.out_h[row * h + unit] = cell.h_before[row * h + unit]; });
}

void rnn_cell_grad(const RnnCellGrad& cell) {
  const int64_t h = cell.h;
  const bool relu = cell.relu;
  for_units(
      cell,
      [&](int64_t row, int64_t unit, const float* product) OSTRICH_INSIDE {
        const int64_t at = row * h + unit;
        cell.dgates[at] = math::rnn_gradient(cell.out_h[at], cell.dh[at] + product[unit] + cell.held[at], relu);
        cell.held[at] = 0;
      },
      [&](int64_t row, int64_t unit, const float* product) OSTRICH_INSIDE {
        const int64_t at = row * h + unit;
        cell.dgates[at] = 0;
        cell.held[at] += cell.dh[at] + product[unit];
      });
}

void gru_cell(const GruCell& cell) {
  const int64_t h = cell.h, part = cell.part_stride;
  for_units(
      cell,
      [&](int64_t row, int64_t unit, const float* product) OSTRICH_INSIDE {
        const float* gates = cell.gates + row * 3 * h + unit;
        const float* bias = cell.bias + unit;
        float* activated = cell.activated + row * 4 * h + unit;
        const float inner = product[2 * part + unit] + bias[2 * h];
        const math::GruGates a = math::gru_gates(gates[0] + product[unit] + bias[0],
                                                 gates[h] + product[part + unit] + bias[h], gates[2 * h], inner);
        activated[0] = a.r;
        activated[h] = a.z;
        activated[2 * h] = a.n;
        activated[3 * h] = inner;
        cell.out_h[row * h + unit] = math::gru_state(a, cell.h_before[row * h + unit]);
      },
      [&](int64_t row, int64_t unit, const float*) OSTRICH_INSIDE {
        for (int gate = 0; gate < 4; ++gate) cell.activated[(row * 4 + gate) * h + unit] = 0;
        cell.out_h[row * h + unit] = cell.h_before[row * h + unit];
      });
}

void gru_cell_grad(const GruCellGrad& cell) {
  const int64_t h = cell.h;
  for_units(
      cell,
      [&](int64_t row, int64_t unit, const float* product) OSTRICH_INSIDE {
        const int64_t at = row * h + unit;
        const float* a = cell.activated + row * 4 * h + unit;
        float *dgates = cell.dgates + row * 3 * h + unit, *dproducts = cell.dproducts + row * 3 * h + unit;
        const float dh = cell.dh[at] + product[unit] + cell.held[at];
        const math::GruGradient gradient = math::gru_gradient({a[0], a[h], a[2 * h]}, a[3 * h], cell.h_before[at], dh);
        dgates[0] = dproducts[0] = gradient.r;
        dgates[h] = dproducts[h] = gradient.z;
        dgates[2 * h] = gradient.n;
        dproducts[2 * h] = gradient.n * a[0];
        cell.held[at] = gradient.h_before;
      },
      [&](int64_t row, int64_t unit, const float* product) OSTRICH_INSIDE {
        const int64_t at = row * h + unit;
        for (int part = 0; part < 3; ++part) {
          cell.dgates[(row * 3 + part) * h + unit] = cell.dproducts[(row * 3 + part) * h + unit] = 0;
        }
        cell.held[at] += cell.dh[at] + product[unit];
      });
}

}  // namespace

void add_recurrent(Table& table) {
  table.lstm_cell = lstm_cell;
  table.lstm_cell_grad = lstm_cell_grad;
  table.rnn_cell = rnn_cell;
  table.rnn_cell_grad = rnn_cell_grad;
  table.gru_cell = gru_cell;
  table.gru_cell_grad = gru_cell_grad;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
