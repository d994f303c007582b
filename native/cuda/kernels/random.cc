// dropout, randomUniform, randomNormal: draws by logical element, so the result does not depend on the layout.
#include "cuda/kernels/random.h"

#include <cmath>

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

class RandomStep : public Step {
 public:
  // Reads seed and step, after x if there is one.
  RandomStep(Builder& builder, const NodeSpec& node, const std::string& name) {
    detail = name;
    kernel_ = builder.kernel("random", name);
    for (size_t i = 0; i < node.inputs.size(); ++i) reads.push_back(builder.row_major(builder.input(node, i)));
    writes = {builder.output(node, 0)};
    args.stream = uint32_t(program::get_int(node, "stream"));
    args.count = core::count(writes[0]->shape);
  }

  void run(CUstream stream) override {
    const size_t n = reads.size();
    args.seed = reads[n - 2]->data<uint32_t>();
    args.step = reads[n - 1]->data<uint32_t>();
    args.x = n == 3 ? reads[0]->data<void>() : nullptr;
    args.y = writes[0]->data<void>();
    kernel_.launch(stream, grid_for((args.count + 3) / 4), kThreads, args);
  }

  RandomArgs args{};

 private:
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<Step> make_dropout(Builder& builder, const NodeSpec& node) {
  const bool narrow = builder.dtype(node, 0) == core::DType::bf16;
  auto step = std::make_unique<RandomStep>(builder, node, narrow ? "dropout_bf16" : "dropout_f32");
  const double rate = program::get_number(node, "rate");
  step->args.threshold = uint32_t(std::ceil(rate * 0x1p24));  // u >= rate, exactly
  step->args.a = float(1 / (1 - rate));
  step->in_place = {{step->writes[0], step->reads[0]}};
  return step;
}

std::unique_ptr<Step> make_randomUniform(Builder& builder, const NodeSpec& node) {
  auto step = std::make_unique<RandomStep>(builder, node, "uniform");
  step->args.a = float(program::get_number(node, "low"));
  step->args.b = float(program::get_number(node, "high"));
  return step;
}

std::unique_ptr<Step> make_randomNormal(Builder& builder, const NodeSpec& node) {
  auto step = std::make_unique<RandomStep>(builder, node, "normal");
  step->args.a = float(program::get_number(node, "mean"));
  step->args.b = float(program::get_number(node, "std"));
  return step;
}

}  // namespace ostrich::cuda
