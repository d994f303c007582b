// See cublaslt_product.h.
#include "cublaslt_product.h"

#include <vector>

#include "math/convert.h"

namespace ostrich::cuda::host {
namespace {

double load(const void* data, size_t i, cudaDataType type) {
  return type == CUDA_R_16BF ? math::bf16_to_float(static_cast<const uint16_t*>(data)[i])
                             : static_cast<const float*>(data)[i];
}

void store(void* data, size_t i, cudaDataType type, double value) {
  if (type == CUDA_R_16BF) {
    static_cast<uint16_t*>(data)[i] = math::float_to_bf16(float(value));
  } else {
    static_cast<float*>(data)[i] = float(value);
  }
}

// Rounded to ten bits of fraction.
double to_tf32(double value) { return math::from_bits((math::bits_of(float(value)) + 0x1000u) & 0xffffe000u); }

}  // namespace

double Product::left(int64_t n, int64_t row, int64_t k) const {
  return load(pa, transposed(false) ? a.at(n, k, row) : a.at(n, row, k), a.type);
}
double Product::right(int64_t n, int64_t k, int64_t col) const {
  return load(pb, transposed(true) ? b.at(n, col, k) : b.at(n, k, col), b.type);
}

std::string Product::mismatch() const {
  const int64_t m = transposed(false) ? a.cols : a.rows, k = transposed(true) ? b.cols : b.rows,
                n = transposed(true) ? b.rows : b.cols;
  if (m != d.rows || n != d.cols || k != depth()) return "the extents of A, B and D do not fit";
  if (c.rows != d.rows || c.cols != d.cols) return "the extents of C and D differ";
  if (a.batch != d.batch || b.batch != d.batch || c.batch != d.batch) return "the batch counts differ";
  for (const Matrix* matrix : {&a, &b, &c, &d}) {
    if (matrix->ld < (matrix->order == CUBLASLT_ORDER_ROW ? matrix->cols : matrix->rows)) {
      return "a leading dimension is smaller than a row or column";
    }
  }
  if (vector_length() > 0 && desc.get(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, d.type) != d.type) {
    return "a bias, or sums, of another type than D";
  }
  return "";
}

bool Product::supported() const {
  const int64_t which = epilogue();
  const bool known = which == CUBLASLT_EPILOGUE_DEFAULT || which == CUBLASLT_EPILOGUE_BIAS ||
                     which == CUBLASLT_EPILOGUE_BGRADA || which == CUBLASLT_EPILOGUE_BGRADB;
  const bool types = a.type == b.type && c.type == d.type && (a.type == CUDA_R_16BF || d.type == CUDA_R_32F);
  return known && types;
}

std::string Product::run() const {
  std::string wrong = outside(pa, a.bytes(), "A");
  if (wrong.empty()) wrong = outside(pb, b.bytes(), "B");
  if (wrong.empty()) wrong = outside(pd, d.bytes(), "D");
  if (wrong.empty() && beta != 0) wrong = outside(pc, c.bytes(), "C");
  if (wrong.empty()) wrong = outside(vector(), size_t(vector_length()) * d.element(), "the bias");
  if (wrong.empty()) wrong = outside(workspace, workspace_bytes, "the workspace");
  if (!wrong.empty()) return wrong;
  poison(workspace, workspace_bytes);
  const bool tf32 = desc.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
  const bool bias = epilogue() == CUBLASLT_EPILOGUE_BIAS;
  for (int64_t n = 0; n < d.batch; ++n) {
    for (int64_t i = 0; i < d.rows * d.cols; ++i) {
      const int64_t row = i % d.rows, col = i / d.rows;
      double sum = 0;
      for (int64_t k = 0; k < depth(); ++k) {
        const double x = left(n, row, k), y = right(n, k, col);
        sum += tf32 ? to_tf32(x) * to_tf32(y) : x * y;
      }
      sum *= alpha;
      if (beta != 0) sum += beta * load(pc, c.at(n, row, col), c.type);
      if (bias) sum += load(vector(), size_t(row), d.type);
      store(pd, d.at(n, row, col), d.type, sum);
    }
  }
  const bool of_a = epilogue() == CUBLASLT_EPILOGUE_BGRADA;
  if (!of_a && epilogue() != CUBLASLT_EPILOGUE_BGRADB) return "";
  for (int64_t i = 0; i < vector_length(); ++i) {
    double sum = 0;
    for (int64_t k = 0; k < depth(); ++k) sum += of_a ? left(0, i, k) : right(0, k, i);
    store(vector(), size_t(i), d.type, sum);
  }
  return "";
}

}  // namespace ostrich::cuda::host
