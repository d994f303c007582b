// cuBLASLt by plain loops: f32 and bf16 matrices in either order, transposes, batches, and the epilogues bias, relu and
// bias gradients. Refuses what the library's tables of supported types leave out: a bias, or sums, of another type than
// D.
#include <cstring>
#include <map>
#include <vector>

#include "driver_double.h"
#include "math/convert.h"

namespace ostrich::cuda::host {
namespace {

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

struct Preference {
  size_t workspace = 0;
};

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

template <typename T>
T* object(void* handle) {
  return static_cast<T*>(handle);
}

cublasStatus_t refused(const std::string& text) {
  refuse(CUDA_ERROR_INVALID_VALUE, "cublasLt: " + text);
  return CUBLAS_STATUS_INVALID_VALUE;
}

// An attribute of 1, 4 or 8 bytes, as a number.
bool read(const void* data, size_t bytes, int64_t& value) {
  if (data == nullptr || (bytes != 4 && bytes != 8)) return false;
  int32_t narrow = 0;
  if (bytes == 8) std::memcpy(&value, data, 8);
  if (bytes == 4) std::memcpy(&narrow, data, 4), value = narrow;
  return true;
}

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
  double left(int64_t n, int64_t row, int64_t k) const {
    return load(pa, transposed(false) ? a.at(n, k, row) : a.at(n, row, k), a.type);
  }
  double right(int64_t n, int64_t k, int64_t col) const {
    return load(pb, transposed(true) ? b.at(n, col, k) : b.at(n, k, col), b.type);
  }

  std::string mismatch() const;
  bool supported() const;
  std::string run() const;
};

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
  return "";
}

bool Product::supported() const {
  const int64_t which = epilogue();
  const bool known = which == CUBLASLT_EPILOGUE_DEFAULT || which == CUBLASLT_EPILOGUE_RELU ||
                     which == CUBLASLT_EPILOGUE_BIAS || which == CUBLASLT_EPILOGUE_RELU_BIAS ||
                     which == CUBLASLT_EPILOGUE_BGRADA || which == CUBLASLT_EPILOGUE_BGRADB;
  const bool types = a.type == b.type && c.type == d.type && (a.type == CUDA_R_16BF || d.type == CUDA_R_32F);
  const bool same = desc.get(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, d.type) == d.type;
  return known && types && (vector_length() == 0 || same);
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
  const bool bias = (epilogue() & CUBLASLT_EPILOGUE_BIAS) != 0, relu = (epilogue() & CUBLASLT_EPILOGUE_RELU) != 0;
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
      if (relu && sum < 0) sum = 0;
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

}  // namespace

size_t cublasLtGetVersion() { return 130000; }
const char* cublasLtGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    default:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
  }
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = reinterpret_cast<cublasLtHandle_t>(new int(1));
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete reinterpret_cast<int*>(handle);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* desc, cublasComputeType_t compute, cudaDataType_t scale) {
  if (scale != CUDA_R_32F) return refused("expected the scale type f32");
  *desc = reinterpret_cast<cublasLtMatmulDesc_t>(new MatmulDesc{compute, {}});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc) {
  delete object<MatmulDesc>(desc);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t attribute,
                                              const void* data, size_t bytes) {
  int64_t value = 0;
  if (!read(data, bytes, value)) return refused("an attribute of a product has the wrong size");
  object<MatmulDesc>(desc)->attributes[attribute] = value;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows,
                                          uint64_t cols, int64_t ld) {
  if (type != CUDA_R_32F && type != CUDA_R_16BF) return refused("a matrix of a type that is not doubled");
  *layout = reinterpret_cast<cublasLtMatrixLayout_t>(new Matrix{type, int64_t(rows), int64_t(cols), ld});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete object<Matrix>(layout);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute, const void* data,
                                                size_t bytes) {
  Matrix& matrix = *object<Matrix>(layout);
  int64_t value = 0;
  if (!read(data, bytes, value)) return refused("an attribute of a matrix has the wrong size");
  if (attribute == CUBLASLT_MATRIX_LAYOUT_ORDER && (value == CUBLASLT_ORDER_COL || value == CUBLASLT_ORDER_ROW)) {
    matrix.order = value;
  } else if (attribute == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT) {
    matrix.batch = value;
  } else if (attribute == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET) {
    matrix.stride = value;
  } else {
    return refused("attribute " + std::to_string(attribute) + " of a matrix is not doubled");
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = reinterpret_cast<cublasLtMatmulPreference_t>(new Preference);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete object<Preference>(preference);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* data,
                                                    size_t bytes) {
  int64_t value = 0;
  if (!read(data, bytes, value)) return refused("a preference has the wrong size");
  if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) object<Preference>(preference)->workspace = size_t(value);
  return CUBLAS_STATUS_SUCCESS;
}

// One without a workspace, and one with.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                              cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t preference,
                                              int requested, cublasLtMatmulHeuristicResult_t* results, int* returned) {
  *returned = 0;
  Product product{*object<MatmulDesc>(desc), *object<Matrix>(a), *object<Matrix>(b), *object<Matrix>(c),
                  *object<Matrix>(d)};
  const std::string wrong = product.mismatch();
  if (!wrong.empty()) return refused(wrong);
  if (!product.supported()) return CUBLAS_STATUS_NOT_SUPPORTED;
  for (const size_t workspace : {size_t(0), size_t(1000)}) {
    if (*returned == requested || workspace > object<Preference>(preference)->workspace) break;
    cublasLtMatmulHeuristicResult_t& result = results[(*returned)++];
    result = {};
    result.algo.data[0] = workspace;
    result.workspaceSize = workspace;
    result.state = CUBLAS_STATUS_SUCCESS;
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t desc, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout,
                              const void* beta, const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* algo, void* workspace,
                              size_t workspace_bytes, cudaStream_t stream) {
  Product product{*object<MatmulDesc>(desc),
                  *object<Matrix>(a_layout),
                  *object<Matrix>(b_layout),
                  *object<Matrix>(c_layout),
                  *object<Matrix>(d_layout),
                  *static_cast<const float*>(alpha),
                  *static_cast<const float*>(beta),
                  a,
                  b,
                  c,
                  d,
                  workspace,
                  workspace_bytes};
  const std::string wrong = product.mismatch();
  if (!wrong.empty()) return refused(wrong);
  if (!product.supported()) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (algo != nullptr && algo->data[0] > workspace_bytes) return refused("less workspace than the algorithm needs");
  const CUresult result = enqueue(stream, "matrix product", [product] { return product.run(); });
  return result == CUDA_SUCCESS ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // namespace ostrich::cuda::host
