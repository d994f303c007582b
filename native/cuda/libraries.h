// The one function table through which the CUDA backend reaches NVIDIA's libraries. None of them is linked: the driver,
// cuBLASLt and cuDNN are opened by name when the process runs, so that a machine without them loads everything else.
#pragma once

#include <cublasLt.h>
#include <cuda.h>

#include <memory>
#include <string>

#include "backend/backend.h"

namespace ostrich::cuda {

class Context;
class Dnn;

struct Driver {
#define OSTRICH_DRIVER(name) decltype(&::name) name = nullptr;
#include "cuda/driver.def"
};

struct CublasLt {
#define OSTRICH_CUBLASLT(name) decltype(&::name) name = nullptr;
#include "cuda/cublaslt.def"
};

struct Libraries {
  Driver driver;
  CublasLt cublas_lt;
  // Convolutions, see dnn.h.
  std::unique_ptr<Dnn> (*open_dnn)(Context& context) = nullptr;
  backend::Facts versions;  // "CUDA driver", "cuBLASLt", "cuDNN", and the file of each
  std::string unavailable;  // empty, or the reason and the remedy
};

// Opened once a process, on first use; constant from then on.
const Libraries& libraries();

}  // namespace ostrich::cuda
