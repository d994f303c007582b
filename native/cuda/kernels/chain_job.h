// Lowers a chain to the code of a Job: conversions made explicit, registers reused as soon as their value is dead.
#pragma once

#include <vector>

#include "cuda/kernels/pointwise.h"
#include "program/chain.h"

namespace ostrich::cuda {

struct ChainJob {
  std::vector<ChainOp> code;
  std::vector<uint32_t> literals;  // the first is 0
  int registers = 0;
};

ChainJob lower_chain(const program::Chain& chain);

}  // namespace ostrich::cuda
