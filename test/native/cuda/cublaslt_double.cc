// cuBLASLt by plain loops: f32 and bf16 matrices in either order, transposes, batches, and the epilogues bias, relu and
// bias gradients. Refuses what the library's tables of supported types leave out: a bias, or sums, of another type than
// D.
#include <cstring>

#include "cublaslt_product.h"

namespace ostrich::cuda::host {
namespace {

struct Preference {
  size_t workspace = 0;
};

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
