// norm: over all elements as they lie, since order does not matter and what fills up blocks is zero. Pieces
// depend on the extents alone, so the result does not depend on the number of threads.
#include <algorithm>
#include <cmath>

#include "core/bf16.h"
#include "cpu/builder.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"

namespace ostrich::cpu {
namespace {

constexpr int64_t kPiece = 32768;  // elements summed by one thread at a time

double widened(float x) { return double(x); }
double widened(uint16_t bits) { return double(core::bf16_to_float(bits)); }

// What no sum of f32 holds: f64 does, of any number of squares of f32. NaN and infinity stay.
template <class T>
double sum_in_f64(const char* data, int64_t n) {
  const T* x = reinterpret_cast<const T*>(data);
  double total = 0;
  for (int64_t i = 0; i < n; ++i) total += widened(x[i]) * widened(x[i]);
  return total;
}

class NormStep : public Step {
 public:
  NormStep(Builder& builder, Slot* x, Slot* y)
      : elements_(x->layout.elements()), pieces_((elements_ + kPiece - 1) / kPiece) {
    reads = {x};
    writes = {y, builder.scratch(size_t(pieces_) * sizeof(double))};
    detail = "of " + std::to_string(elements_);
  }

  void run(RunContext& context) override {
    const bool is_bf16 = reads[0]->dtype == core::DType::bf16;
    const auto sum_in_f32 = simd::table().sum_squares[is_bf16 ? simd::kBf16 : simd::kF32];
    const auto sum_wide = is_bf16 ? sum_in_f64<uint16_t> : sum_in_f64<float>;
    const char* x = reads[0]->data<char>();
    double* partials = writes[1]->data<double>();
    parallel_for(
        context.threads, pieces_, 1,
        [&](int64_t begin, int64_t end) {
          for (int64_t piece = begin; piece < end; ++piece) {
            const int64_t at = piece * kPiece, size = int64_t(core::size_of(reads[0]->dtype));
            const int64_t n = std::min(kPiece, elements_ - at);
            const double sum = sum_in_f32(x + at * size, n);
            partials[piece] = std::isfinite(sum) ? sum : sum_wide(x + at * size, n);
          }
        },
        1);
    double total = 0;
    for (int64_t piece = 0; piece < pieces_; ++piece) total += partials[piece];
    *writes[0]->data<float>() = float(std::sqrt(total));
  }

 private:
  const int64_t elements_, pieces_;
};

}  // namespace

std::unique_ptr<Step> make_norm(Builder& builder, const program::NodeSpec& node) {
  Slot* x = builder.input(node, 0);
  if (builder.homeless(x)) x = builder.row_major(x);
  return std::make_unique<NormStep>(builder, x, builder.output(node, 0));
}

}  // namespace ostrich::cpu
