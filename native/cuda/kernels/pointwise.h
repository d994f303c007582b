// A chain of instructions as the device runs it: a table of jobs in device memory, each with its inputs, outputs and
// code. Shared by host and device code.
#pragma once

#include "core/dtype.h"
#include "cuda/fault.h"
#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

// What an instruction does. Codes from kFirstOp on are program::PointwiseOp: kFirstOp + 2 * op in i32, one more in f32.
enum class ChainCode : uint16_t {
  load,   // input a, as f32 or i32
  store,  // output `to` takes register a
  // From here to `truth` in the order of program::Conversion.
  float_of_int,
  int_of_float,
  u8_of_float,
  wrap_u8,
  round_bf16,
  truth,  // 1 where the float a is not zero
};
constexpr int kFirstOp = 8;
enum OpNumber : int {
#define OSTRICH_POINTWISE(name, arity) op_##name,
#include "program/ops.def"
};
constexpr int kLiteral = 128;  // operands from here on are literals, else registers

struct ChainOp {
  uint16_t code, to, a, b, c;
};

constexpr int kJobInputs = 24, kJobOutputs = 8, kJobOps = 352, kJobLiterals = 192;
constexpr int kJobs = 64;  // of one launch
// Registers and elements of a thread: of nearly every chain, and of any.
constexpr int kFewRegisters = 24, kFewWidth = 4, kManyRegisters = 96;

enum class Access : uint8_t { linear, uniform, broadcast };

struct JobInput {
  const void* data;
  core::DType dtype;
  Access access;
  bool aligned;  // kFewWidth elements at a time
  int64_t strides[kMaxAxes];
};

struct JobOutput {
  void* data;
  core::DType dtype;
  bool aligned;
};

struct Job {
  int64_t count;
  int axes, ops;
  bool aligned;               // every input and output is
  Divisor extents[kMaxAxes];  // of the output as it lies, for broadcast inputs
  JobInput inputs[kJobInputs];
  JobOutput outputs[kJobOutputs];
  uint32_t literals[kJobLiterals];
  ChainOp code[kJobOps];
};

struct PointwiseArgs {
  const Fault* fault;
  int jobs;
  int first_block[kJobs + 1];
  const Job* job[kJobs];
};

}  // namespace ostrich::cuda
