// ctc: the loss of each row of logits [T, N, K] and, where somebody reads it, its gradient.
#include "cuda/kernels/ctc.h"

#include <algorithm>

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

class CtcStep : public Step {
 public:
  CtcStep(Builder& builder, const NodeSpec& node, const std::vector<Slot*>& inputs) {
    const core::Shape& logits = inputs[0]->shape;
    args_.frames = logits[0];
    args_.rows = logits[1];
    args_.classes = logits[2];
    args_.most_labels = inputs[1]->shape[1];
    args_.blank = int32_t(program::get_int(node, "blank"));
    args_.allows_impossible = program::get_string(node, "impossible") == "infinity";
    args_.wants_gradient = builder.is_used(node, 1);
    args_.fault = builder.fault();
    args_.label_length_site = builder.fault_site(node, FaultKind::label_length, args_.most_labels + 1);
    args_.frame_length_site = builder.fault_site(node, FaultKind::frame_length, args_.frames + 1);
    args_.label_site = builder.fault_site(node, FaultKind::ctc_label, args_.classes);
    args_.frames_site = builder.fault_site(node, FaultKind::frames, 0);
    can_fail = true;
    reads.assign(inputs.begin(), inputs.end());
    place(builder, node);
    const char* kind = inputs[0]->dtype == core::DType::bf16 ? "_bf16" : "_f32";
    detail = std::string("ctc") + kind;
    plan_rows_ = builder.kernel("ctc", "ctc_plan");
    log_probabilities_ = builder.kernel("ctc", std::string("ctc_log_probabilities") + kind);
    sum_ways_ = builder.kernel("ctc", "ctc_sums");
    gradient_ = builder.kernel("ctc", "ctc_gradient");
  }

  void run(CUstream stream) override {
    args_.logits = reads[0]->data<const void>();
    args_.labels = reads[1]->data<const int32_t>();
    args_.label_lengths = reads[2]->data<const int32_t>();
    args_.frame_lengths = reads[3]->data<const int32_t>();
    args_.loss = writes[0]->data<float>();
    args_.values = writes[1]->data<float>();
    args_.plan = writes[2]->data<int32_t>();
    args_.sums = writes[3]->data<float>();
    const auto rows = unsigned(std::min(args_.rows, kMaxBlocks)), directions = unsigned(args_.wants_gradient ? 2 : 1);
    const Grid frames = grid_for(args_.frames * args_.rows * 32, kCtcThreads);
    // A thread for each label and the blank before it.
    const auto threads = unsigned(std::min<int64_t>((args_.most_labels + 32) / 32 * 32, kCtcThreads));
    plan_rows_.launch(stream, {rows}, kCtcThreads, args_);
    log_probabilities_.launch(stream, frames, kCtcThreads, args_);
    sum_ways_.launch(stream, {rows, directions}, threads, args_);
    if (args_.wants_gradient) gradient_.launch(stream, frames, kCtcThreads, args_);
  }

 private:
  // Outputs and scratch, in the order in which `run` knows them.
  void place(Builder& builder, const NodeSpec& node) {
    const int64_t frames = args_.frames, rows = args_.rows, classes = args_.classes, labels = args_.most_labels;
    const auto bytes = [](int64_t numbers) { return size_t(numbers) * sizeof(float); };
    Slot* values = args_.wants_gradient ? builder.output(node, 1) : builder.scratch(bytes(frames * rows * classes));
    const int64_t kept = args_.wants_gradient ? 2 * frames : 2;  // of both directions, or of the first
    writes = {builder.output(node, 0), values, builder.scratch(bytes(rows * (kPlanNext + labels + classes))),
              builder.scratch(bytes(rows * kept * 2 * (labels + 1)))};
    if (args_.wants_gradient && reads[0]->dtype == core::DType::f32) in_place = {{values, reads[0]}};
  }

  CtcArgs args_{};
  Kernel plan_rows_, log_probabilities_, sum_ways_, gradient_;
};

}  // namespace

std::unique_ptr<Step> make_ctc(Builder& builder, const NodeSpec& node) {
  std::vector<Slot*> inputs;
  for (size_t i = 0; i < 4; ++i) inputs.push_back(builder.row_major(builder.input(node, i)));
  return std::make_unique<CtcStep>(builder, node, inputs);
}

}  // namespace ostrich::cuda
