#include "cpu/kernels/chain_code.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace ostrich::cpu {

using core::DType;
using program::Chain;
using program::Instruction;
using program::Operand;
using program::PointwiseOp;

simd::BlockFn loader_of(DType dtype, const simd::Table& table) {
  switch (dtype) {
    case DType::bf16:
      return table.f32_from_bf16;
    case DType::u8:
      return table.i32_from_u8;
    default:
      return table.copy4;
  }
}

namespace {

bool is_comparison(PointwiseOp op) {
  return op == PointwiseOp::equal || op == PointwiseOp::less || op == PointwiseOp::lessEqual;
}

// u8 operands cannot leave 0..255 through these.
bool stays_in_range(PointwiseOp op) {
  return is_comparison(op) || op == PointwiseOp::where || op == PointwiseOp::maximum || op == PointwiseOp::minimum ||
         op == PointwiseOp::cast;
}

class Coder {
 public:
  Coder(const Chain& chain, const std::vector<Access>& access, bool all_uniform, const simd::Table& table)
      : chain_(chain), access_(access), all_uniform_(all_uniform), table_(table) {}

  ChainCode code() {
    registers_.assign(chain_.dtypes.size(), -1);
    for (int i = 0; i < chain_.inputs; ++i) add_input(i);
    for (size_t i = 0; i < chain_.instructions.size(); ++i) {
      registers_[size_t(chain_.inputs) + i] = add_instruction(chain_.instructions[i]);
    }
    for (size_t k = 0; k < chain_.outputs.size(); ++k) add_output(int(k));
    return std::move(code_);
  }

 private:
  int add_value(ChainValue value) {
    code_.values.push_back(value);
    return int(code_.values.size()) - 1;
  }

  int add_op(simd::BlockFn fn, bool in_float, std::vector<int> operands, bool uniform) {
    ChainValue value{};
    value.uniform = uniform;
    value.in_float = in_float;
    const int y = add_value(value);
    code_.ops.push_back({fn, y, std::move(operands), uniform});
    return y;
  }

  int convert(simd::BlockFn fn, bool in_float, int value) {
    return add_op(fn, in_float, {value}, code_.values[size_t(value)].uniform);
  }

  // Memory of f32 and i32 inputs is a register as it lies; bf16 and u8 are converted by the first op that needs them.
  void add_input(int i) {
    const DType dtype = chain_.dtypes[size_t(i)];
    ChainValue memory{};
    memory.uniform = all_uniform_ || access_[size_t(i)] == Access::uniform;
    memory.in_float = core::is_float(dtype);
    if (!memory.uniform && access_[size_t(i)] == Access::broadcast) {
      registers_[size_t(i)] = add_value(memory);
      code_.loads.push_back({i, registers_[size_t(i)]});
      return;
    }
    memory.input = i;
    const int value = add_value(memory);
    if (dtype == DType::f32 || dtype == DType::i32)
      registers_[size_t(i)] = value;
    else
      narrow_[i] = value;
  }

  int register_value(int reg) {
    int& value = registers_[size_t(reg)];
    if (value < 0) {
      const DType dtype = chain_.dtypes[size_t(reg)];
      value = convert(loader_of(dtype, table_), core::is_float(dtype), narrow_.at(reg));
    }
    return value;
  }

  int as_float(int value) {
    if (code_.values[size_t(value)].in_float) return value;
    const auto found = floats_.find(value);
    if (found != floats_.end()) return found->second;
    return floats_[value] = convert(table_.f32_from_i32, true, value);
  }

  // A u8 input goes straight to f32 where no one needs it as an integer.
  int float_register(int reg) {
    const auto narrow = narrow_.find(reg);
    if (chain_.dtypes[size_t(reg)] == DType::u8 && narrow != narrow_.end() && registers_[size_t(reg)] < 0) {
      const auto found = floats_.find(narrow->second);
      if (found != floats_.end()) return found->second;
      return floats_[narrow->second] = convert(table_.f32_from_u8, true, narrow->second);
    }
    return as_float(register_value(reg));
  }

  int literal(double number, bool in_float) {
    const float real = float(number);
    const int32_t whole = in_float ? 0 : int32_t(number);
    ChainValue value{};
    value.uniform = true;
    value.in_float = in_float;
    std::memcpy(&value.bits, in_float ? static_cast<const void*>(&real) : &whole, 4);
    return add_value(value);
  }

