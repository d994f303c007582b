// Matrix products, row-major, by cuBLASLt. A plan is made once (candidates timed, the choice kept on disk) and run many
// times.
#pragma once

#include <memory>
#include <string>

#include "core/dtype.h"
#include "cuda/context.h"
#include "cuda/tuner.h"

namespace ostrich::cuda {

// C [M, N] = epilogue(op(A) [M, K] op(B) [K, N]), `batch` times; all matrices dense and row-major as stored.
struct GemmSpec {
  int64_t m, n, k;
  int64_t batch = 1;
  int64_t stride_a = 0, stride_b = 0, stride_c = 0;  // elements from one matrix of the batch to the next
  bool transpose_a = false, transpose_b = false;     // A is stored [K, M], B is stored [N, K]
  core::DType in = core::DType::f32, out = core::DType::f32;
  bool bias = false;   // f32 [N], added to every row
  bool sum_a = false;  // also f32 [M]: the sums of op(A) over K
  bool tf32 = false;   // f32 products may be rounded to tf32
  bool deterministic = false;
  int alignment = 256;      // bytes, a power of two that divides the address of every operand
  std::string key() const;  // names the spec in the cache
};

struct GemmPointers {
  const void *a, *b, *bias;
  void *c, *sums;
};

class GemmPlan {
 public:
  virtual ~GemmPlan() = default;
  virtual size_t workspace_bytes() const = 0;
  virtual std::string detail() const = 0;
  virtual void run(CUstream stream, const GemmPointers& pointers, void* workspace) = 0;
};

class Gemm {
 public:
  Gemm(std::shared_ptr<Context> context, Tuner& tuner);
  ~Gemm();
  // Throws ERR_CUDA naming the spec where cuBLASLt has no algorithm. Null where it has none for this epilogue alone:
  // ask again without.
  std::unique_ptr<GemmPlan> plan(const GemmSpec& spec);

 private:
  std::shared_ptr<Context> context_;
  Tuner& tuner_;
  cublasLtHandle_t handle_ = nullptr;
};

}  // namespace ostrich::cuda
