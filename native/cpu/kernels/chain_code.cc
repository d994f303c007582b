#include "cpu/kernels/chain_code.h"

#include <algorithm>
#include <map>

#include "program/chain_lowering.h"

namespace ostrich::cpu {

using core::DType;
using program::Chain;
using program::Conversion;
using program::Instruction;
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

class Coder : public program::ChainTarget {
 public:
  Coder(const Chain& chain, const std::vector<Access>& access, bool all_uniform, const simd::Table& table)
      : chain_(chain), access_(access), all_uniform_(all_uniform), table_(table) {}

  ChainCode code() {
    for (int i = 0; i < chain_.inputs; ++i) add_input(i);
    program::ChainLowering lowering(chain_, *this);
    lowering.run();
    for (size_t k = 0; k < chain_.outputs.size(); ++k) add_output(int(k), lowering.value_of(chain_.outputs[k]));
    return std::move(code_);
  }

  int load(int input) override {
    const DType dtype = chain_.dtypes[size_t(input)];
    const int value = inputs_[size_t(input)];
    return lies_narrow(input) ? add_op(loader_of(dtype, table_), {value}, is_uniform(value)) : value;
  }

  int load_float(int input) override {
    if (chain_.dtypes[size_t(input)] != DType::u8 || !lies_narrow(input)) return -1;
    return float_of(inputs_[size_t(input)], table_.f32_from_u8);
  }

  int literal(uint32_t bits) override {
    ChainValue value{};
    value.uniform = true;
    value.bits = bits;
    return add_value(value);
  }

  int convert(Conversion conversion, int value) override {
    if (conversion == Conversion::float_of_int) return float_of(value, converter(conversion));
    return add_op(converter(conversion), {value}, is_uniform(value));
  }

  int compute(const Instruction& instruction, std::vector<int> operands) override {
    const bool is_where = instruction.op == PointwiseOp::where;
    const bool uniform = std::all_of(operands.begin(), operands.end(), [&](int value) { return is_uniform(value); });
    int variant = 0;
    if (!uniform && instruction.arity > 1) {
      if (is_where) operands[0] = splat(operands[0]);
      const size_t first = is_where ? 1 : 0;
      variant = (is_uniform(operands[first]) ? 1 : 0) | (is_uniform(operands[first + 1]) ? 2 : 0);
    }
    return add_op(table_.pointwise[instruction.in_float][int(instruction.op)][variant], std::move(operands), uniform);
  }

 private:
  int add_value(ChainValue value) {
    code_.values.push_back(value);
    return int(code_.values.size()) - 1;
  }

  int add_op(simd::BlockFn fn, std::vector<int> operands, bool uniform) {
    ChainValue value{};
    value.uniform = uniform;
    const int y = add_value(value);
    code_.ops.push_back({fn, y, std::move(operands), uniform});
    return y;
  }

  // Memory of f32 and i32 inputs is a register as it lies; the broadcasting loader converts what it brings.
  void add_input(int i) {
    ChainValue memory{};
    memory.uniform = all_uniform_ || access_[size_t(i)] == Access::uniform;
    const bool is_loaded = !memory.uniform && access_[size_t(i)] == Access::broadcast;
    if (!is_loaded) memory.input = i;
    inputs_.push_back(add_value(memory));
    if (is_loaded) code_.loads.push_back({i, inputs_.back()});
  }

  // bf16 and u8 in memory are converted by the first op that needs them.
  bool lies_narrow(int input) const {
    const DType dtype = chain_.dtypes[size_t(input)];
    return (dtype == DType::bf16 || dtype == DType::u8) && code_.values[size_t(inputs_[size_t(input)])].input >= 0;
  }

  int float_of(int value, simd::BlockFn fn) {
    const auto found = floats_.find(value);
    if (found != floats_.end()) return found->second;
    return floats_[value] = add_op(fn, {value}, is_uniform(value));
  }

  simd::BlockFn converter(Conversion conversion) const {
    switch (conversion) {
      case Conversion::float_of_int:
        return table_.f32_from_i32;
      case Conversion::int_of_float:
        return table_.i32_from_f32;
      case Conversion::u8_of_float:
        return table_.saturate_u8;
      case Conversion::wrap_u8:
        return table_.wrap_u8;
      case Conversion::round_bf16:
        return table_.round_bf16;
      case Conversion::truth:
        return table_.truth;
    }
    return nullptr;
  }

  bool is_uniform(int value) const { return code_.values[size_t(value)].uniform; }

  int splat(int value) {
    if (!is_uniform(value) || all_uniform_) return value;
    return add_op(table_.fill4, {value}, false);
  }

  // f32 and i32 may be written where they belong by the op that makes them (bind_outputs); otherwise an op stores them.
  void add_output(int k, int value) {
    const DType dtype = chain_.dtypes[size_t(chain_.outputs[size_t(k)])];
    const bool narrow = dtype == DType::bf16 || dtype == DType::u8;
    simd::BlockFn store = !narrow ? table_.copy4 : dtype == DType::bf16 ? table_.bf16_from_f32 : table_.u8_from_i32;
    code_.ops.push_back({store, -1 - k, {splat(value)}, all_uniform_});
  }

  const Chain& chain_;
  const std::vector<Access>& access_;
  const bool all_uniform_;
  const simd::Table& table_;
  ChainCode code_;
  std::vector<int> inputs_;    // value of each input's memory, or of what the broadcasting loader brings
  std::map<int, int> floats_;  // integer value -> the same as f32
};

}  // namespace

ChainCode code_chain(const Chain& chain, const std::vector<Access>& access, bool all_uniform,
                     const simd::Table& table) {
  return Coder(chain, access, all_uniform, table).code();
}

}  // namespace ostrich::cpu
