#include "cpu/kernels/recurrent_product.h"

#include <algorithm>

#include "cpu/parallel.h"
#include "cpu/simd/table.h"

namespace ostrich::cpu {

using core::DType;
using dnnl::memory;

namespace {

constexpr int64_t kAlone = 16384;  // elements below which one thread takes them all

struct Described {
  dnnl::primitive primitive;
  dnnl::primitive_desc_base description;
  memory::desc weights;
};

// The transpose needs no copy: an inner product's weights are [outputs, inputs].
Described describe(const dnnl::engine& engine, const memory::desc& a, const memory::desc& w, const memory::desc& y,
                   bool backward) {
  if (backward) {
    using Product = dnnl::inner_product_forward;
    const Product::primitive_desc pd(engine, dnnl::prop_kind::forward_inference, a, w, y, user_scratchpad());
    return {Product(pd), pd, pd.weights_desc()};
  }
  const dnnl::matmul::primitive_desc pd(engine, a, w, y, user_scratchpad());
  return {dnnl::matmul(pd), pd, pd.weights_desc()};
}

// Multiply-adds of a step from which bf16 gains: below, the starts of oneDNN's loops cost what it saves.
constexpr int64_t kNarrowProducts = int64_t(1) << 20;
// Weights from which f32 gains with AVX-512: they no longer stay in the caches from step to step, and oneDNN fetches
// them better (1500 units, a layer of an LSTM: in two thirds of the time; 650 units: in the same).
constexpr int64_t kWideWeights = int64_t(1) << 22;

}  // namespace

bool RecurrentProduct::gains(const Slot* w, int64_t streams) {
  const int64_t weights = core::count(w->shape);
  if (compute_type(w->dtype) == DType::bf16) return streams * weights >= kNarrowProducts;
  return dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core && weights >= kWideWeights;
}

RecurrentProduct::RecurrentProduct(Builder& builder, Slot* w, int64_t streams, bool backward)
    : operands_(streams * w->shape[backward ? 1 : 0]),
      results_(streams * w->shape[backward ? 0 : 1]),
      is_narrow_(compute_type(w->dtype) == DType::bf16) {
  const DType dtype = compute_type(w->dtype);
  const memory::desc a = row_major_desc(dtype, {streams, operands_ / streams}),
                     y = row_major_desc(DType::f32, {streams, results_ / streams});
  const Described product = describe(builder.engine(), a, any_desc(dtype, w->shape), y, backward);
  weights_ = builder.with_desc(w, product.weights);
  operand_ = builder.scratch(size_t(operands_) * core::size_of(dtype));
  result_ = builder.scratch(size_t(results_) * sizeof(float));
  step_ = std::make_unique<PrimitiveStep>(builder, product.primitive, product.description);
  step_->op = "recurrent product";
  step_->reads_arg(DNNL_ARG_WEIGHTS, weights_, product.weights);
  step_->writes_arg(DNNL_ARG_SRC, operand_, a).writes_arg(DNNL_ARG_DST, result_, y);
}

const float* RecurrentProduct::run(RunContext& context, const float* a) const {
  float* result = result_->data<float>();
  if (a == nullptr) {
    std::fill_n(result, results_, 0.0f);
    return result;
  }
  const simd::BlockFn take = is_narrow_ ? simd::table().bf16_from_f32 : simd::table().copy4;
  const size_t size = is_narrow_ ? sizeof(uint16_t) : sizeof(float);
  parallel_for(context.threads, operands_, kAlone, [&](int64_t begin, int64_t end) {
    take(operand_->data<char>() + size_t(begin) * size, a + begin, a, a, end - begin);
  });
  step_->run(context);
  return result;
}

}  // namespace ostrich::cpu
