// Turns a chain into block code: conversions between element types, uniform values moved out of the loop, outputs written
// where they belong, buffers shared by values that are never alive together.
#include "cpu/kernels/chain_plan.h"

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

struct Value {
  bool uniform;
  bool in_float;       // register of f32, else of i32
  int place = -1;      // set at once for memory and literals, for the rest after the last op is known
  int input = -1;      // the input whose memory this is
  int last_use = -1;   // op
};

struct Op {
  simd::BlockFn fn;
  int y;                       // value, or -1 - output when it stores
  std::vector<int> operands;   // values
  bool uniform;
};

class Planner {
 public:
  Planner(const Chain& chain, const std::vector<Access>& access, const std::vector<int>& same_memory, bool all_uniform,
          const simd::Table& table)
      : chain_(chain), access_(access), same_memory_(same_memory), all_uniform_(all_uniform), table_(table) {
    plan_.inputs = chain.inputs;
    plan_.outputs = int(chain.outputs.size());
  }

  ChainPlan plan() {
    registers_.assign(chain_.dtypes.size(), -1);
    for (int i = 0; i < chain_.inputs; ++i) add_input(i);
    for (size_t i = 0; i < chain_.instructions.size(); ++i) {
      registers_[size_t(chain_.inputs) + i] = add_instruction(chain_.instructions[i]);
    }
    for (int k = 0; k < plan_.outputs; ++k) add_output(k);
    find_uses();
    bind_outputs();
    place_uniforms();
    place_buffers();
    emit_ops();
    return plan_;
  }

 private:
  int add_value(Value value) {
    values_.push_back(value);
    return int(values_.size()) - 1;
  }

  int add_op(simd::BlockFn fn, bool in_float, std::vector<int> operands, bool uniform) {
    Value value{};
    value.uniform = uniform;
    value.in_float = in_float;
    const int y = add_value(value);
    ops_.push_back({fn, y, std::move(operands), uniform});
    return y;
  }

  int convert(simd::BlockFn fn, bool in_float, int value) {
    return add_op(fn, in_float, {value}, values_[size_t(value)].uniform);
  }

  // Memory of f32 and i32 inputs is a register as it lies; bf16 and u8 are converted by the first op that needs them.
  void add_input(int i) {
    const DType dtype = chain_.dtypes[size_t(i)];
    Value memory{};
    memory.uniform = all_uniform_ || access_[size_t(i)] == Access::uniform;
    memory.in_float = core::is_float(dtype);
    if (!memory.uniform && access_[size_t(i)] == Access::broadcast) {
      registers_[size_t(i)] = add_value(memory);
      loads_.push_back({i, registers_[size_t(i)]});
      return;
    }
    memory.place = memory.input = i;
    memory_.push_back(add_value(memory));
    if (dtype == DType::f32 || dtype == DType::i32) registers_[size_t(i)] = memory_.back();
    else narrow_[i] = memory_.back();
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
    if (values_[size_t(value)].in_float) return value;
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
    uint32_t bits;
    std::memcpy(&bits, in_float ? static_cast<const void*>(&real) : &whole, 4);
    Value value{};
    value.uniform = true;
    value.in_float = in_float;
    value.place = plan_.uniform_place(int(plan_.uniforms.size()));
    plan_.uniforms.push_back(bits);
    return add_value(value);
  }

  int operand_value(const Operand& operand, bool in_float) {
    if (operand.is_literal()) return literal(operand.literal, in_float);
    return in_float ? float_register(operand.reg) : register_value(operand.reg);
  }

  int condition_value(const Operand& operand) {
    if (operand.is_literal()) return literal(operand.literal != 0, false);
    const int value = register_value(operand.reg);
    return values_[size_t(value)].in_float ? convert(table_.truth, false, value) : value;
  }

  bool is_uniform(int value) const { return values_[size_t(value)].uniform; }

