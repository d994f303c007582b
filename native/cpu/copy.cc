// Copies between two forms of one value: a oneDNN reorder where oneDNN can describe both, else element by element.
#include "cpu/cpu_builder.h"
#include "cpu/onednn.h"

namespace ostrich::cpu {

namespace {

class PermuteStep : public Step {
 public:
  PermuteStep(Slot* source, Slot* target) : source_(source), target_(target) {
    reads = {source};
    writes = {target};
    detail = "permute";
  }
  void run(RunContext&) override {
    permute(source_->data<void>(), source_->layout, target_->data<void>(), target_->layout,
            core::size_of(source_->dtype));
  }

 private:
  Slot *source_, *target_;
};

dnnl::memory::desc desc_of(const Slot* slot) {
  return slot->desc.is_zero() ? find_desc(slot->dtype, slot->layout) : slot->desc;
}

}  // namespace

std::unique_ptr<Step> make_copy(Builder& builder, Slot* source, Slot* target) {
  const bool same_layout = source->layout == target->layout && source->dtype == target->dtype;
  const dnnl::memory::desc from = desc_of(source), to = desc_of(target);
  if (same_layout || from.is_zero() || to.is_zero()) {
    OSTRICH_CHECK(source->dtype == target->dtype);
    return std::make_unique<PermuteStep>(source, target);
  }
  const dnnl::reorder::primitive_desc description(builder.engine(), from, builder.engine(), to, user_scratchpad());
  auto step = std::make_unique<PrimitiveStep>(builder, dnnl::reorder(description), description);
  step->reads_arg(DNNL_ARG_FROM, source, from).writes_arg(DNNL_ARG_TO, target, to);
  return step;
}

}  // namespace ostrich::cpu
