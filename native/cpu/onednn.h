// oneDNN in the house's terms: element types, descriptors, errors, and a Step that executes one primitive.
#pragma once

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <utility>
#include <vector>

#include "cpu/activation.h"
#include "cpu/builder.h"

namespace ostrich::cpu {

dnnl::memory::data_type dnnl_type(core::DType dtype);
core::DType core_type(dnnl::memory::data_type type);

// Row-major; a scalar becomes one axis of one element.
dnnl::memory::desc row_major_desc(core::DType dtype, const core::Shape& shape);
// Layout left to the primitive.
dnnl::memory::desc any_desc(core::DType dtype, const core::Shape& shape);

// The descriptor of an arbitrary layout: plain strides, or one of oneDNN's public format tags; zero when none matches.
dnnl::memory::desc find_desc(core::DType dtype, const Layout& layout);

// True when this machine multiplies bf16 in hardware (AVX512-BF16 or AMX). Where it does not, bf16 tensors are widened
// to f32 for convolutions and products: the results are the same, and several times faster than emulation.
bool native_bf16();
// Whether products of bf16 take less time than those of f32, on a processor of Intel or another with this instruction
// set.
bool bf16_is_faster_by_rule(dnnl::cpu_isa isa, bool intel);
// "native", "slow" (native, but f32 is faster) or "widened".
const char* bf16_support();

// The type that convolutions and products compute in for inputs of `dtype`.
core::DType compute_type(core::DType dtype);

// The type that pools work in for inputs of `dtype`: oneDNN has pools of bf16 from AVX-512 on.
core::DType pool_type(core::DType dtype);

// Attributes that every primitive uses: scratchpad in the arena.
dnnl::primitive_attr user_scratchpad();

// Executes one primitive over slots; the memory objects carry the primitive's own descriptors.
class PrimitiveStep : public Step {
 public:
  PrimitiveStep(Builder& builder, const dnnl::primitive& primitive, const dnnl::primitive_desc_base& description);
  PrimitiveStep& reads_arg(int arg, Slot* slot, const dnnl::memory::desc& desc);
  PrimitiveStep& writes_arg(int arg, Slot* slot, const dnnl::memory::desc& desc);
  // What is written to `y` goes through the activation.
  PrimitiveStep& activates(const Slot* y, const Activation& activation);
  void run(RunContext& context) override;

 private:
  void add(int arg, Slot* slot, const dnnl::memory::desc& desc);
  dnnl::engine engine_;
  dnnl::primitive primitive_;
  std::vector<std::pair<Slot*, dnnl::memory>> memories_;
  std::vector<dnnl_exec_arg_t> args_;
  const Slot* activated_ = nullptr;
  Activation activation_;
};

}  // namespace ostrich::cpu
