// A pointwise chain as block code: calls of the table's loops over places, where a place is an input's or output's
// memory, a block-sized buffer, or a single element ("uniform": the same for all elements, computed once per run).
#pragma once

#include <utility>
#include <vector>

#include "cpu/simd/table.h"
#include "program/chain.h"

namespace ostrich::cpu {

// Where the elements of an input are: one after another as the output's, one for all, or found by broadcasting.
enum class Access : uint8_t { linear, uniform, broadcast };

struct BlockOp {
  simd::BlockFn fn;
  int y, a, b, c;  // places; an absent operand repeats a
};

// Places are numbered: inputs, outputs, uniform elements, buffers.
struct ChainPlan {
  int inputs, outputs;
  std::vector<uint32_t> uniforms;  // bits; literals are set, the rest is computed by the prologue
  int buffers;
  int64_t block;                           // elements of a buffer
  std::vector<BlockOp> prologue;           // one element each
  std::vector<BlockOp> body;               // one block each
  std::vector<std::pair<int, int>> loads;  // (input, place): what the broadcasting loader brings before each block
  // (output, input): every read of the input comes no later than the first write of the output, block by block.
  std::vector<std::pair<int, int>> in_place;

  int uniform_place(int index) const { return inputs + outputs + index; }
  int buffer_place(int index) const { return uniform_place(int(uniforms.size())) + index; }
  int places() const { return buffer_place(buffers); }
};

constexpr int64_t kBufferFloats = 8192;  // 32 KiB for all buffers of a thread: they stay in the first-level cache

// `lender[i]` is the first input that shares memory with input i, or -1 where no output may be written over that
// memory. `all_uniform`: the output has one element.
ChainPlan plan_chain(const program::Chain& chain, const std::vector<Access>& access, const std::vector<int>& lender,
                     bool all_uniform, const simd::Table& table);

// True when zeros in all inputs but the uniform ones (whose values are unknown) make zeros in every output.
bool keeps_zero(const program::Chain& chain, const std::vector<bool>& uniform, const simd::Table& table);

// Loads `dtype` from memory into a register.
simd::BlockFn loader_of(core::DType dtype, const simd::Table& table);

}  // namespace ostrich::cpu
