// sumSquares: over all elements as they lie, since order does not matter and what fills up blocks is zero. Pieces
// depend on the extents alone, so the result does not depend on the number of threads.
#include <algorithm>

#include "cpu/builder.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"

namespace ostrich::cpu {
namespace {

constexpr int64_t kPiece = 32768;  // elements summed by one thread at a time

class SumSquaresStep : public Step {
 public:
  SumSquaresStep(Builder& builder, Slot* x, Slot* y)
      : elements_(x->layout.elements()), pieces_((elements_ + kPiece - 1) / kPiece) {
    reads = {x};
    writes = {y, builder.scratch(size_t(pieces_) * sizeof(double))};
    detail = "of " + std::to_string(elements_);
  }

  void run(RunContext& context) override {
    const bool is_bf16 = reads[0]->dtype == core::DType::bf16;
    const auto sum = simd::table().sum_squares[is_bf16 ? simd::kBf16 : simd::kF32];
    const char* x = reads[0]->data<char>();
    double* partials = writes[1]->data<double>();
    parallel_for(
        context.threads, pieces_, 1,
        [&](int64_t begin, int64_t end) {
          for (int64_t piece = begin; piece < end; ++piece) {
            const int64_t at = piece * kPiece, size = int64_t(core::size_of(reads[0]->dtype));
            partials[piece] = sum(x + at * size, std::min(kPiece, elements_ - at));
          }
        },
        1);
    double total = 0;
    for (int64_t piece = 0; piece < pieces_; ++piece) total += partials[piece];
    *writes[0]->data<float>() = float(total);
  }

 private:
  const int64_t elements_, pieces_;
};

}  // namespace

std::unique_ptr<Step> make_sumSquares(Builder& builder, const program::NodeSpec& node) {
  Slot* x = builder.input(node, 0);
  if (builder.homeless(x)) x = builder.row_major(x);
  return std::make_unique<SumSquaresStep>(builder, x, builder.output(node, 0));
}

}  // namespace ostrich::cpu
