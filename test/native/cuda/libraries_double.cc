// The table of functions, filled with doubles. OSTRICH_DOUBLE_UNAVAILABLE=text makes this a machine without CUDA.
#include <cstdlib>

#include "cuda/dnn.h"
#include "driver_double.h"

namespace ostrich::cuda {

const Libraries& libraries() {
  static const Libraries* filled = [] {
    auto* table = new Libraries;
#define OSTRICH_DRIVER(name) table->driver.name = host::name;
#include "cuda/driver.def"
#define OSTRICH_CUBLASLT(name) table->cublas_lt.name = host::name;
#include "cuda/cublaslt.def"
    table->open_dnn = host::open_dnn;
    table->versions = {{"CUDA driver", "double"}, {"cuBLASLt", "double"}, {"cuDNN", "double"}};
    if (const char* text = std::getenv("OSTRICH_DOUBLE_UNAVAILABLE")) table->unavailable = text;
    return table;
  }();
  return *filled;
}

}  // namespace ostrich::cuda
