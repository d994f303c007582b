#include "cpu/onednn.h"

namespace ostrich::cpu {

using core::DType;
using dnnl::memory;

memory::data_type dnnl_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return memory::data_type::f32;
    case DType::bf16:
      return memory::data_type::bf16;
    case DType::i32:
      return memory::data_type::s32;
    case DType::u8:
      return memory::data_type::u8;
  }
  return memory::data_type::undef;
}

DType core_type(memory::data_type type) {
  switch (type) {
    case memory::data_type::f32:
      return DType::f32;
    case memory::data_type::bf16:
      return DType::bf16;
    case memory::data_type::s32:
      return DType::i32;
    case memory::data_type::u8:
      return DType::u8;
    default:
      core::fail("ERR_INTERNAL", "oneDNN: expected f32, bf16, s32 or u8, got data type ", int(type));
  }
}

memory::desc row_major_desc(DType dtype, const core::Shape& shape) {
  const core::Shape dims = shape.empty() ? core::Shape{1} : shape;
  return memory::desc(dims, dnnl_type(dtype), core::row_major_strides(dims));
}

memory::desc any_desc(DType dtype, const core::Shape& shape) {
  return memory::desc(shape, dnnl_type(dtype), memory::format_tag::any);
}

memory::desc find_desc(DType dtype, const Layout& layout) {
  if (layout.dims.empty()) return row_major_desc(dtype, {});
  if (layout.block_axis.empty()) return memory::desc(layout.dims, dnnl_type(dtype), layout.strides);
  for (int tag = dnnl_format_tag_any + 1; tag < dnnl_format_tag_last; ++tag) {
    const memory::desc desc(layout.dims, dnnl_type(dtype), static_cast<memory::format_tag>(tag), true);
    // An impossible combination leaves an empty handle, of which nothing may be asked.
    if (desc.get(true) != nullptr && Layout::of(desc) == layout) return desc;
  }
  return {};
}

bool native_bf16() {
  static const bool native = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core_bf16;
  return native;
}

// Intel's processors that have tiles for bf16 (AMX) multiply vectors of it more slowly than f32; a virtual machine may
// hide the tiles, and oneDNN then names the set by what else came with them, FP16 (docs/decisions/0003).
bool bf16_is_faster_by_rule(dnnl::cpu_isa isa, bool intel) {
  return isa >= dnnl::cpu_isa::avx512_core_bf16 && !(intel && isa == dnnl::cpu_isa::avx512_core_fp16);
}

const char* bf16_support() {
  if (!native_bf16()) return "widened";
  return bf16_is_faster_by_rule(dnnl::get_effective_cpu_isa(), __builtin_cpu_is("intel") != 0) ? "native" : "slow";
}

DType compute_type(DType dtype) { return dtype == DType::bf16 && !native_bf16() ? DType::f32 : dtype; }

DType pool_type(DType dtype) {
  static const bool narrow = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core;
  return dtype == DType::bf16 && !narrow ? DType::f32 : dtype;
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

PrimitiveStep::PrimitiveStep(Builder& builder, const dnnl::primitive& primitive,
                             const dnnl::primitive_desc_base& description)
    : engine_(builder.engine()), primitive_(primitive) {
  detail = description.impl_info_str();
  const memory::desc scratchpad = description.scratchpad_desc();
  if (scratchpad.get_size() > 0) writes_arg(DNNL_ARG_SCRATCHPAD, builder.scratch(scratchpad.get_size()), scratchpad);
}

PrimitiveStep& PrimitiveStep::reads_arg(int arg, Slot* slot, const memory::desc& desc) {
  reads.push_back(slot);
  add(arg, slot, desc);
  return *this;
}

PrimitiveStep& PrimitiveStep::writes_arg(int arg, Slot* slot, const memory::desc& desc) {
  writes.push_back(slot);
  add(arg, slot, desc);
  return *this;
}

PrimitiveStep& PrimitiveStep::activates(const Slot* y, const Activation& activation) {
  activated_ = y;
  activation_ = activation;
  return *this;
}

void PrimitiveStep::add(int arg, Slot* slot, const memory::desc& desc) {
  memories_.emplace_back(slot, memory(desc, engine_, nullptr));
  args_.push_back({arg, memories_.back().second.get()});
}

void PrimitiveStep::run(RunContext& context) {
  for (auto& [slot, memory] : memories_) memory.set_data_handle(slot->data<void>());
  const dnnl_status_t status =
      dnnl_primitive_execute(primitive_.get(), context.stream.get(), int(args_.size()), args_.data());
  if (status != dnnl_success)
    core::fail("ERR_INTERNAL", op, "[", path, "]: oneDNN's ", detail, " failed with status ", int(status));
  if (activated_ != nullptr) activation_.run(activated_, context.threads);
}

}  // namespace ostrich::cpu
