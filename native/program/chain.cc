// Reads the chain of a `pointwise` node; see chain.h and FORMAT.md, "Chains".
#include "program/chain.h"

#include <cfloat>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "program/attrs.h"

namespace ostrich::program {
namespace {

struct OpInfo {
  const char* name;
  int arity;
};

constexpr OpInfo kOps[] = {
#define OSTRICH_POINTWISE(name, arity) {#name, arity},
#include "program/ops.def"
};

// Ops that have a meaning for integers; the others want a float.
bool takes_integers(PointwiseOp op) {
  switch (op) {
    case PointwiseOp::neg:
    case PointwiseOp::abs:
    case PointwiseOp::sign:
    case PointwiseOp::add:
    case PointwiseOp::sub:
    case PointwiseOp::mul:
    case PointwiseOp::maximum:
    case PointwiseOp::minimum:
    case PointwiseOp::where:
      return true;
    default:
      return false;
  }
}

bool fits_int32(double value) { return value == std::floor(value) && std::abs(value) <= 2147483647.0; }

class ChainReader {
 public:
  ChainReader(const NodeSpec& node, const std::vector<core::DType>& inputs) : node_(node) {
    expect_inputs(node, 0, kMaxChainInputs);
    chain_.inputs = int(inputs.size());
    chain_.dtypes = inputs;
  }

  Chain read() {
    const nlohmann::json& list = get_attr(node_, "chain");
    if (!list.is_array() || list.size() > kMaxInstructions) {
      fail_node(node_, "attribute chain: expected a list of at most ", kMaxInstructions, " instructions, got ",
                describe(list));
    }
    for (const nlohmann::json& item : list) {
      chain_.instructions.push_back(instruction(item));
      chain_.dtypes.push_back(chain_.instructions.back().dtype);
    }
    read_outputs();
    return std::move(chain_);
  }

 private:
  template <typename... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    fail_node(node_, "chain[", chain_.instructions.size(), "]: expected ", parts...);
  }

  Instruction instruction(const nlohmann::json& item) const {
    if (!item.is_array() || item.size() < 2 || !item[0].is_string() || !item[1].is_string()) {
      fail("[\"name\", dtype, operand, ...], got ", describe(item));
    }
    Instruction result{};
    result.op = op_of(item[0]);
    result.arity = arity_of(result.op);
    const auto dtype = core::parse_dtype(item[1].get_ref<const std::string&>());
    if (!dtype) fail("dtype f32, bf16, i32 or u8, got ", describe(item[1]));
    result.dtype = *dtype;
    if (item.size() != size_t(result.arity) + 2) {
      fail(result.arity, " operands of ", name_of(result.op), ", got ", item.size() - 2);
    }
    for (int i = 0; i < result.arity; ++i) result.operands[size_t(i)] = operand(item[size_t(i) + 2]);
    result.in_float = in_float(result);
    check_types(result);
    return result;
  }

  PointwiseOp op_of(const nlohmann::json& name) const {
    const std::string_view wanted = name.get_ref<const std::string&>();
    for (size_t i = 0; i < std::size(kOps); ++i) {
      if (wanted == kOps[i].name) return PointwiseOp(i);
    }
    fail("a pointwise op, got ", describe(name));
  }

  Operand operand(const nlohmann::json& json) const {
    Operand result;
    if (json.is_number_integer()) {
      if (json < 0 || json >= chain_.dtypes.size()) {
        fail("a register below ", chain_.dtypes.size(), ", got ", describe(json));
      }
      result.reg = json.get<int>();
      return result;
    }
    if (!json.is_object() || json.size() != 1 || !json.contains("c") || !json["c"].is_number()) {
      fail("a register or {\"c\": number}, got ", describe(json));
    }
    result.literal = json["c"].get<double>();
    if (!(std::abs(result.literal) <= double(FLT_MAX))) fail("a literal of f32, got ", describe(json["c"]));
    return result;
  }

  bool in_float(const Instruction& instruction) const {
    bool literal = false, whole = true;
    // The condition of `where` chooses, it takes no part in the arithmetic.
    for (int i = instruction.op == PointwiseOp::where ? 1 : 0; i < instruction.arity; ++i) {
      const Operand& operand = instruction.operands[size_t(i)];
      if (!operand.is_literal() && core::is_float(chain_.dtypes[size_t(operand.reg)])) return true;
      literal |= operand.is_literal();
      whole &= !operand.is_literal() || fits_int32(operand.literal);
    }
    return literal && (core::is_float(instruction.dtype) || !whole);
  }

  void check_types(const Instruction& instruction) const {
    const char* name = name_of(instruction.op);
    if (instruction.op == PointwiseOp::cast) return;
    if (is_comparison(instruction.op)) {
      if (instruction.dtype != core::DType::u8) fail("result u8 of ", name, ", got ", core::name_of(instruction.dtype));
      return;
    }
    if (!takes_integers(instruction.op) && !instruction.in_float)
      fail("a float operand of ", name, ", got integers only");
    if (core::is_float(instruction.dtype) != instruction.in_float) {
      fail(instruction.in_float ? "a float result of " : "an integer result of ", name, ", got ",
           core::name_of(instruction.dtype));
    }
  }

  void read_outputs() {
    const std::vector<int64_t> registers = get_ints(node_, "outputs");
    if (registers.empty() || registers.size() > kMaxChainOutputs) {
      fail_node(node_, "attribute outputs: expected 1 to ", kMaxChainOutputs, " registers, got ", registers.size());
    }
    for (int64_t reg : registers) {
      if (reg < 0 || size_t(reg) >= chain_.dtypes.size()) {
        fail_node(node_, "attribute outputs: expected registers below ", chain_.dtypes.size(), ", got ", reg);
      }
      chain_.outputs.push_back(int(reg));
    }
  }

  const NodeSpec& node_;
  Chain chain_;
};

}  // namespace

const char* name_of(PointwiseOp op) { return kOps[size_t(op)].name; }
int arity_of(PointwiseOp op) { return kOps[size_t(op)].arity; }
bool is_comparison(PointwiseOp op) {
  return op == PointwiseOp::equal || op == PointwiseOp::less || op == PointwiseOp::lessEqual;
}

Chain parse_chain(const NodeSpec& node, const std::vector<core::DType>& inputs) {
  return ChainReader(node, inputs).read();
}

Chain parse_chain(const ProgramSpec& spec, const NodeSpec& node) {
  std::vector<core::DType> dtypes;
  for (int id : node.inputs) dtypes.push_back(value(spec, id).dtype);
  return parse_chain(node, dtypes);
}

}  // namespace ostrich::program
