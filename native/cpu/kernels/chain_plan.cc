// Gives the values of a chain their places: outputs written where they belong, uniform values computed before the loop,
// buffers shared by values that are never alive together.
#include "cpu/kernels/chain_plan.h"

#include <algorithm>

#include "cpu/kernels/chain_code.h"
#include "program/chain_lowering.h"

namespace ostrich::cpu {

using core::DType;
using program::Chain;

namespace {

class Planner {
 public:
  Planner(const Chain& chain, const std::vector<Access>& access, const std::vector<int>& lender, bool all_uniform,
          const simd::Table& table)
      : chain_(chain), lender_(lender), copy_(table.copy4), code_(code_chain(chain, access, all_uniform, table)) {
    plan_.inputs = chain.inputs;
    plan_.outputs = int(chain.outputs.size());
  }

  ChainPlan plan() {
    find_uses();
    bind_outputs();
    place_uniforms();
    place_buffers();
    emit_ops();
    return std::move(plan_);
  }

 private:
  void find_uses() {
    for (ChainValue& value : code_.values) value.place = value.input;  // inputs come first
    for (size_t i = 0; i < code_.ops.size(); ++i) {
      for (int value : code_.ops[i].operands) code_.values[size_t(value)].last_use = int(i);
    }
  }

  // Last op that reads memory which input i may share.
  int last_read(int i) const {
    int last = -1;
    for (const ChainValue& value : code_.values) {
      if (value.input < 0 || lender_[size_t(value.input)] != lender_[size_t(i)]) continue;
      last = std::max(last, value.last_use);
    }
    return last;
  }

  bool could_share(int output, int input) const {
    const DType from = chain_.dtypes[size_t(input)], to = chain_.dtypes[size_t(chain_.outputs[size_t(output)])];
    return lender_[size_t(input)] >= 0 && core::size_of(from) == core::size_of(to);
  }

  // Lets the maker of a value write the output itself, if that leaves the output an input whose memory it may take.
  void bind_outputs() {
    for (size_t s = 0; s < code_.ops.size(); ++s) {
      ChainOp& store = code_.ops[s];
      if (store.y >= 0) continue;
      const int k = -1 - store.y, value = store.operands[0];
      const auto maker =
          std::find_if(code_.ops.begin(), code_.ops.end(), [&](const ChainOp& op) { return op.y == value; });
      const bool bindable = store.fn == copy_ && maker != code_.ops.end() && code_.values[size_t(value)].place < 0;
      const int early = bindable ? int(maker - code_.ops.begin()) : int(s);
      std::vector<int> safe_early, safe_late;
      for (int i = 0; i < plan_.inputs; ++i) {
        if (!could_share(k, i)) continue;
        if (last_read(i) <= early) safe_early.push_back(i);
        if (last_read(i) <= int(s)) safe_late.push_back(i);
      }
      const bool bind = bindable && (!safe_early.empty() || safe_late.empty());
      for (int i : bind ? safe_early : safe_late) plan_.in_place.push_back({k, i});
      if (!bind) continue;
      code_.values[size_t(value)].place = plan_.inputs + k;
      store.fn = nullptr;
    }
  }

  void place_uniforms() {
    for (ChainValue& value : code_.values) {
      if (!value.uniform || value.place >= 0) continue;
      value.place = plan_.uniform_place(int(plan_.uniforms.size()));
      plan_.uniforms.push_back(value.bits);
    }
  }

  void place_buffers() {
    program::Places buffers;
    const auto take = [&](int op, int value) {
      ChainValue& taker = code_.values[size_t(value)];
      taker.place = plan_.buffer_place(buffers.take(op, taker.last_use));
    };
    for (const auto& load : code_.loads) take(-1, load.second);
    for (size_t i = 0; i < code_.ops.size(); ++i) {
      const int y = code_.ops[i].y;
      if (y >= 0 && code_.values[size_t(y)].place < 0) take(int(i), y);
    }
    plan_.buffers = buffers.count();
    const int64_t block = kBufferFloats / std::max(1, plan_.buffers) / 16 * 16;
    plan_.block = std::min<int64_t>(1024, block);
  }

  void emit_ops() {
    for (const auto& [input, value] : code_.loads) plan_.loads.push_back({input, code_.values[size_t(value)].place});
    for (const ChainOp& op : code_.ops) {
      if (op.fn == nullptr) continue;
      const auto place = [&](size_t i) {
        return code_.values[size_t(op.operands[i < op.operands.size() ? i : 0])].place;
      };
      const int y = op.y < 0 ? plan_.inputs - 1 - op.y : code_.values[size_t(op.y)].place;
      (op.uniform ? plan_.prologue : plan_.body).push_back({op.fn, y, place(0), place(1), place(2)});
    }
  }

  const Chain& chain_;
  const std::vector<int>& lender_;
  const simd::BlockFn copy_;
  ChainCode code_;
  ChainPlan plan_{};
};

}  // namespace

ChainPlan plan_chain(const Chain& chain, const std::vector<Access>& access, const std::vector<int>& lender,
                     bool all_uniform, const simd::Table& table) {
  return Planner(chain, access, lender, all_uniform, table).plan();
}

}  // namespace ostrich::cpu
