// Chains that go over every weight, or every activation of a layer, in each step of training: for these there are
// kernels whose instructions are known when they are compiled. Any other chain, and these in small tensors, is
// interpreted.
#pragma once

#include "cuda/kernels/pointwise.h"

namespace ostrich::cuda {

constexpr int kKnownOps = 24, kKnownRegisters = 4;
constexpr int64_t kWorthKnown = int64_t(1) << 14;  // elements; below, jobs that share a launch are worth more

struct KnownChain {
  const char* name;
  const char* inputs;   // f: f32, b: bf16, u: one f32 for all elements
  const char* outputs;  // f, b
  int ops;
  ChainOp code[kKnownOps];  // as chain_job.cc writes it
};

// Names of optimisers: their updates, in _bf16 of a bf16 gradient and with a bf16 copy of the weight; decay and
// nesterov have momentum too, varied ones a rate that is computed.
#define OSTRICH_KNOWN_CHAINS(X) \
  X(relu_f32)                   \
  X(relu_bf16)                  \
  X(relu_grad_f32)              \
  X(relu_grad_bf16)             \
  X(to_bf16)                    \
  X(square_f32)                 \
  X(square_bf16)                \
  X(momentum_f32)               \
  X(momentum_bf16)              \
  X(decay_f32)                  \
  X(decay_bf16)                 \
  X(nesterov_f32)               \
  X(nesterov_bf16)              \
  X(clipped_f32)                \
  X(clipped_bf16)               \
  X(adam_f32)                   \
  X(adam_bf16)                  \
  X(varied_momentum_f32)        \
  X(varied_momentum_bf16)       \
  X(varied_decay_f32)           \
  X(varied_decay_bf16)          \
  X(varied_nesterov_f32)        \
  X(varied_nesterov_bf16)       \
  X(varied_clipped_f32)         \
  X(varied_clipped_bf16)

enum KnownNumber : int {
#define OSTRICH_KNOWN_NUMBER(name) known_##name,
  OSTRICH_KNOWN_CHAINS(OSTRICH_KNOWN_NUMBER)
#undef OSTRICH_KNOWN_NUMBER
      kKnownCount
};

namespace known {

constexpr uint16_t kNone = kLiteral;

constexpr int literal(int number) { return kLiteral + number; }
constexpr ChainOp load(int to, int input) {
  return {uint16_t(ChainCode::load), uint16_t(to), uint16_t(input), kNone, kNone};
}
constexpr ChainOp store(int output, int from) {
  return {uint16_t(ChainCode::store), uint16_t(output), uint16_t(from), kNone, kNone};
}
constexpr ChainOp round(int to, int from) {
  return {uint16_t(ChainCode::round_bf16), uint16_t(to), uint16_t(from), kNone, kNone};
}
constexpr ChainOp call(OpNumber op, int to, int a, int b = kNone) {
  return {uint16_t(kFirstOp + 2 * op + 1), uint16_t(to), uint16_t(a), uint16_t(b), kNone};
}

}  // namespace known

inline constexpr KnownChain kKnownChains[kKnownCount] = {
    {"relu_f32", "f", "f", 3, {known::load(0, 0), known::call(op_relu, 0, 0), known::store(0, 0)}},
    {"relu_bf16", "b", "b", 3, {known::load(0, 0), known::call(op_relu, 0, 0), known::store(0, 0)}},
    {"relu_grad_f32",
     "ff",
     "f",
     4,
     {known::load(0, 0), known::load(1, 1), known::call(op_reluGrad, 0, 0, 1), known::store(0, 0)}},
    {"relu_grad_bf16",
     "bb",
     "b",
     4,
     {known::load(0, 0), known::load(1, 1), known::call(op_reluGrad, 0, 0, 1), known::store(0, 0)}},
    {"to_bf16", "f", "b", 3, {known::load(0, 0), known::round(0, 0), known::store(0, 0)}},
    {"square_f32", "f", "f", 3, {known::load(0, 0), known::call(op_mul, 0, 0, 0), known::store(0, 0)}},
    {"square_bf16", "b", "f", 3, {known::load(0, 0), known::call(op_mul, 0, 0, 0), known::store(0, 0)}},
    {"momentum_f32",
     "fff",
     "ff",
     9,
     {known::load(0, 0), known::call(op_mul, 0, 0, known::literal(1)), known::load(1, 1), known::call(op_add, 0, 0, 1),
      known::call(op_mul, 1, 0, known::literal(2)), known::load(2, 2), known::call(op_sub, 1, 2, 1), known::store(0, 0),
      known::store(1, 1)}},
    {"momentum_bf16",
     "bff",
     "ffb",
     11,
     {known::load(0, 0), known::load(1, 1), known::call(op_mul, 1, 1, known::literal(1)), known::call(op_add, 0, 1, 0),
      known::call(op_mul, 1, 0, known::literal(2)), known::load(2, 2), known::call(op_sub, 1, 2, 1), known::round(2, 1),
      known::store(0, 0), known::store(1, 1), known::store(2, 2)}},
    {"decay_f32",
     "fff",
     "ff",
     11,
     {known::load(0, 0), known::call(op_mul, 1, 0, known::literal(1)), known::load(2, 1), known::call(op_add, 1, 2, 1),
      known::load(2, 2), known::call(op_mul, 2, 2, known::literal(2)), known::call(op_add, 1, 2, 1),
      known::call(op_mul, 2, 1, known::literal(3)), known::call(op_sub, 0, 0, 2), known::store(0, 1),
      known::store(1, 0)}},
    {"decay_bf16",
     "bff",
     "ffb",
     13,
     {known::load(0, 0), known::load(1, 1), known::call(op_mul, 2, 1, known::literal(1)), known::call(op_add, 0, 0, 2),
      known::load(2, 2), known::call(op_mul, 2, 2, known::literal(2)), known::call(op_add, 0, 2, 0),
      known::call(op_mul, 2, 0, known::literal(3)), known::call(op_sub, 1, 1, 2), known::round(2, 1),
      known::store(0, 0), known::store(1, 1), known::store(2, 2)}},
    {"nesterov_f32",
     "fff",
     "ff",
     13,
     {known::load(0, 0), known::call(op_mul, 1, 0, known::literal(1)), known::load(2, 1), known::call(op_add, 1, 2, 1),
      known::load(2, 2), known::call(op_mul, 2, 2, known::literal(2)), known::call(op_add, 2, 2, 1),
      known::call(op_mul, 3, 2, known::literal(2)), known::call(op_add, 1, 1, 3),
      known::call(op_mul, 1, 1, known::literal(3)), known::call(op_sub, 0, 0, 1), known::store(0, 2),
      known::store(1, 0)}},
    {"nesterov_bf16",
     "bff",
     "ffb",
     15,
     {known::load(0, 0), known::load(1, 1), known::call(op_mul, 2, 1, known::literal(1)), known::call(op_add, 0, 0, 2),
      known::load(2, 2), known::call(op_mul, 2, 2, known::literal(2)), known::call(op_add, 2, 2, 0),
      known::call(op_mul, 3, 2, known::literal(2)), known::call(op_add, 0, 0, 3),
      known::call(op_mul, 0, 0, known::literal(3)), known::call(op_sub, 0, 1, 0), known::round(1, 0),
      known::store(0, 2), known::store(1, 0), known::store(2, 1)}},
    {"clipped_f32",
     "fuf",
     "f",
     6,
     {known::load(0, 0), known::load(1, 1), known::call(op_mul, 0, 0, 1), known::load(1, 2),
      known::call(op_sub, 0, 1, 0), known::store(0, 0)}},
    {"clipped_bf16",
     "buf",
     "fb",
     8,
     {known::load(0, 0), known::load(1, 1), known::call(op_mul, 0, 0, 1), known::load(1, 2),
      known::call(op_sub, 0, 1, 0), known::round(1, 0), known::store(0, 0), known::store(1, 1)}},
    {"adam_f32",
     "fffuuf",
     "fff",
     22,
     {known::load(0, 0),
      known::call(op_mul, 0, 0, known::literal(1)),
      known::load(1, 1),
      known::call(op_mul, 2, 1, known::literal(2)),
      known::call(op_add, 0, 0, 2),
      known::load(2, 2),
      known::call(op_mul, 2, 2, known::literal(3)),
      known::call(op_mul, 1, 1, 1),
      known::call(op_mul, 1, 1, known::literal(4)),
      known::call(op_add, 1, 2, 1),
      known::call(op_sqrt, 2, 1),
      known::load(3, 3),
      known::call(op_mul, 2, 2, 3),
      known::call(op_add, 2, 2, known::literal(5)),
      known::call(op_div, 2, 0, 2),
      known::load(3, 4),
      known::call(op_mul, 2, 2, 3),
      known::load(3, 5),
      known::call(op_sub, 2, 3, 2),
      known::store(0, 0),
      known::store(1, 1),
      known::store(2, 2)}},
    {"adam_bf16",
     "fbfuuf",
     "fffb",
     24,
     {known::load(0, 0),
      known::call(op_mul, 0, 0, known::literal(1)),
      known::load(1, 1),
      known::call(op_mul, 2, 1, known::literal(2)),
      known::call(op_add, 0, 0, 2),
      known::load(2, 2),
      known::call(op_mul, 2, 2, known::literal(3)),
      known::call(op_mul, 1, 1, 1),
      known::call(op_mul, 1, 1, known::literal(4)),
      known::call(op_add, 1, 2, 1),
      known::call(op_sqrt, 2, 1),
      known::load(3, 3),
      known::call(op_mul, 2, 2, 3),
      known::call(op_add, 2, 2, known::literal(5)),
      known::call(op_div, 2, 0, 2),
      known::load(3, 4),
      known::call(op_mul, 2, 2, 3),
      known::load(3, 5),
      known::call(op_sub, 2, 3, 2),
      known::round(3, 2),
      known::store(0, 0),
      known::store(1, 1),
      known::store(2, 2),
      known::store(3, 3)}},
    {"varied_momentum_f32",
     "ffuf",
     "ff",
     10,
     {known::load(0, 0), known::call(op_mul, 0, 0, known::literal(1)), known::load(1, 1), known::call(op_add, 0, 0, 1),
      known::load(1, 2), known::call(op_mul, 1, 0, 1), known::load(2, 3), known::call(op_sub, 1, 2, 1),
      known::store(0, 0), known::store(1, 1)}},
    {"varied_momentum_bf16",
     "bfuf",
     "ffb",
     12,
     {known::load(0, 0), known::load(1, 1), known::call(op_mul, 1, 1, known::literal(1)), known::call(op_add, 0, 1, 0),
      known::load(1, 2), known::call(op_mul, 1, 0, 1), known::load(2, 3), known::call(op_sub, 1, 2, 1),
      known::round(2, 1), known::store(0, 0), known::store(1, 1), known::store(2, 2)}},
    {"varied_decay_f32",
     "fffu",
     "ff",
     12,
     {known::load(0, 0), known::call(op_mul, 1, 0, known::literal(1)), known::load(2, 1), known::call(op_add, 1, 2, 1),
      known::load(2, 2), known::call(op_mul, 2, 2, known::literal(2)), known::call(op_add, 1, 2, 1), known::load(2, 3),
      known::call(op_mul, 2, 1, 2), known::call(op_sub, 0, 0, 2), known::store(0, 1), known::store(1, 0)}},
    {"varied_decay_bf16",
     "bffu",
     "ffb",
     14,
     {known::load(0, 0), known::load(1, 1), known::call(op_mul, 2, 1, known::literal(1)), known::call(op_add, 0, 0, 2),
      known::load(2, 2), known::call(op_mul, 2, 2, known::literal(2)), known::call(op_add, 0, 2, 0), known::load(2, 3),
      known::call(op_mul, 2, 0, 2), known::call(op_sub, 1, 1, 2), known::round(2, 1), known::store(0, 0),
      known::store(1, 1), known::store(2, 2)}},
    {"varied_nesterov_f32",
     "fffu",
     "ff",
     14,
     {known::load(0, 0), known::call(op_mul, 1, 0, known::literal(1)), known::load(2, 1), known::call(op_add, 1, 2, 1),
      known::load(2, 2), known::call(op_mul, 2, 2, known::literal(2)), known::call(op_add, 2, 2, 1),
      known::call(op_mul, 3, 2, known::literal(2)), known::call(op_add, 1, 1, 3), known::load(3, 3),
      known::call(op_mul, 1, 1, 3), known::call(op_sub, 0, 0, 1), known::store(0, 2), known::store(1, 0)}},
    {"varied_nesterov_bf16",
     "bffu",
     "ffb",
     16,
     {known::load(0, 0), known::load(1, 1), known::call(op_mul, 2, 1, known::literal(1)), known::call(op_add, 0, 0, 2),
      known::load(2, 2), known::call(op_mul, 2, 2, known::literal(2)), known::call(op_add, 2, 2, 0),
      known::call(op_mul, 3, 2, known::literal(2)), known::call(op_add, 0, 0, 3), known::load(3, 3),
      known::call(op_mul, 0, 0, 3), known::call(op_sub, 0, 1, 0), known::round(1, 0), known::store(0, 2),
      known::store(1, 0), known::store(2, 1)}},
    {"varied_clipped_f32",
     "fuuf",
     "f",
     8,
     {known::load(0, 0), known::load(1, 1), known::call(op_mul, 0, 0, 1), known::load(1, 2),
      known::call(op_mul, 0, 0, 1), known::load(1, 3), known::call(op_sub, 0, 1, 0), known::store(0, 0)}},
    {"varied_clipped_bf16",
     "buuf",
     "fb",
     10,
     {known::load(0, 0), known::load(1, 1), known::call(op_mul, 0, 0, 1), known::load(1, 2),
      known::call(op_mul, 0, 0, 1), known::load(1, 3), known::call(op_sub, 0, 1, 0), known::round(1, 0),
      known::store(0, 0), known::store(1, 1)}},
};

// The chain that a job is, or -1.
int known_chain(const Job& job, int inputs, int outputs);

}  // namespace ostrich::cuda
