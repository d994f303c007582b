// Does a chain keep zeros? Asked before a chain runs over a layout's padding, which must stay zero. Values are traced
// as known numbers or as unknown; a product with zero counts as zero, since an infinite or NaN factor spoils the
// elements beside the padding just as much.
#include <algorithm>
#include <array>

#include "cpu/kernels/chain_plan.h"

namespace ostrich::cpu {
namespace {

using core::DType;
using program::Instruction;
using program::PointwiseOp;

struct Known {
  bool known;
  float value;
  bool is_zero() const { return known && value == 0; }
};

constexpr Known kUnknown{false, 0};
constexpr Known kZero{true, 0};

Known cast(Known x, DType dtype, const simd::Table& table) {
  if (!x.known) return x;
  int32_t whole = 0;
  if (dtype == DType::bf16) table.round_bf16(&x.value, &x.value, &x.value, &x.value, 1);
  if (dtype == DType::i32) table.i32_from_f32(&whole, &x.value, &x.value, &x.value, 1);
  if (dtype == DType::u8) table.saturate_u8(&whole, &x.value, &x.value, &x.value, 1);
  return core::is_float(dtype) ? x : Known{true, float(whole)};
}

Known evaluate(const Instruction& instruction, const std::array<Known, 3>& x, const simd::Table& table) {
  const simd::BlockFn fn = table.pointwise[instruction.in_float][int(instruction.op)][0];
  const int32_t whole[3] = {int32_t(x[0].value), int32_t(x[1].value), int32_t(x[2].value)};
  float real = 0;
  int32_t integer = 0;
  const bool in_float = instruction.in_float && !program::is_comparison(instruction.op);
  void* y = in_float ? static_cast<void*>(&real) : &integer;
  const auto operand = [&](int i) -> const void* {
    const bool condition = instruction.op == PointwiseOp::where && i == 0;
    return instruction.in_float && !condition ? static_cast<const void*>(&x[size_t(i)].value) : &whole[i];
  };
  fn(y, operand(0), operand(1), operand(2), 1);
  return {true, in_float ? real : float(integer)};
}

Known trace(const Instruction& instruction, const std::array<Known, 3>& x, const simd::Table& table) {
  if (instruction.op == PointwiseOp::cast) return cast(x[0], instruction.dtype, table);
  if (std::all_of(x.begin(), x.begin() + instruction.arity, [](const Known& k) { return k.known; })) {
    return evaluate(instruction, x, table);
  }
  switch (instruction.op) {
    case PointwiseOp::mul:
      return x[0].is_zero() || x[1].is_zero() ? kZero : kUnknown;
    case PointwiseOp::div:
    case PointwiseOp::reluGrad:
      return x[0].is_zero() ? kZero : kUnknown;
    case PointwiseOp::where:
      if (x[0].known) return x[0].value != 0 ? x[1] : x[2];
      return x[1].known && x[2].known && x[1].value == x[2].value ? x[1] : kUnknown;
    default:
      return kUnknown;
  }
}

}  // namespace

bool keeps_zero(const program::Chain& chain, const std::vector<bool>& uniform, const simd::Table& table) {
  std::vector<Known> registers;
  for (bool is_uniform : uniform) registers.push_back(is_uniform ? kUnknown : kZero);
  for (const Instruction& instruction : chain.instructions) {
    std::array<Known, 3> operands{kZero, kZero, kZero};
    for (int i = 0; i < instruction.arity; ++i) {
      const program::Operand& operand = instruction.operands[size_t(i)];
      operands[size_t(i)] = operand.is_literal() ? Known{true, float(operand.literal)} : registers[size_t(operand.reg)];
    }
    registers.push_back(trace(instruction, operands, table));
  }
  return std::all_of(chain.outputs.begin(), chain.outputs.end(),
                     [&](int reg) { return registers[size_t(reg)].is_zero(); });
}

}  // namespace ostrich::cpu