  int operand_value(const Operand& operand, bool in_float) {
    if (operand.is_literal()) return literal(operand.literal, in_float);
    return in_float ? float_register(operand.reg) : register_value(operand.reg);
  }

  int condition_value(const Operand& operand) {
    if (operand.is_literal()) return literal(operand.literal != 0, false);
    const int value = register_value(operand.reg);
    return code_.values[size_t(value)].in_float ? convert(table_.truth, false, value) : value;
  }

  bool is_uniform(int value) const { return code_.values[size_t(value)].uniform; }

  int splat(int value) {
    if (!is_uniform(value) || all_uniform_) return value;
    return add_op(table_.fill4, code_.values[size_t(value)].in_float, {value}, false);
  }

  int add_instruction(const Instruction& instruction) {
    if (instruction.op == PointwiseOp::cast) return add_cast(instruction);
    const bool in_float = instruction.in_float, is_where = instruction.op == PointwiseOp::where;
    std::vector<int> operands;
    for (int i = 0; i < instruction.arity; ++i) {
      const Operand& operand = instruction.operands[size_t(i)];
      operands.push_back(is_where && i == 0 ? condition_value(operand) : operand_value(operand, in_float));
    }
    const bool uniform = std::all_of(operands.begin(), operands.end(), [&](int value) { return is_uniform(value); });
    int variant = 0;
    if (!uniform && instruction.arity > 1) {
      if (is_where) operands[0] = splat(operands[0]);
      const size_t first = is_where ? 1 : 0;
      variant = (is_uniform(operands[first]) ? 1 : 0) | (is_uniform(operands[first + 1]) ? 2 : 0);
    }
    const bool result_in_float = in_float && !is_comparison(instruction.op);
    const int y = add_op(table_.pointwise[in_float][int(instruction.op)][variant], result_in_float, operands, uniform);
    return as_dtype(y, instruction);
  }

  // The result of an instruction as a register of its own dtype.
  int as_dtype(int y, const Instruction& instruction) {
    if (core::is_float(instruction.dtype)) return as_float(y);
    if (code_.values[size_t(y)].in_float) y = convert(table_.i32_from_f32, false, y);
    const bool wraps = instruction.dtype == DType::u8 && !stays_in_range(instruction.op);
    return wraps ? convert(table_.wrap_u8, false, y) : y;
  }

  int add_cast(const Instruction& instruction) {
    const Operand& operand = instruction.operands[0];
    const DType to = instruction.dtype;
    if (core::is_float(to)) {
      const int value = operand_value(operand, true);
      return to == DType::bf16 ? convert(table_.round_bf16, true, value) : value;
    }
    const int value = operand_value(operand, operand.is_literal());
    if (code_.values[size_t(value)].in_float) {
      return convert(to == DType::u8 ? table_.saturate_u8 : table_.i32_from_f32, false, value);
    }
    return to == DType::u8 ? convert(table_.wrap_u8, false, value) : value;
  }

  // f32 and i32 may be written where they belong by the op that makes them (bind_outputs); otherwise an op stores them.
  void add_output(int k) {
    const int reg = chain_.outputs[size_t(k)], value = splat(register_value(reg));
    const DType dtype = chain_.dtypes[size_t(reg)];
    const bool narrow = dtype == DType::bf16 || dtype == DType::u8;
    simd::BlockFn store = !narrow ? table_.copy4 : dtype == DType::bf16 ? table_.bf16_from_f32 : table_.u8_from_i32;
    code_.ops.push_back({store, -1 - k, {value}, all_uniform_});
  }

  const Chain& chain_;
  const std::vector<Access>& access_;
  const bool all_uniform_;
  const simd::Table& table_;
  ChainCode code_;
  std::vector<int> registers_;  // value of each register, -1 until needed
  std::map<int, int> narrow_;   // bf16 and u8 inputs: value of their memory
  std::map<int, int> floats_;   // integer value -> the same as f32
};

}  // namespace

ChainCode code_chain(const Chain& chain, const std::vector<Access>& access, bool all_uniform,
                     const simd::Table& table) {
  return Coder(chain, access, all_uniform, table).code();
}

}  // namespace ostrich::cpu
