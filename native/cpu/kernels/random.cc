// dropout, randomUniform, randomNormal: Philox draws by logical element, so the result depends on neither layout nor
// threads.
#include <cmath>

#include "cpu/builder.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

using program::NodeSpec;

constexpr int64_t kGrain = 8192;
constexpr int64_t kAlign = 64;  // whole groups of draws

// Draws of the step whose seed and step number are these inputs.
simd::Draws draws_of(const program::Slot* seed, const program::Slot* step, uint32_t stream, int64_t first) {
  const auto* key = seed->data<uint32_t>();
  return {key[0], key[1], stream, step->data<uint32_t>()[0], first};
}

class RandomStep : public Step {
 public:
  // `a` and `b`: low and high, or mean and standard deviation.
  RandomStep(Builder& builder, const NodeSpec& node, const char* a, const char* b, bool is_normal)
      : stream_(uint32_t(program::get_int(node, "stream"))),
        a_(float(program::get_number(node, a))),
        b_(float(program::get_number(node, b))),
        is_normal_(is_normal) {
    reads = {builder.row_major(builder.input(node, 0)), builder.row_major(builder.input(node, 1))};
    writes = {builder.output(node, 0)};
  }

  void run(RunContext& context) override {
    const auto fill = is_normal_ ? simd::table().normal : simd::table().uniform;
    float* y = writes[0]->data<float>();
    parallel_for(
        context.threads, core::count(writes[0]->shape), kGrain,
        [&](int64_t begin, int64_t end) {
          fill(y + begin, end - begin, draws_of(reads[0], reads[1], stream_, begin), a_, b_);
        },
        kAlign);
  }

 private:
  const uint32_t stream_;
  const float a_, b_;
  const bool is_normal_;
};

class DropoutStep : public Step {
 public:
  DropoutStep(Builder& builder, const NodeSpec& node) : stream_(uint32_t(program::get_int(node, "stream"))) {
    const double rate = program::get_number(node, "rate");
    threshold_ = uint32_t(std::ceil(rate * 0x1p24));  // u >= rate, exactly
    scale_ = float(1 / (1 - rate));
    for (size_t i = 0; i < 3; ++i) reads.push_back(builder.row_major(builder.input(node, i)));
    writes = {builder.output(node, 0)};
    in_place = {{writes[0], reads[0]}};
  }

  void run(RunContext& context) override {
    const program::Slot* x = reads[0];
    const size_t size = core::size_of(x->dtype);
    const auto dropout = simd::table().dropout[x->dtype == core::DType::bf16 ? simd::kBf16 : simd::kF32];
    parallel_for(
        context.threads, core::count(x->shape), kGrain,
        [&](int64_t begin, int64_t end) {
          const size_t at = size_t(begin) * size;
          dropout(writes[0]->data<char>() + at, x->data<char>() + at, end - begin,
                  draws_of(reads[1], reads[2], stream_, begin), threshold_, scale_);
        },
        kAlign);
  }

 private:
  const uint32_t stream_;
  uint32_t threshold_;
  float scale_;
};

}  // namespace

std::unique_ptr<Step> make_dropout(Builder& builder, const NodeSpec& node) {
  return std::make_unique<DropoutStep>(builder, node);
}
std::unique_ptr<Step> make_randomUniform(Builder& builder, const NodeSpec& node) {
  return std::make_unique<RandomStep>(builder, node, "low", "high", false);
}
std::unique_ptr<Step> make_randomNormal(Builder& builder, const NodeSpec& node) {
  return std::make_unique<RandomStep>(builder, node, "mean", "std", true);
}

}  // namespace ostrich::cpu
