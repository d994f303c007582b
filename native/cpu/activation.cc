#include "cpu/activation.h"

#include <algorithm>

#include "cpu/denormals.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"
#include "program/chain.h"

namespace ostrich::cpu {

namespace {

using program::PointwiseOp;

constexpr int64_t kAlone = 32768;  // elements below which one thread does it all
constexpr int64_t kBlock = 1024;   // elements of bf16 that are widened at a time

// bf16 in place through a block of f32.
void sweep_bf16(simd::BlockFn fn, uint16_t* y, int64_t n) {
  alignas(64) float block[kBlock];
  const simd::Table& table = simd::table();
  for (int64_t at = 0; at < n; at += kBlock) {
    const int64_t count = std::min(kBlock, n - at);
    table.f32_from_bf16(block, y + at, y + at, y + at, count);
    fn(block, block, block, block, count);
    table.bf16_from_f32(y + at, block, block, block, count);
  }
}

}  // namespace

Activation::Activation(const std::string& name) : name_(name) {
  OSTRICH_CHECK(name == "none" || name == "relu" || name == "tanh" || name == "sigmoid");
}

void Activation::run(const Slot* y, int threads) const {
  if (name_ == "none") return;
  const PointwiseOp op = name_ == "relu"   ? PointwiseOp::relu
                         : name_ == "tanh" ? PointwiseOp::tanh
                                           : PointwiseOp::sigmoid;
  const bool narrow = y->dtype == core::DType::bf16;
  const simd::BlockFn fn = simd::table().pointwise[1][int(op)][0];
  parallel_for(threads, y->layout.elements(), op == PointwiseOp::relu ? kAlone : kAlone / 8,
               [&](int64_t begin, int64_t end) {
                 const FlushDenormals flush;
                 if (!narrow) {
                   float* part = y->data<float>() + begin;
                   fn(part, part, part, part, end - begin);
                 } else if (op == PointwiseOp::relu) {
                   uint16_t* part = y->data<uint16_t>() + begin;
                   simd::table().relu_bf16(part, part, part, part, end - begin);
                 } else {
                   sweep_bf16(fn, y->data<uint16_t>() + begin, end - begin);
                 }
               });
}

}  // namespace ostrich::cpu
