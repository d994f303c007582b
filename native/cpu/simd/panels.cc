// Products of few rows with packed weights: the accumulators of some rows and one to four panels stay in registers
// while k runs. k goes in pieces, so that a piece of the panels stays in the first-level cache while all rows pass over
// it.
#include <cstring>
#include <type_traits>

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

#define OSTRICH_INLINE inline __attribute__((always_inline))

OSTRICH_INLINE const Vector& at(const float* from) { return *reinterpret_cast<const Vector*>(from); }
OSTRICH_INLINE Vector& at(float* to) { return *reinterpret_cast<Vector*>(to); }

// Where the factors of some rows lie at one place of k. Four rows share a pointer, or there were more pointers than
// registers; the compiler must not work out again how they hang together.
template <int kRows>
struct Rows {
  static constexpr int kShare = 4, kPointers = (kRows + kShare - 1) / kShare;

  OSTRICH_INLINE Rows(const float* a, int64_t row_stride) : stride(row_stride), triple(3 * row_stride) {
#pragma GCC unroll 4
    for (int i = 0; i < kPointers; ++i) first[i] = a + i * kShare * row_stride;
    hide();
  }
  OSTRICH_INLINE float operator[](int row) const {
    const float* from = first[row / kShare];
    const int left = row % kShare;
    return left == 0 ? *from : left == 1 ? from[stride] : left == 2 ? from[2 * stride] : from[triple];
  }
  OSTRICH_INLINE void next() {
#pragma GCC unroll 4
    for (int i = 0; i < kPointers; ++i) ++first[i];
    hide();
  }
  OSTRICH_INLINE void hide() {
#pragma GCC unroll 4
    for (int i = 0; i < kPointers; ++i) asm("" : "+r"(first[i]));
    asm("" : "+r"(triple));
  }

  const float* first[kPointers];
  int64_t stride, triple;
};

// The same where the rows of a place lie side by side.
struct TurnedRows {
  OSTRICH_INLINE TurnedRows(const float* a, int64_t place_stride) : first(a), stride(place_stride) {}
  OSTRICH_INLINE float operator[](int row) const { return first[row]; }
  OSTRICH_INLINE void next() { first += stride; }

  const float* first;
  int64_t stride;
};

template <int kRows, int kPanels, class Factors>
OSTRICH_INLINE void add_products(Vector (&sum)[kRows][kPanels], Factors factors, const float* panels, int64_t stride,
                                 int64_t k) {
  for (int64_t i = 0; i < k; ++i, factors.next()) {
    Vector column[kPanels];
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) column[p] = at(panels + p * stride + i * L);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const float factor = factors[r];
#pragma GCC unroll 4
      for (int p = 0; p < kPanels; ++p) sum[r][p] += factor * column[p];
    }
  }
}

template <int kRows, int kPanels, bool kTurned>
OSTRICH_INLINE void rows_product(float* product, const float* a, int64_t a_stride, const float* panels, int64_t stride,
                                 int64_t k, bool first) {
  Vector sum[kRows][kPanels];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) sum[r][p] = first ? Vector{} : at(product + (r * kPanels + p) * L);
  }
  using Factors = std::conditional_t<kTurned, TurnedRows, Rows<kRows>>;
  add_products<kRows, kPanels>(sum, Factors(a, a_stride), panels, stride, k);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) at(product + (r * kPanels + p) * L) = sum[r][p];
  }
}

// Calls rows_product for the number of rows that are left, at most kRows.
template <int kRows, int kPanels, bool kTurned>
inline void some_rows(int64_t rows, float* product, const float* a, int64_t a_stride, const float* panels,
                      int64_t stride, int64_t k, bool first) {
  if (rows >= kRows) {
    rows_product<kRows, kPanels, kTurned>(product, a, a_stride, panels, stride, k, first);
  } else if constexpr (kRows > 1) {
    some_rows<kRows - 1, kPanels, kTurned>(rows, product, a, a_stride, panels, stride, k, first);
  }
}

template <int kPanels, bool kTurned>
inline void product_of(float* product, const float* a, int64_t a_stride, int64_t rows, const float* panels,
                       int64_t stride, int64_t k, bool add) {
  constexpr int kMost = kAccumulators / kPanels < 16 ? kAccumulators / kPanels : 16;
  constexpr int64_t kPiece = kPieceBytes / int64_t(sizeof(float)) / L / kPanels;
  const int64_t groups = (rows + kMost - 1) / kMost, height = (rows + groups - 1) / groups;
  for (int64_t begin = 0; begin < k; begin += kPiece) {
    const int64_t length = k - begin < kPiece ? k - begin : kPiece;
    for (int64_t row = 0; row < rows; row += height) {
      const int64_t count = rows - row < height ? rows - row : height;
      const float* from = kTurned ? a + begin * a_stride + row : a + row * a_stride + begin;
      some_rows<kMost, kPanels, kTurned>(count, product + row * kPanels * L, from, a_stride, panels + begin * L, stride,
                                         length, begin == 0 && !add);
    }
  }
}

template <int kPanels>
void panel_product(float* product, const float* a, int64_t row_stride, int64_t rows, const float* panels,
                   int64_t stride, int64_t k) {
  product_of<kPanels, false>(product, a, row_stride, rows, panels, stride, k, false);
}

template <int kPanels>
void turned_panel_product(float* product, const float* a, int64_t row_stride, int64_t rows, const float* panels,
                          int64_t stride, int64_t k, bool add) {
  product_of<kPanels, true>(product, a, row_stride, rows, panels, stride, k, add);
}

}  // namespace

void add_panels(Table& table) {
  table.lanes = L;
  table.pack_panel = pack_panel;
  table.panel_product[0] = panel_product<1>;
  table.panel_product[1] = panel_product<2>;
  table.panel_product[2] = panel_product<3>;
  table.panel_product[3] = panel_product<4>;
  table.turned_panel_product[0] = turned_panel_product<1>;
  table.turned_panel_product[1] = turned_panel_product<2>;
  table.turned_panel_product[2] = turned_panel_product<3>;
  table.turned_panel_product[3] = turned_panel_product<4>;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
