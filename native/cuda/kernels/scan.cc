// Running sums along the last axis, and the largest elements along it.
#include "cuda/kernels/scan.h"

#include <algorithm>

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

class ScanStep : public Step {
 public:
  ScanStep(Builder& builder, Slot* x, const char* kernel, std::vector<Slot*> outputs, const ScanArgs& args)
      : args_(args) {
    args_.extent = x->shape.back();
    args_.rows = core::count(x->shape) / args_.extent;
    detail = std::string(kernel) + (x->dtype == core::DType::bf16 ? "_bf16" : "_f32");
    kernel_ = builder.kernel("scan", detail);
    reads = {x};
    writes.assign(outputs.begin(), outputs.end());
    if (writes.size() == 1) in_place = {{writes[0], x}};
  }
  void run(CUstream stream) override {
    ScanArgs args = args_;
    args.x = reads[0]->data<const void>();
    args.y = writes[0]->data<void>();
    args.indices = writes.size() > 1 ? writes[1]->data<int32_t>() : nullptr;
    kernel_.launch(stream, {unsigned(std::min(args.rows, kMaxBlocks))}, kScanThreads, args);
  }

 private:
  Kernel kernel_;
  ScanArgs args_;
};

std::unique_ptr<Step> make_sums(Builder& builder, const NodeSpec& node, bool from_end) {
  ScanArgs args{};
  args.from_end = from_end;
  Slot* x = builder.row_major(builder.input(node, 0));
  return std::make_unique<ScanStep>(builder, x, "running_sums", std::vector<Slot*>{builder.output(node, 0)}, args);
}

}  // namespace

std::unique_ptr<Step> make_cumsum(Builder& builder, const NodeSpec& node) { return make_sums(builder, node, false); }
std::unique_ptr<Step> make_cumsumGrad(Builder& builder, const NodeSpec& node) { return make_sums(builder, node, true); }

std::unique_ptr<Step> make_topK(Builder& builder, const NodeSpec& node) {
  ScanArgs args{};
  args.k = program::get_int(node, "k");
  Slot* x = builder.row_major(builder.input(node, 0));
  const std::vector<Slot*> outputs = {builder.output(node, 0), builder.output(node, 1)};
  return std::make_unique<ScanStep>(builder, x, "largest", outputs, args);
}

}  // namespace ostrich::cuda
