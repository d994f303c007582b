// matmul: [.., M, K] x [.., K, N] -> [.., M, N], row-major, by cuBLASLt; what its epilogues leave out by our own
// kernels.
#include "cuda/kernels/activate.h"
#include "cuda/kernels/column_sums.h"
#include "cuda/kernels/sequence.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using core::DType;
using core::Shape;
using program::NodeSpec;

struct Product {
  Slot *a, *b, *bias = nullptr, *y, *sums = nullptr;
};

class GemmStep : public Step {
 public:
  GemmStep(Builder& builder, std::unique_ptr<GemmPlan> plan, const Product& product)
      : plan_(std::move(plan)), product_(product) {
    reads = {product.a, product.b};
    if (product.bias != nullptr) reads.push_back(product.bias);
    writes = {product.y};
    if (product.sums != nullptr) writes.push_back(product.sums);
    if (plan_->workspace_bytes() > 0) writes.push_back(workspace_ = builder.scratch(plan_->workspace_bytes()));
    detail = plan_->detail();
    is_library = true;
  }
  void run(CUstream stream) override {
    const auto of = [](const Slot* slot) { return slot == nullptr ? nullptr : slot->data<void>(); };
    plan_->run(stream, {of(product_.a), of(product_.b), of(product_.bias), of(product_.y), of(product_.sums)},
               of(workspace_));
  }

 private:
  std::unique_ptr<GemmPlan> plan_;
  Product product_;
  Slot* workspace_ = nullptr;
};

// Storages lie at multiples of 256 bytes; a view into one may not.
int alignment_of(const Product& product) {
  size_t places = 256;
  for (const Slot* slot : {product.a, product.b, product.y}) places |= slot->offset;
  return int(places & (~places + 1));
}

GemmSpec spec_of(const Builder& builder, const NodeSpec& node, const Product& product) {
  GemmSpec spec;
  spec.transpose_a = program::get_bool(node, "transposeA");
  spec.transpose_b = program::get_bool(node, "transposeB");
  const Shape &a = product.a->shape, &b = product.b->shape;
  const size_t ra = a.size(), rb = b.size();
  spec.m = a[ra - (spec.transpose_a ? 1 : 2)];
  spec.k = a[ra - (spec.transpose_a ? 2 : 1)];
  spec.n = b[rb - (spec.transpose_b ? 2 : 1)];
  spec.batch = core::count(a) / (spec.m * spec.k);
  if (rb == 2 && !spec.transpose_a) {  // one tall matrix
    spec.m *= spec.batch;
    spec.batch = 1;
  }
  if (spec.batch > 1) {
    spec.stride_a = spec.m * spec.k;
    spec.stride_b = rb == 2 ? 0 : spec.k * spec.n;
    spec.stride_c = spec.m * spec.n;
  }
  spec.in = product.a->dtype;
  spec.out = product.y->dtype;
  spec.tf32 = builder.options().tf32 && spec.in == DType::f32;
  spec.deterministic = builder.options().deterministic;
  spec.alignment = alignment_of(product);
  return spec;
}

}  // namespace

std::unique_ptr<Step> make_matmul(Builder& builder, const NodeSpec& node) {
  Product product;
  product.a = builder.row_major(builder.input(node, 0));
  product.b = builder.row_major(builder.input(node, 1));
  if (node.inputs.size() > 2) product.bias = builder.row_major(builder.input(node, 2));
  Slot* const y = product.y = builder.output(node, 0);
  if (program::get_bool(node, "sumA")) {
    Slot* sums = builder.output(node, 1);
    if (builder.is_used(node, 1)) product.sums = sums;
  }
  // f32 in is f32 out of cuBLASLt; what is left is a conversion.
  if (product.a->dtype == DType::f32 && y->dtype != DType::f32) {
    product.y = builder.scratch(size_t(core::count(y->shape)) * core::size_of(DType::f32));
    product.y->dtype = DType::f32;
    product.y->shape = y->shape;
  }
  GemmSpec spec = spec_of(builder, node, product);
  spec.bias = product.bias != nullptr;
  spec.sum_a = product.sums != nullptr;
  Slot *late_bias = nullptr, *late_sums = nullptr;
  auto plan = builder.gemm().plan(spec);
  if (plan == nullptr) {
    late_bias = product.bias;
    late_sums = product.sums;
    product.bias = product.sums = nullptr;
    spec.bias = spec.sum_a = false;
    plan = builder.gemm().plan(spec);
  }
  std::vector<std::unique_ptr<Step>> parts;
  parts.push_back(std::make_unique<GemmStep>(builder, std::move(plan), product));
  const Activation activation = activation_of(node);
  if (late_bias != nullptr || activation != Activation::none || product.y != y) {
    parts.push_back(make_activate(builder, product.y, y, activation, late_bias, y->shape.size() - 1));
  }
  if (late_sums != nullptr) parts.push_back(make_column_sums(builder, product.a, late_sums));
  return in_sequence(std::move(parts));
}

}  // namespace ostrich::cuda
