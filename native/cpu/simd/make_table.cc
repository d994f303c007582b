// One instruction set's table, put together from the parts.
#include "cpu/simd/parts.h"

#define OSTRICH_TEXT_OF(x) #x
#define OSTRICH_TEXT(x) OSTRICH_TEXT_OF(x)

namespace ostrich::cpu::simd::OSTRICH_ISA {

Table make_table() {
  Table table{};
  table.isa = OSTRICH_TEXT(OSTRICH_ISA);
  add_pointwise(table);
  add_convert(table);
  add_reduce(table);
  add_softmax(table);
  add_ctc(table);
  add_lrn(table);
  add_normalise(table);
  add_max_pool(table);
  add_panels(table);
  add_recurrent(table);
  add_random(table);
  add_winograd(table);
  add_word2vec(table);
  return table;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
