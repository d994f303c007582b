// Products of few rows with packed weights: the accumulators of some rows and one to four panels stay in registers
// while k runs. k goes in pieces, so that a piece of the panels stays in the first-level cache while all rows pass over
// it.
#include <cstring>

#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

constexpr int64_t L = kPanelLanes;
constexpr int64_t kPieceBytes = 16384;  // of all panels
// Vector registers for accumulators: the rest hold panels and a factor.
constexpr int kAccumulators = L == 16 ? 24 : 12;

typedef float Vector __attribute__((vector_size(L * 4), aligned(4), may_alias));

void pack_panel(float* panel, const float* w, int64_t k, int64_t columns, int64_t row_stride, int64_t column_stride) {
  if (columns == L && column_stride == 1) {
    for (int64_t i = 0; i < k; ++i) std::memcpy(panel + i * L, w + i * row_stride, L * sizeof(float));
    return;
  }
  if (columns < L) std::memset(panel, 0, size_t(k * L) * sizeof(float));
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = 0; j < columns; ++j) panel[i * L + j] = w[i * row_stride + j * column_stride];
  }
}

template <int kRows, int kPanels>
inline __attribute__((always_inline)) void rows_product(float* product, const float* a, int64_t row_stride,
                                                        const float* panels, int64_t stride, int64_t k, bool first) {
  Vector sum[kRows][kPanels];
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) {
      sum[r][p] = first ? Vector{} : *reinterpret_cast<const Vector*>(product + (r * kPanels + p) * L);
    }
  }
  for (int64_t i = 0; i < k; ++i) {
    Vector column[kPanels];
    for (int p = 0; p < kPanels; ++p) column[p] = *reinterpret_cast<const Vector*>(panels + p * stride + i * L);
    for (int r = 0; r < kRows; ++r) {
      const float factor = a[r * row_stride + i];
      for (int p = 0; p < kPanels; ++p) sum[r][p] += factor * column[p];
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) *reinterpret_cast<Vector*>(product + (r * kPanels + p) * L) = sum[r][p];
  }
}

// Calls rows_product for the number of rows that are left, at most kRows.
template <int kRows, int kPanels>
inline void some_rows(int64_t rows, float* product, const float* a, int64_t row_stride, const float* panels,
                      int64_t stride, int64_t k, bool first) {
  if (rows >= kRows) {
    rows_product<kRows, kPanels>(product, a, row_stride, panels, stride, k, first);
  } else if constexpr (kRows > 1) {
    some_rows<kRows - 1, kPanels>(rows, product, a, row_stride, panels, stride, k, first);
  }
}

template <int kPanels>
void panel_product(float* product, const float* a, int64_t row_stride, int64_t rows, const float* panels,
                   int64_t stride, int64_t k) {
  constexpr int kMost = kAccumulators / kPanels < 12 ? kAccumulators / kPanels : 12;
  constexpr int64_t kPiece = kPieceBytes / int64_t(sizeof(float)) / L / kPanels;
  const int64_t groups = (rows + kMost - 1) / kMost, height = (rows + groups - 1) / groups;
  for (int64_t begin = 0; begin < k; begin += kPiece) {
    const int64_t length = k - begin < kPiece ? k - begin : kPiece;
    for (int64_t row = 0; row < rows; row += height) {
      const int64_t count = rows - row < height ? rows - row : height;
      some_rows<kMost, kPanels>(count, product + row * kPanels * L, a + row * row_stride + begin, row_stride,
                                panels + begin * L, stride, length, begin == 0);
    }
  }
}

}  // namespace

void add_panels(Table& table) {
  table.lanes = L;
  table.pack_panel = pack_panel;
  table.panel_product[0] = panel_product<1>;
  table.panel_product[1] = panel_product<2>;
  table.panel_product[2] = panel_product<3>;
  table.panel_product[3] = panel_product<4>;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
