#include "cuda/kernels/chain_job.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "program/chain_lowering.h"

namespace ostrich::cuda {

using program::Chain;
using program::Conversion;
using program::Instruction;

namespace {

// First every value gets a number of its own (as operands: numbers, or kLiteralValue + the number of a literal), then
// registers.
class Lowering : public program::ChainTarget {
 public:
  explicit Lowering(const Chain& chain) : chain_(chain) { job_.literals = {0}; }

  ChainJob run() {
    program::ChainLowering lowering(chain_, *this);
    lowering.run();
    // Stores come last, whatever they load: an output may lie where an input does.
    std::vector<Value> stores;
    for (size_t k = 0; k < chain_.outputs.size(); ++k) {
      stores.push_back({uint16_t(ChainCode::store), {lowering.value_of(chain_.outputs[k])}, int(k)});
    }
    code_.insert(code_.end(), stores.begin(), stores.end());
    allocate();
    return std::move(job_);
  }

  int load(int input) override { return add(uint16_t(ChainCode::load), {}, input); }

  int literal(uint32_t bits) override {
    auto& literals = job_.literals;
    const auto known = std::find(literals.begin(), literals.end(), bits);
    const int number = int(known - literals.begin());
    if (known == literals.end()) literals.push_back(bits);
    return kLiteralValue + number;
  }

  int convert(Conversion conversion, int value) override {
    static_assert(int(ChainCode::truth) - int(ChainCode::float_of_int) == int(Conversion::truth));
    return add(uint16_t(int(ChainCode::float_of_int) + int(conversion)), {value});
  }

  int compute(const Instruction& instruction, std::vector<int> operands) override {
    return add(uint16_t(kFirstOp + 2 * int(instruction.op) + (instruction.in_float ? 1 : 0)), std::move(operands));
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

  void allocate() {
    std::vector<int> last(code_.size(), -1), place(code_.size(), -1);
    for (size_t i = 0; i < code_.size(); ++i) {
      for (int value : code_[i].operands) {
        if (value < kLiteralValue) last[size_t(value)] = int(i);
      }
    }
    const auto coded = [&](int value) {
      return uint16_t(value >= kLiteralValue ? kLiteral + value - kLiteralValue : place[size_t(value)]);
    };
    program::Places registers;
    for (size_t i = 0; i < code_.size(); ++i) {
      const Value& value = code_[i];
      uint16_t operands[3] = {kLiteral, kLiteral, kLiteral};
      for (size_t k = 0; k < value.operands.size(); ++k) operands[k] = coded(value.operands[k]);
      const bool stores = value.code == uint16_t(ChainCode::store), loads = value.code == uint16_t(ChainCode::load);
      if (!stores) place[i] = registers.take(int(i), last[i]);
      job_.code.push_back({value.code, uint16_t(stores ? value.number : place[i]),
                           loads ? uint16_t(value.number) : operands[0], operands[1], operands[2]});
    }
    job_.registers = registers.count();
    OSTRICH_CHECK(job_.registers <= kManyRegisters && job_.code.size() <= size_t(kJobOps) &&
                  job_.literals.size() <= size_t(kJobLiterals));
  }

  const Chain& chain_;
  std::vector<Value> code_;
  ChainJob job_;
};

}  // namespace

ChainJob lower_chain(const Chain& chain) { return Lowering(chain).run(); }

}  // namespace ostrich::cuda
