// Products with packed panels and the cells of an LSTM in the loops of every instruction set that this machine runs,
// against double precision: every number of rows up to more than registers hold, k beyond one piece, columns that do
// not fill a panel, rows that are masked.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "cpu/simd/table.h"

namespace {

using namespace ostrich;
using cpu::simd::Table;

float value(int64_t i, int seed) { return std::ldexp(float((i * 37 + seed * 11 + i / 61) % 61 - 30), -5); }

std::vector<float> values(int64_t count, int seed) {
  std::vector<float> made(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) made[size_t(i)] = value(i, seed);
  return made;
}

// w [k, panels * columns], row-major or transposed.
void check_product(const Table& table, int64_t rows, int64_t k, int64_t panels, int64_t columns, bool transposed) {
  const int64_t lanes = table.lanes, width = panels * columns;
  const auto a = values(rows * (k + 3), 1), w = values(k * width, 2);
  std::vector<float> packed(size_t(panels * k * lanes)), product(size_t(rows * panels * lanes), NAN);
  for (int64_t p = 0; p < panels; ++p) {
    const float* from = w.data() + (transposed ? p * columns * k : p * columns);
    table.pack_panel(packed.data() + p * k * lanes, from, k, columns, transposed ? 1 : width, transposed ? k : 1);
  }
  table.panel_product[panels - 1](product.data(), a.data(), k + 3, rows, packed.data(), k * lanes, k);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t p = 0; p < panels; ++p) {
      for (int64_t lane = 0; lane < lanes; ++lane) {
        double sum = 0, size = 0;
        for (int64_t i = 0; i < k && lane < columns; ++i) {
          const int64_t column = p * columns + lane;
          const double term = double(a[size_t(row * (k + 3) + i)]) *
                              double(w[size_t(transposed ? column * k + i : i * width + column)]);
          sum += term;
          size += std::abs(term);
        }
        const float got = product[size_t((row * panels + p) * lanes + lane)];
        ASSERT_NEAR(got, sum, 1e-6 * size + 1e-12) << rows << " rows, k " << k << ", " << panels << " panels of "
                                                   << columns << ": row " << row << ", panel " << p;
      }
    }
  }
}

// a [k, rows] turned, added to what is there or not.
void check_turned_product(const Table& table, int64_t rows, int64_t k, int64_t panels, bool add) {
  const int64_t lanes = table.lanes, stride = k * lanes + 16;
  const auto a = values(k * (rows + 3), 1), w = values(panels * stride, 2), start = values(rows * panels * lanes, 3);
  std::vector<float> product = add ? start : std::vector<float>(start.size(), NAN);
  table.turned_panel_product[panels - 1](product.data(), a.data(), rows + 3, rows, w.data(), stride, k, add);
  for (int64_t i = 0; i < rows * panels * lanes; ++i) {
    const int64_t row = i / lanes / panels, column = i / lanes % panels * stride + i % lanes;
    double sum = add ? double(start[size_t(i)]) : 0, size = std::abs(sum);
    for (int64_t j = 0; j < k; ++j) {
      const double term = double(a[size_t(j * (rows + 3) + row)]) * double(w[size_t(column + j * lanes)]);
      sum += term;
      size += std::abs(term);
    }
    ASSERT_NEAR(product[size_t(i)], sum, 1e-6 * size + 1e-12)
        << rows << " rows, k " << k << ", " << panels << ": " << i;
  }
}

void check_products(const Table& table) {
  for (int64_t panels = 1; panels <= cpu::simd::kMaxPanels; ++panels) {
    for (int64_t rows = 1; rows <= 35; ++rows) {
      check_product(table, rows, 9, panels, table.lanes, rows % 2 == 0);
      check_turned_product(table, rows, 9, panels, rows % 2 == 0);
    }
    for (int64_t k : {1, 255, 256, 257, 1030}) {
      check_product(table, 5, k, panels, table.lanes, false);
      check_product(table, 5, k, panels, table.lanes - 3, true);
      check_turned_product(table, 5, k, panels, k % 2 == 0);
    }
  }
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// A block of `units` units in the middle of H, one row of three masked.
void check_cell(const Table& table, int64_t units) {
  constexpr int64_t kRows = 3;
  const int64_t h = 2 * table.lanes + 5, first = table.lanes, part_stride = table.lanes + 3, stride = 4 * part_stride;
  const auto gates = values(kRows * 4 * h, 1), h_before = values(kRows * h, 2), c_before = values(kRows * h, 3),
             product = values(kRows * stride, 4);
  std::vector<float> activated(gates.size(), 7), out_h(h_before.size(), 7), out_c(h_before.size(), 7);
  const uint8_t mask[kRows] = {1, 0, 255};
  cpu::simd::LstmCell cell{};
  cell.rows = kRows;
  cell.units = units;
  cell.h = h;
  cell.mask = mask;
  cell.product = product.data();
  cell.product_stride = stride;
  cell.part_stride = part_stride;
  cell.gates = gates.data() + first;
  cell.h_before = h_before.data() + first;
  cell.c_before = c_before.data() + first;
  cell.activated = activated.data() + first;
  cell.out_h = out_h.data() + first;
  cell.out_c = out_c.data() + first;
  table.lstm_cell(cell);
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t unit = 0; unit < h; ++unit) {
      const auto at = size_t(row * h + unit);
      double c = 7, state = 7;
      if (unit >= first && unit < first + units) {
        double z[4];
        for (int64_t part = 0; part < 4; ++part) {
          z[part] = double(gates[size_t((row * 4 + part) * h + unit)]) +
                    double(product[size_t(row * stride + part * part_stride + unit - first)]);
        }
        c = sigmoid(z[1]) * double(c_before[at]) + sigmoid(z[0]) * std::tanh(z[2]);
        state = sigmoid(z[3]) * std::tanh(c);
        if (mask[row] == 0) {
          c = double(c_before[at]);
          state = double(h_before[at]);
        }
      }
      ASSERT_NEAR(out_c[at], c, 1e-6) << row << ", " << unit;
      ASSERT_NEAR(out_h[at], state, 1e-6) << row << ", " << unit;
    }
  }
}

TEST(SimdPanels, EveryInstructionSetMultipliesFewRows) {
  for (const char* isa : {"baseline", "avx2", "avx512"}) {
    SCOPED_TRACE(isa);
    if (const Table* table = cpu::simd::table_of(isa)) check_products(*table);
  }
}

TEST(SimdPanels, EveryInstructionSetRunsACell) {
  for (const char* isa : {"baseline", "avx2", "avx512"}) {
    SCOPED_TRACE(isa);
    const Table* table = cpu::simd::table_of(isa);
    if (table == nullptr) continue;
    for (int64_t units : {table->lanes, int64_t(5), int64_t(1)}) check_cell(*table, units);
  }
}

}  // namespace