  int splat(int value) {
    if (!is_uniform(value) || all_uniform_) return value;
    return add_op(table_.fill4, values_[size_t(value)].in_float, {value}, false);
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
    if (values_[size_t(y)].in_float) y = convert(table_.i32_from_f32, false, y);
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
    if (values_[size_t(value)].in_float) {
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
    ops_.push_back({store, -1 - k, {value}, all_uniform_});
  }

  void find_uses() {
    for (size_t i = 0; i < ops_.size(); ++i) {
      for (int value : ops_[i].operands) values_[size_t(value)].last_use = int(i);
    }
  }

  // Last op that reads memory which input i may share.
  int last_read(int i) const {
    int last = -1;
    for (int value : memory_) {
      const Value& memory = values_[size_t(value)];
      if (same_memory_[size_t(memory.input)] == same_memory_[size_t(i)]) last = std::max(last, memory.last_use);
    }
    return last;
  }

  bool could_share(int output, int input) const {
    const DType from = chain_.dtypes[size_t(input)], to = chain_.dtypes[size_t(chain_.outputs[size_t(output)])];
    const bool linear = all_uniform_ || access_[size_t(input)] == Access::linear;
    return linear && core::size_of(from) == core::size_of(to);
  }

  // Lets the maker of a value write the output itself, if that leaves the output an input whose memory it may take.
  void bind_outputs() {
    for (size_t s = 0; s < ops_.size(); ++s) {
      Op& store = ops_[s];
      if (store.y >= 0) continue;
      const int k = -1 - store.y, value = store.operands[0];
      const auto maker = std::find_if(ops_.begin(), ops_.end(), [&](const Op& op) { return op.y == value; });
      const bool bindable = store.fn == table_.copy4 && maker != ops_.end() && values_[size_t(value)].place < 0;
      const int early = bindable ? int(maker - ops_.begin()) : int(s);
      std::vector<int> safe_early, safe_late;
      for (int i = 0; i < plan_.inputs; ++i) {
        if (!could_share(k, i)) continue;
        if (last_read(i) <= early) safe_early.push_back(i);
        if (last_read(i) <= int(s)) safe_late.push_back(i);
      }
      const bool bind = bindable && (!safe_early.empty() || safe_late.empty());
      for (int i : bind ? safe_early : safe_late) plan_.in_place.push_back({k, i});
      if (!bind) continue;
      values_[size_t(value)].place = plan_.inputs + k;
      store.fn = nullptr;
    }
  }

  void place_uniforms() {
    for (Value& value : values_) {
      if (!value.uniform || value.place >= 0) continue;
      value.place = plan_.uniform_place(int(plan_.uniforms.size()));
      plan_.uniforms.push_back(0);
    }
  }

  // A buffer is free again at the op that reads it last, so that op may write over it.
  void place_buffers() {
    std::vector<int> owner;  // value in each buffer, or -1
    const auto take = [&](int value) {
      auto free = std::find(owner.begin(), owner.end(), -1);
      if (free == owner.end()) free = owner.insert(owner.end(), -1);
      *free = value;
      values_[size_t(value)].place = plan_.buffer_place(int(free - owner.begin()));
    };
    for (const auto& load : loads_) take(load.second);
    for (size_t i = 0; i < ops_.size(); ++i) {
      for (int& value : owner) {
        if (value >= 0 && values_[size_t(value)].last_use <= int(i)) value = -1;
      }
      if (ops_[i].y >= 0 && values_[size_t(ops_[i].y)].place < 0) take(ops_[i].y);
    }
    plan_.buffers = int(owner.size());
    const int64_t block = kBufferFloats / std::max(1, plan_.buffers) / 16 * 16;
    plan_.block = std::min<int64_t>(1024, block);
  }

  void emit_ops() {
    for (const auto& [input, value] : loads_) plan_.loads.push_back({input, values_[size_t(value)].place});
    for (const Op& op : ops_) {
      if (op.fn == nullptr) continue;
      const auto place = [&](size_t i) { return values_[size_t(op.operands[i < op.operands.size() ? i : 0])].place; };
      const int y = op.y < 0 ? plan_.inputs - 1 - op.y : values_[size_t(op.y)].place;
      (op.uniform ? plan_.prologue : plan_.body).push_back({op.fn, y, place(0), place(1), place(2)});
    }
  }

  const Chain& chain_;
  const std::vector<Access>& access_;
  const std::vector<int>& same_memory_;
  const bool all_uniform_;
  const simd::Table& table_;
  ChainPlan plan_{};
  std::vector<Value> values_;
  std::vector<Op> ops_;
  std::vector<int> registers_;               // value of each register, -1 until needed
  std::vector<int> memory_;                  // values that are inputs' memory
  std::vector<std::pair<int, int>> loads_;   // (input, value)
  std::map<int, int> narrow_;                // bf16 and u8 inputs: value of their memory
  std::map<int, int> floats_;                // integer value -> the same as f32
};

}  // namespace

ChainPlan plan_chain(const Chain& chain, const std::vector<Access>& access, const std::vector<int>& same_memory,
                     bool all_uniform, const simd::Table& table) {
  return Planner(chain, access, same_memory, all_uniform, table).plan();
}

}  // namespace ostrich::cpu
