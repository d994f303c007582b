// Chooses the table of inner loops for the CPU that the process runs on.
#include <cstdlib>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>

#include "cpu/simd/bf16/bf16_table.h"
#include "cpu/simd/table.h"

namespace ostrich::cpu::simd {

namespace baseline {
Table make_table();
}
namespace avx2 {
Table make_table();
}
namespace avx512 {
Table make_table();
}

namespace {

struct Isa {
  const char* name;
  dnnl::cpu_isa least;  // what oneDNN must be allowed to use: ONEDNN_MAX_CPU_ISA caps these loops too
  bool (*supported)();
  Table (*make_table)();
};

bool is_allowed(dnnl::cpu_isa isa) { return dnnl::get_effective_cpu_isa() >= isa; }

// Best first. The features are those of the compiler flags in CMakeLists.txt.
const Isa kIsas[] = {
    {"avx512", dnnl::cpu_isa::avx512_core,
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
              bool(__builtin_cpu_supports("fma"));
     },
     avx512::make_table},
    {"avx2", dnnl::cpu_isa::avx2, [] { return __builtin_cpu_supports("avx2") && bool(__builtin_cpu_supports("fma")); },
     avx2::make_table},
    {"baseline", dnnl::cpu_isa::isa_default, [] { return true; }, baseline::make_table},
};

const Table& choose() {
  const char* cap = std::getenv("OSTRICH_MAX_ISA");
  bool capped = cap != nullptr;
  for (const Isa& isa : kIsas) {
    if (capped && std::strcmp(cap, isa.name) == 0) capped = false;
    if (capped || !is_allowed(isa.least)) continue;
    if (const Table* found = table_of(isa.name)) return *found;
  }
  return *table_of("baseline");
}

}  // namespace

const Table* table_of(const char* name) {
  static const Table* tables[3] = {};
  static const bool filled = [] {
    for (size_t i = 0; i < 3; ++i) {
      if (kIsas[i].supported()) tables[i] = new Table(kIsas[i].make_table());
    }
    return true;
  }();
  (void)filled;
  for (size_t i = 0; i < 3; ++i) {
    if (std::strcmp(name, kIsas[i].name) == 0) return tables[i];
  }
  return nullptr;
}

const Table& table() {
  static const Table& chosen = choose();
  return chosen;
}

const Bf16Table* bf16_table() {
  static const Bf16Table* const chosen = []() -> const Bf16Table* {
    if (std::strcmp(table().isa, "avx512") != 0 || !__builtin_cpu_supports("avx512bf16")) return nullptr;
    if (!is_allowed(dnnl::cpu_isa::avx512_core_bf16)) return nullptr;
    auto* made = new Bf16Table{};
    avx512_bf16::add_pairs(*made);
    avx512_bf16::add_product(*made);
    avx512_bf16::add_winograd(*made);
    return made;
  }();
  return chosen;
}

}  // namespace ostrich::cpu::simd
