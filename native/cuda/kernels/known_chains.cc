#include "cuda/kernels/known_chains.h"

#include <algorithm>
#include <cstring>

namespace ostrich::cuda {
namespace {

bool is_op(const ChainOp& a, const ChainOp& b) {
  return a.code == b.code && a.to == b.to && a.a == b.a && a.b == b.b && a.c == b.c;
}

char kind_of(const JobInput& input) {
  if (input.access == Access::uniform) return input.dtype == core::DType::f32 ? 'u' : '?';
  if (input.access != Access::linear) return '?';
  return input.dtype == core::DType::f32 ? 'f' : input.dtype == core::DType::bf16 ? 'b' : '?';
}

char kind_of(const JobOutput& output) {
  return output.dtype == core::DType::f32 ? 'f' : output.dtype == core::DType::bf16 ? 'b' : '?';
}

template <class Item>
bool are(const Item* items, int count, const char* kinds) {
  if (int(std::strlen(kinds)) != count) return false;
  return std::equal(items, items + count, kinds, [](const Item& item, char kind) { return kind_of(item) == kind; });
}

}  // namespace

int known_chain(const Job& job, int inputs, int outputs) {
  for (int i = 0; i < kKnownCount; ++i) {
    const KnownChain& known = kKnownChains[i];
    if (job.ops != known.ops || !are(job.inputs, inputs, known.inputs)) continue;
    if (are(job.outputs, outputs, known.outputs) && std::equal(job.code, job.code + job.ops, known.code, is_op))
      return i;
  }
  return -1;
}

}  // namespace ostrich::cuda
