// Copies between two forms of one value: a sweep where only the element type differs, tiles between two packings of
// bf16 weights, a oneDNN reorder where oneDNN has a kernel for both, else element by element.
#include <cstring>

#include "cpu/cpu_builder.h"
#include "cpu/onednn.h"
#include "cpu/paired_copy.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"

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

// Between bf16 and f32 in one layout: below AVX-512 oneDNN's reorder goes element by element, ten times as slow.
class ConvertStep : public Step {
 public:
  ConvertStep(Slot* source, Slot* target) : source_(source), is_widening_(source->dtype == core::DType::bf16) {
    reads = {source};
    writes = {target};
    detail = is_widening_ ? "widen" : "narrow";
  }
  void run(RunContext& context) override {
    const simd::Table& table = simd::table();
    const simd::BlockFn convert = is_widening_ ? table.f32_from_bf16 : table.bf16_from_f32;
    const char* from = reads[0]->data<char>();
    char* to = writes[0]->data<char>();
    const size_t in = core::size_of(reads[0]->dtype), out = core::size_of(writes[0]->dtype);
    parallel_for(context.threads, source_->layout.elements(), kAlone, [&](int64_t begin, int64_t end) {
      const char* part = from + size_t(begin) * in;
      convert(to + size_t(begin) * out, part, part, part, end - begin);
    });
  }

 private:
  static constexpr int64_t kAlone = 32768;  // elements below which one thread does it all
  const Slot* source_;
  const bool is_widening_;
};

bool is_conversion(const Slot* source, const Slot* target) {
  return source->layout == target->layout && source->dtype != target->dtype && core::is_float(source->dtype) &&
         core::is_float(target->dtype);
}

dnnl::memory::desc desc_of(const Slot* slot) {
  return slot->desc.is_zero() ? find_desc(slot->dtype, slot->layout) : slot->desc;
}

dnnl::reorder::primitive_desc reorder_of(const dnnl::engine& engine, const dnnl::memory::desc& from,
                                         const dnnl::memory::desc& to) {
  return {engine, from, engine, to, user_scratchpad()};
}

// oneDNN's reference loop finds the place of every element anew.
bool is_slow(const dnnl::reorder::primitive_desc& description) {
  return std::strcmp(description.impl_info_str(), "simple:any") == 0;
}

}  // namespace

bool is_copied_slowly(Builder& builder, const Slot* source, const dnnl::memory::desc& to) {
  const dnnl::memory::desc from = desc_of(source);
  return !from.is_zero() && !to.is_zero() && is_slow(reorder_of(builder.engine(), from, to));
}

std::unique_ptr<Step> make_copy(Builder& builder, Slot* source, Slot* target) {
  if (is_conversion(source, target)) return std::make_unique<ConvertStep>(source, target);
  if (auto step = make_paired_copy(source, target)) return step;
  const bool same_layout = source->layout == target->layout && source->dtype == target->dtype;
  const dnnl::memory::desc from = desc_of(source), to = desc_of(target);
  if (same_layout || from.is_zero() || to.is_zero()) {
    OSTRICH_CHECK(source->dtype == target->dtype);
    return std::make_unique<PermuteStep>(source, target);
  }
  const dnnl::reorder::primitive_desc description = reorder_of(builder.engine(), from, to);
  if (source->dtype == target->dtype && is_slow(description)) return std::make_unique<PermuteStep>(source, target);
  auto step = std::make_unique<PrimitiveStep>(builder, dnnl::reorder(description), description);
  step->reads_arg(DNNL_ARG_FROM, source, from).writes_arg(DNNL_ARG_TO, target, to);
  return step;
}

}  // namespace ostrich::cpu
