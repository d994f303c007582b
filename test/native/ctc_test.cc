// ctc: the number of threads decides no bit; of equal logits the number of ways is known, and so the loss, however long
// the row.
#include <gtest/gtest.h>

#include "run_program.h"

namespace {

using namespace ostrich;
using core::DType;
using test::Array;
using test::json;

const DType kF32 = DType::f32, kI32 = DType::i32;
const json kAttrs = {{"blank", 0}, {"impossible", "error"}};

// Labels 1, 2, 3 in turn, each twice where `repeats`; two of three rows are shorter.
struct Rows {
  int64_t frames, rows, classes, labels;
  bool repeats;
  std::vector<Array> inputs(DType dtype, double scale) const {
    Array names{kI32, {rows, labels}, {}}, counts{kI32, {rows}, {}}, seen{kI32, {rows}, {}};
    for (int64_t n = 0; n < rows; ++n) {
      for (int64_t i = 0; i < labels; ++i) names.values.push_back(double(1 + (repeats ? i / 2 : i) % 3));
      counts.values.push_back(double(labels - labels * (n % 3) / 4));
      seen.values.push_back(double(frames - frames * (n % 3) / 5));
    }
    return {test::random_array(dtype, {frames, rows, classes}, 1, scale), names, counts, seen};
  }
  std::vector<test::Output> outputs() const { return {{kF32, {rows}}, {kF32, {frames, rows, classes}}}; }
};

TEST(Ctc, ThreadsDecideNoBit) {
  for (DType dtype : {kF32, DType::bf16}) {
    for (const Rows& rows : {Rows{90, 13, 30, 20, true}, Rows{40, 3, 700, 14, false}, Rows{300, 2, 5, 1, false}}) {
      const auto inputs = rows.inputs(dtype, 4);
      const auto alone = test::run_node("ctc", inputs, rows.outputs(), kAttrs, 1);
      const auto together = test::run_node("ctc", inputs, rows.outputs(), kAttrs, 2, 2);
      for (size_t i = 0; i < alone.size(); ++i)
        EXPECT_EQ(alone[i].values, together[i].values) << rows.frames << " " << i;
    }
  }
}

// Of L labels, r of which are as the one before them, T frames have (T + L - r over 2 L) ways.
double log_ways(double frames, double labels, double repeats) {
  const double n = frames + labels - repeats, k = 2 * labels;
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

TEST(Ctc, CountsTheWaysOfRowsOfAnyLength) {
  for (const bool repeats : {false, true}) {
    for (const Rows& rows : {Rows{3, 1, 4, 1, repeats}, Rows{50, 3, 4, 9, repeats}, Rows{4000, 3, 4, 120, repeats}}) {
      const auto inputs = rows.inputs(kF32, 0);
      const auto outputs = test::run_node("ctc", inputs, rows.outputs(), kAttrs);
      for (int64_t n = 0; n < rows.rows; ++n) {
        const double frames = inputs[3].values[size_t(n)], labels = inputs[2].values[size_t(n)];
        const double same = repeats ? std::floor(labels / 2) : 0;
        const double want = frames * std::log(4.0) - log_ways(frames, labels, same);
        EXPECT_NEAR(outputs[0].values[size_t(n)], want, 2e-6 * want + 1e-6)
            << frames << " frames, " << labels << " labels";
      }
      // What a frame's classes gain the others lose.
      double worst = 0;
      for (int64_t i = 0; i < rows.frames * rows.rows; ++i) {
        double sum = 0;
        for (int64_t k = 0; k < 4; ++k) sum += outputs[1].values[size_t(4 * i + k)];
        worst = std::max(worst, std::fabs(sum));
      }
      EXPECT_LT(worst, 2e-6);
    }
  }
}

}  // namespace
