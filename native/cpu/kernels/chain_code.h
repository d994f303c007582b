// A chain as operations on values, before anything has a place: every conversion between element types is an operation
// of its own, and what is the same for all elements ("uniform") is told apart.
#pragma once

#include <utility>
#include <vector>

#include "cpu/kernels/chain_plan.h"

namespace ostrich::cpu {

struct ChainValue {
  bool uniform;
  uint32_t bits = 0;  // of a literal
  int input = -1;     // the input whose memory this is
  int place = -1;
  int last_use = -1;  // number of the last operation that reads it
};

struct ChainOp {
  simd::BlockFn fn;
  int y;                      // value, or -1 - output for a store
  std::vector<int> operands;  // values
  bool uniform;
};

struct ChainCode {
  std::vector<ChainValue> values;
  std::vector<ChainOp> ops;                // one store for each output, wherever its value is known
  std::vector<std::pair<int, int>> loads;  // (input, value) of broadcast inputs
};

ChainCode code_chain(const program::Chain& chain, const std::vector<Access>& access, bool all_uniform,
                     const simd::Table& table);

}  // namespace ostrich::cpu
