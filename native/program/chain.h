// The instructions of a `pointwise` node, parsed and checked: register order, arity, dtypes, limits.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/dtype.h"
#include "program/program_spec.h"

namespace ostrich::program {

enum class PointwiseOp : uint8_t {
#define OSTRICH_POINTWISE(name, arity) name,
#include "program/ops.def"
};

const char* name_of(PointwiseOp op);
int arity_of(PointwiseOp op);
// Whether the result is 0 or 1, whatever the operands are.
bool is_comparison(PointwiseOp op);

constexpr size_t kMaxInstructions = 64;
constexpr size_t kMaxChainInputs = 24;
constexpr size_t kMaxChainOutputs = 8;

// A register, or a literal when `reg` is negative.
struct Operand {
  int reg = -1;
  double literal = 0;
  bool is_literal() const { return reg < 0; }
};

struct Instruction {
  PointwiseOp op;
  core::DType dtype;  // of the result
  int arity;
  std::array<Operand, 3> operands;  // the first `arity` count
  // Whether it computes in f32, else in wrapping i32: f32 when an operand register is float, or when a literal meets a
  // float result or is no whole number. A whole literal of an i32 instruction fits int32.
  bool in_float;
};

// Registers 0 .. inputs - 1 are the node's inputs; instruction i writes register inputs + i.
struct Chain {
  int inputs;
  std::vector<core::DType> dtypes;  // of every register
  std::vector<Instruction> instructions;
  std::vector<int> outputs;  // registers
};

// `inputs` are the dtypes of the node's inputs. Throws ERR_PROGRAM naming the instruction.
Chain parse_chain(const NodeSpec& node, const std::vector<core::DType>& inputs);
Chain parse_chain(const ProgramSpec& spec, const NodeSpec& node);

}  // namespace ostrich::program
