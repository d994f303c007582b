#include "cuda/kernels/chain_job.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace ostrich::cuda {

using core::DType;
using program::Chain;
using program::Instruction;
using program::Operand;
using program::PointwiseOp;

namespace {

bool is_comparison(PointwiseOp op) {
  return op == PointwiseOp::equal || op == PointwiseOp::less || op == PointwiseOp::lessEqual;
}

// u8 operands cannot leave 0..255 through these.
bool stays_in_range(PointwiseOp op) {
  return is_comparison(op) || op == PointwiseOp::where || op == PointwiseOp::maximum || op == PointwiseOp::minimum;
}

// First every value gets a number of its own (as operands: numbers, or literals from kLiteral << 8 on), then registers.
class Lowering {
 public:
  explicit Lowering(const Chain& chain) : chain_(chain), values_(chain.dtypes.size(), -1) { job_.literals = {0}; }

  ChainJob run() {
    for (size_t i = 0; i < chain_.instructions.size(); ++i) {
      values_[size_t(chain_.inputs) + i] = add_instruction(chain_.instructions[i]);
    }
    std::vector<Value> stores;
    for (size_t k = 0; k < chain_.outputs.size(); ++k) {
      stores.push_back({uint16_t(ChainCode::store), {value_of(chain_.outputs[k])}, int(k)});
    }
    code_.insert(code_.end(), stores.begin(), stores.end());
    allocate();
    return std::move(job_);
  }

 private:
  static constexpr int kLiteralValue = 1 << 20;

  struct Value {
    uint16_t code;
    std::vector<int> operands;  // indices into code_, or kLiteralValue + literal
    int number = 0;             // of the input or output
  };

  int add(uint16_t code, std::vector<int> operands, int number = 0) {
    code_.push_back({code, std::move(operands), number});
    return int(code_.size()) - 1;
  }
  int convert(ChainCode code, int value) { return add(uint16_t(code), {value}); }

  int literal(uint32_t bits) {
    auto& literals = job_.literals;
    const auto known = std::find(literals.begin(), literals.end(), bits);
    if (known != literals.end()) return kLiteralValue + int(known - literals.begin());
    literals.push_back(bits);
    return kLiteralValue + int(literals.size()) - 1;
  }
  int literal(double number, bool in_float) {
    const float real = float(number);
    const int32_t whole = in_float ? 0 : int32_t(number);
    uint32_t bits;
    std::memcpy(&bits, in_float ? static_cast<const void*>(&real) : &whole, 4);
    return literal(bits);
  }

  bool is_float(int reg) const { return core::is_float(chain_.dtypes[size_t(reg)]); }

  // The register as it is; an input is loaded where it is first used.
  int value_of(int reg) {
    int& value = values_[size_t(reg)];
    if (value < 0) value = add(uint16_t(ChainCode::load), {}, reg);
    return value;
  }

  int operand(const Operand& operand, bool in_float) {
    if (operand.is_literal()) return literal(operand.literal, in_float);
    const int value = value_of(operand.reg);
    return in_float && !is_float(operand.reg) ? convert(ChainCode::float_of_int, value) : value;
  }

  int condition(const Operand& operand) {
    if (operand.is_literal()) return literal(uint32_t(operand.literal != 0));
    const int value = value_of(operand.reg);
    return is_float(operand.reg) ? convert(ChainCode::truth, value) : value;
  }

  int add_instruction(const Instruction& instruction) {
    if (instruction.op == PointwiseOp::cast) return add_cast(instruction);
    const bool in_float = instruction.in_float, is_where = instruction.op == PointwiseOp::where;
    std::vector<int> operands;
    for (int i = 0; i < instruction.arity; ++i) {
      const Operand& from = instruction.operands[size_t(i)];
      operands.push_back(is_where && i == 0 ? condition(from) : operand(from, in_float));
    }
    const int y = add(uint16_t(kFirstOp + 2 * int(instruction.op) + (in_float ? 1 : 0)), operands);
    const bool is_real = in_float && !is_comparison(instruction.op);
    if (core::is_float(instruction.dtype)) return is_real ? y : convert(ChainCode::float_of_int, y);
    const int whole = is_real ? convert(ChainCode::int_of_float, y) : y;
    const bool wraps = instruction.dtype == DType::u8 && !stays_in_range(instruction.op);
    return wraps ? convert(ChainCode::wrap_u8, whole) : whole;
  }

  int add_cast(const Instruction& instruction) {
    const Operand& from = instruction.operands[0];
    const DType to = instruction.dtype;
    if (core::is_float(to)) {
      const int value = operand(from, true);
      return to == DType::bf16 ? convert(ChainCode::round_bf16, value) : value;
    }
    const int value = operand(from, from.is_literal());
    if (from.is_literal() || is_float(from.reg)) {
      return convert(to == DType::u8 ? ChainCode::u8_of_float : ChainCode::int_of_float, value);
    }
    return to == DType::u8 ? convert(ChainCode::wrap_u8, value) : value;
  }

  void allocate() {
    const size_t n = code_.size();
    std::vector<size_t> last(n, 0);
    for (size_t i = 0; i < n; ++i) {
      for (int value : code_[i].operands) {
        if (value < kLiteralValue) last[size_t(value)] = i;
      }
    }
    std::vector<int> place(n, -1), owner;  // owner: the value in each register, -1 free
    const auto coded = [&](int value) {
      return uint16_t(value >= kLiteralValue ? kLiteral + value - kLiteralValue : place[size_t(value)]);
    };
    for (size_t i = 0; i < n; ++i) {
      const Value& value = code_[i];
      uint16_t operands[3] = {kLiteral, kLiteral, kLiteral};
      for (size_t k = 0; k < value.operands.size(); ++k) operands[k] = coded(value.operands[k]);
      for (int& held : owner) {
        if (held >= 0 && last[size_t(held)] <= i) held = -1;
      }
      const bool stores = value.code == uint16_t(ChainCode::store), loads = value.code == uint16_t(ChainCode::load);
      if (!stores) {
        auto free = std::find(owner.begin(), owner.end(), -1);
        if (free == owner.end()) free = owner.insert(owner.end(), -1);
        *free = int(i);
        place[i] = int(free - owner.begin());
      }
      job_.code.push_back({value.code, uint16_t(stores ? value.number : place[i]),
                           loads ? uint16_t(value.number) : operands[0], operands[1], operands[2]});
    }
    job_.registers = int(owner.size());
    OSTRICH_CHECK(job_.registers <= kManyRegisters && job_.code.size() <= size_t(kJobOps) &&
                  job_.literals.size() <= size_t(kJobLiterals));
  }

  const Chain& chain_;
  std::vector<int> values_;  // of each register of the chain, -1 until loaded
  std::vector<Value> code_;
  ChainJob job_;
};

}  // namespace

ChainJob lower_chain(const Chain& chain) { return Lowering(chain).run(); }

}  // namespace ostrich::cuda
