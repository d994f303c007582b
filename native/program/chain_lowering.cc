#include "program/chain_lowering.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ostrich::program {

using core::DType;

namespace {

// u8 operands cannot leave 0..255 through these.
bool stays_in_range(PointwiseOp op) {
  return is_comparison(op) || op == PointwiseOp::where || op == PointwiseOp::maximum || op == PointwiseOp::minimum;
}

}  // namespace

ChainLowering::ChainLowering(const Chain& chain, ChainTarget& target)
    : chain_(chain), target_(target), values_(chain.dtypes.size(), -1) {}

void ChainLowering::run() {
  for (size_t i = 0; i < chain_.instructions.size(); ++i) {
    values_[size_t(chain_.inputs) + i] = lower(chain_.instructions[i]);
  }
}

int ChainLowering::value_of(int reg) {
  int& value = values_[size_t(reg)];
  if (value < 0) value = target_.load(reg);
  return value;
}

bool ChainLowering::is_float(const Operand& operand) const {
  return operand.is_literal() || core::is_float(chain_.dtypes[size_t(operand.reg)]);
}

int ChainLowering::as_float(int reg) {
  if (core::is_float(chain_.dtypes[size_t(reg)])) return value_of(reg);
  const int loaded = values_[size_t(reg)] < 0 ? target_.load_float(reg) : -1;
  return loaded >= 0 ? loaded : target_.convert(Conversion::float_of_int, value_of(reg));
}

int ChainLowering::literal(double number, bool in_float) {
  const float real = float(number);
  const int32_t whole = in_float ? 0 : int32_t(number);
  uint32_t bits;
  std::memcpy(&bits, in_float ? static_cast<const void*>(&real) : &whole, sizeof bits);
  return target_.literal(bits);
}

int ChainLowering::operand(const Operand& operand, bool in_float) {
  if (operand.is_literal()) return literal(operand.literal, in_float);
  return in_float ? as_float(operand.reg) : value_of(operand.reg);
}

int ChainLowering::condition(const Operand& operand) {
  if (operand.is_literal()) return literal(operand.literal != 0, false);
  const int value = value_of(operand.reg);
  return is_float(operand) ? target_.convert(Conversion::truth, value) : value;
}

int ChainLowering::lower(const Instruction& instruction) {
  if (instruction.op == PointwiseOp::cast) return lower_cast(instruction);
  const bool in_float = instruction.in_float, is_where = instruction.op == PointwiseOp::where;
  std::vector<int> operands;
  for (int i = 0; i < instruction.arity; ++i) {
    const Operand& from = instruction.operands[size_t(i)];
    operands.push_back(is_where && i == 0 ? condition(from) : operand(from, in_float));
  }
  int y = target_.compute(instruction, std::move(operands));
  const bool is_real = in_float && !is_comparison(instruction.op);
  if (core::is_float(instruction.dtype)) return is_real ? y : target_.convert(Conversion::float_of_int, y);
  if (is_real) y = target_.convert(Conversion::int_of_float, y);
  const bool wraps = instruction.dtype == DType::u8 && !stays_in_range(instruction.op);
  return wraps ? target_.convert(Conversion::wrap_u8, y) : y;
}

int ChainLowering::lower_cast(const Instruction& instruction) {
  const Operand& from = instruction.operands[0];
  const DType to = instruction.dtype;
  if (core::is_float(to)) {
    const int value = operand(from, true);
    return to == DType::bf16 ? target_.convert(Conversion::round_bf16, value) : value;
  }
  const int value = operand(from, from.is_literal());
  if (is_float(from))
    return target_.convert(to == DType::u8 ? Conversion::u8_of_float : Conversion::int_of_float, value);
  return to == DType::u8 ? target_.convert(Conversion::wrap_u8, value) : value;
}

int Places::take(int now, int last_use) {
  const auto is_free = [&](int last) { return last <= now; };
  auto place = std::find_if(last_uses_.begin(), last_uses_.end(), is_free);
  if (place == last_uses_.end()) place = last_uses_.insert(place, 0);
  *place = last_use;
  return int(place - last_uses_.begin());
}

}  // namespace ostrich::program
