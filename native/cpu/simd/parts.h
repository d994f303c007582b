// What the files of this folder give each other, once per instruction set: their parts of the table, and the two float
// kinds of element. All of it is in the namespace of the instruction set.
#pragma once

#include "cpu/simd/table.h"
#include "math/convert.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {

void add_pointwise(Table& table);
void add_convert(Table& table);
void add_reduce(Table& table);
void add_softmax(Table& table);
void add_ctc(Table& table);
void add_lrn(Table& table);
void add_normalise(Table& table);
void add_max_pool(Table& table);
void add_panels(Table& table);
void add_recurrent(Table& table);
void add_random(Table& table);
void add_winograd(Table& table);
void add_word2vec(Table& table);
Table make_table();

#if defined(__AVX512F__)
constexpr int64_t kPanelLanes = 16;
#else
constexpr int64_t kPanelLanes = 8;
#endif

struct F32 {
  using Stored = float;
  static inline __attribute__((always_inline)) float load(float x) { return x; }
  static inline __attribute__((always_inline)) float store(float x) { return x; }
};

struct Bf16 {
  using Stored = uint16_t;
  static inline __attribute__((always_inline)) float load(uint16_t x) { return math::bf16_to_float(x); }
  static inline __attribute__((always_inline)) uint16_t store(float x) { return math::float_to_bf16(x); }
};

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
