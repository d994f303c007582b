// Group normalisation over row-major x [N, C, ...], and its gradient.
#include "cuda/kernels/group_norm.h"

#include <algorithm>

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

class GroupStep : public Step {
 public:
  GroupStep(Builder& builder, const NodeSpec& node, const Slot* x, bool is_gradient) : is_gradient_(is_gradient) {
    args_.examples = x->shape[0];
    args_.channels = x->shape[1];
    args_.groups = program::get_int(node, "groups");
    args_.members = args_.channels / args_.groups;
    const int64_t places = core::count(x->shape) / (args_.examples * args_.channels);
    args_.places = make_divisor(places);
    args_.epsilon = float(program::get_number(node, "epsilon"));
    const std::string kind = x->dtype == core::DType::bf16 ? "_bf16" : "_f32";
    const std::string sums = places == 1 ? "of_features" : "of_channels";
    kernel_ = builder.kernel("group_norm", (is_gradient ? "backward" : "forward") + kind);
    if (is_gradient) parameters_ = builder.kernel("group_norm", sums + kind);
    for (size_t i = 0; i < node.inputs.size(); ++i) reads.push_back(builder.row_major(builder.input(node, i)));
    for (size_t i = 0; i < 3; ++i) writes.push_back(builder.output(node, i));
    detail = node.op + kind;
    // The sums over examples read dy and x again, so a gradient lies over neither.
    const bool alone = std::count_if(reads.begin(), reads.end(), [&](const program::Slot* slot) {
                         return slot->storage == reads[0]->storage;
                       }) == 1;
    if (!is_gradient && alone) in_place = {{writes[0], reads[0]}};
  }

  void run(CUstream stream) override {
    GroupNormArgs args = args_;
    size_t next = 0;
    if (is_gradient_) args.dy = reads[next++]->data<const void>();
    args.x = reads[next++]->data<const void>();
    args.scale = reads[next++]->data<const float>();
    args.y = writes[0]->data<void>();
    if (is_gradient_) {
      args.mean = reads[next++]->data<float>();
      args.variance = reads[next++]->data<float>();
      args.dscale = writes[1]->data<float>();
      args.dshift = writes[2]->data<float>();
    } else {
      args.shift = reads[next++]->data<const float>();
      args.mean = writes[1]->data<float>();
      args.variance = writes[2]->data<float>();
    }
    launch(kernel_, stream, args.examples * args.groups, args);
    if (!is_gradient_) return;
    const int64_t columns = args.places.divisor == 1 ? kGroupColumns : 1;
    launch(parameters_, stream, (args.channels + columns - 1) / columns, args);
  }

 private:
  static void launch(const Kernel& kernel, CUstream stream, int64_t blocks, const GroupNormArgs& args) {
    kernel.launch(stream, {unsigned(std::min(blocks, kMaxBlocks))}, kGroupThreads, args);
  }

  const bool is_gradient_;
  Kernel kernel_, parameters_;
  GroupNormArgs args_{};
};

}  // namespace

std::unique_ptr<Step> make_groupNorm(Builder& builder, const NodeSpec& node) {
  return std::make_unique<GroupStep>(builder, node, builder.input(node, 0), false);
}
std::unique_ptr<Step> make_groupNormGrad(Builder& builder, const NodeSpec& node) {
  return std::make_unique<GroupStep>(builder, node, builder.input(node, 1), true);
}

}  // namespace ostrich::cuda
