// A product as cuBLASLt is asked for it: its descriptors, and plain loops that compute it.
#pragma once

#include <map>
#include <string>

#include "driver_double.h"

namespace ostrich::cuda::host {

using Attributes = std::map<int, int64_t>;

struct MatmulDesc {
  cublasComputeType_t compute;
  Attributes attributes;
  int64_t get(int attribute, int64_t fallback) const {
    const auto found = attributes.find(attribute);
    return found == attributes.end() ? fallback : found->second;
  }
};

struct Matrix {
  cudaDataType type;
  int64_t rows, cols, ld, order = CUBLASLT_ORDER_COL, batch = 1, stride = 0;

  size_t element() const { return type == CUDA_R_16BF ? 2 : 4; }
  size_t bytes() const {
    const int64_t lines = order == CUBLASLT_ORDER_ROW ? rows : cols, length = order == CUBLASLT_ORDER_ROW ? cols : rows;
    return size_t((batch - 1) * stride + (lines - 1) * ld + length) * element();
  }
  size_t at(int64_t b, int64_t row, int64_t col) const {
    return size_t(b * stride + (order == CUBLASLT_ORDER_ROW ? row * ld + col : col * ld + row));
  }
};

struct Product {
  MatmulDesc desc;
  Matrix a, b, c, d;
  double alpha = 1, beta = 0;
  const void *pa = nullptr, *pb = nullptr, *pc = nullptr;
  void *pd = nullptr, *workspace = nullptr;
  size_t workspace_bytes = 0;

  bool transposed(bool of_b) const {
    return desc.get(of_b ? CUBLASLT_MATMUL_DESC_TRANSB : CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_N) != CUBLAS_OP_N;
  }
  int64_t epilogue() const { return desc.get(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT); }
  int64_t depth() const { return transposed(false) ? a.rows : a.cols; }
  void* vector() const { return reinterpret_cast<void*>(desc.get(CUBLASLT_MATMUL_DESC_BIAS_POINTER, 0)); }
  // Elements of the bias, or of the sums.
  int64_t vector_length() const {
    if (epilogue() == CUBLASLT_EPILOGUE_BGRADB) return d.cols;
    return (epilogue() & (CUBLASLT_EPILOGUE_BIAS | CUBLASLT_EPILOGUE_BGRADA)) != 0 ? d.rows : 0;
  }
  double left(int64_t n, int64_t row, int64_t k) const;
  double right(int64_t n, int64_t k, int64_t col) const;

  std::string mismatch() const;  // what does not fit, or nothing
  bool supported() const;
  std::string run() const;  // what went wrong, or nothing
};

}  // namespace ostrich::cuda::host
