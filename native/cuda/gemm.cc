// See gemm.h. cuBLASLt counts in columns: it computes our product transposed, C^T [N, M] = op(B)^T op(A)^T, whose
// matrices are our row-major ones as they lie. Its A is our B, its B our A.
#include "cuda/gemm.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace ostrich::cuda {

namespace {

constexpr size_t kMaxWorkspace = size_t(32) << 20;  // what NVIDIA advises for Hopper
constexpr int kMaxCandidates = 16;
constexpr size_t kAligned = 256;

void expect(const CublasLt& lt, cublasStatus_t status, const char* call, const GemmSpec& spec) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  core::fail("ERR_CUDA", call, " of ", spec.key(), ": ", lt.cublasLtGetStatusName(status));
}

cudaDataType_t type_of(core::DType dtype) { return dtype == core::DType::bf16 ? CUDA_R_16BF : CUDA_R_32F; }

// cuBLASLt's descriptions of one product.
class Description {
 public:
  Description(const CublasLt& lt, const GemmSpec& spec) : lt_(lt), spec_(spec) {
    const auto compute = spec.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    check(lt.cublasLtMatmulDescCreate(&product, compute, CUDA_R_32F), "cublasLtMatmulDescCreate");
    set(CUBLASLT_MATMUL_DESC_TRANSA, int32_t(spec.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N));
    set(CUBLASLT_MATMUL_DESC_TRANSB, int32_t(spec.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N));
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, int32_t(epilogue()));
    if (spec.bias || spec.sum_a) set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, int32_t(CUDA_R_32F));
    a = layout(spec.in, spec.transpose_b ? spec.k : spec.n, spec.transpose_b ? spec.n : spec.k, spec.stride_b);
    b = layout(spec.in, spec.transpose_a ? spec.m : spec.k, spec.transpose_a ? spec.k : spec.m, spec.stride_a);
    c = layout(spec.out, spec.n, spec.m, spec.stride_c);
  }
  ~Description() {
    for (cublasLtMatrixLayout_t matrix : {a, b, c}) {
      if (matrix != nullptr) lt_.cublasLtMatrixLayoutDestroy(matrix);
    }
    if (product != nullptr) lt_.cublasLtMatmulDescDestroy(product);
  }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  void set_vector(const void* data) const {
    const auto bits = reinterpret_cast<uintptr_t>(data);
    check(lt_.cublasLtMatmulDescSetAttribute(product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bits, sizeof(bits)),
          "cublasLtMatmulDescSetAttribute");
  }

  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, c = nullptr;

 private:
  cublasLtEpilogue_t epilogue() const {
    if (spec_.sum_a) return CUBLASLT_EPILOGUE_BGRADB;
    return spec_.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
  }
  void check(cublasStatus_t status, const char* call) const { expect(lt_, status, call, spec_); }
  void set(cublasLtMatmulDescAttributes_t attribute, int32_t value) const {
    check(lt_.cublasLtMatmulDescSetAttribute(product, attribute, &value, sizeof(value)),
          "cublasLtMatmulDescSetAttribute");
  }
  cublasLtMatrixLayout_t layout(core::DType dtype, int64_t rows, int64_t columns, int64_t stride) const {
    cublasLtMatrixLayout_t matrix = nullptr;
    check(lt_.cublasLtMatrixLayoutCreate(&matrix, type_of(dtype), uint64_t(rows), uint64_t(columns), rows),
          "cublasLtMatrixLayoutCreate");
    if (spec_.batch == 1) return matrix;
    const auto count = int32_t(spec_.batch);
    const char* call = "cublasLtMatrixLayoutSetAttribute";
    check(lt_.cublasLtMatrixLayoutSetAttribute(matrix, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof(count)),
          call);
    check(lt_.cublasLtMatrixLayoutSetAttribute(matrix, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride,
                                               sizeof(stride)),
          call);
    return matrix;
  }

  const CublasLt& lt_;
  const GemmSpec spec_;
};

class Preference {
 public:
  Preference(const CublasLt& lt, const GemmSpec& spec) : lt_(lt), spec_(spec) {
    expect(lt, lt.cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate", spec);
    const uint64_t workspace = kMaxWorkspace;
    set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof(workspace));
    const auto alignment = uint32_t(spec.alignment);
    for (auto attribute : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                           CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
      set(attribute, &alignment, sizeof(alignment));
    }
    if (!spec.deterministic) return;
    // Partial results are joined in a step of their own, not as each is ready.
    const uint32_t schemes = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
    set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes, sizeof(schemes));
  }
  ~Preference() { lt_.cublasLtMatmulPreferenceDestroy(preference); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;
  cublasLtMatmulPreference_t preference = nullptr;

 private:
  void set(cublasLtMatmulPreferenceAttributes_t attribute, const void* data, size_t bytes) const {
    expect(lt_, lt_.cublasLtMatmulPreferenceSetAttribute(preference, attribute, data, bytes),
           "cublasLtMatmulPreferenceSetAttribute", spec_);
  }
  const CublasLt& lt_;
  const GemmSpec& spec_;
};

class Plan : public GemmPlan {
 public:
  Plan(const CublasLt& lt, cublasLtHandle_t handle, const GemmSpec& spec)
      : lt_(lt), handle_(handle), spec_(spec), description_(lt, spec) {}

  size_t workspace_bytes() const override { return chosen_.workspaceSize; }
  std::string detail() const override { return "cublasLt " + spec_.key() + " #" + std::to_string(number_); }
  void run(CUstream stream, const GemmPointers& pointers, void* workspace) override {
    run_with(chosen_, stream, pointers, workspace);
  }

  std::vector<cublasLtMatmulHeuristicResult_t> candidates() const {
    const Preference preference(lt_, spec_);
    std::array<cublasLtMatmulHeuristicResult_t, kMaxCandidates> results{};
    int count = 0;
    const cublasStatus_t status = lt_.cublasLtMatmulAlgoGetHeuristic(
        handle_, description_.product, description_.a, description_.b, description_.c, description_.c,
        preference.preference, kMaxCandidates, results.data(), &count);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED) return {};
    expect(lt_, status, "cublasLtMatmulAlgoGetHeuristic", spec_);
    std::vector<cublasLtMatmulHeuristicResult_t> good(results.begin(), results.begin() + count);
    good.erase(std::remove_if(good.begin(), good.end(),
                              [](const auto& result) { return result.state != CUBLAS_STATUS_SUCCESS; }),
               good.end());
    return good;
  }

  void choose(const cublasLtMatmulHeuristicResult_t& candidate, int number) {
    chosen_ = candidate;
    number_ = number;
  }

  void run_with(const cublasLtMatmulHeuristicResult_t& candidate, CUstream stream, const GemmPointers& pointers,
                void* workspace) const {
    if (spec_.bias) description_.set_vector(pointers.bias);
    if (spec_.sum_a) description_.set_vector(pointers.sums);
    const float one = 1, zero = 0;
    expect(lt_,
           lt_.cublasLtMatmul(handle_, description_.product, &one, pointers.b, description_.a, pointers.a,
                              description_.b, &zero, pointers.c, description_.c, pointers.c, description_.c,
                              &candidate.algo, workspace, candidate.workspaceSize, stream),
           "cublasLtMatmul", spec_);
  }

 private:
  const CublasLt& lt_;
  cublasLtHandle_t handle_;
  const GemmSpec spec_;
  Description description_;
  cublasLtMatmulHeuristicResult_t chosen_{};
  int number_ = 0;
};

// Places in one piece of scratch memory for every operand.
struct Operands {
  GemmPointers pointers;
  void* workspace;
};

Operands operands(Tuner& tuner, const GemmSpec& spec, size_t workspace) {
  const auto span = [&](int64_t stride, int64_t matrix, core::DType dtype) {
    const auto bytes = size_t((spec.batch - 1) * stride + matrix) * core::size_of(dtype);
    return (bytes + kAligned - 1) / kAligned * kAligned;
  };
  const size_t a = span(spec.stride_a, spec.m * spec.k, spec.in), b = span(spec.stride_b, spec.k * spec.n, spec.in),
               c = span(spec.stride_c, spec.m * spec.n, spec.out),
               vector = span(0, std::max(spec.m, spec.n), core::DType::f32);
  char* at = tuner.scratch(a + b + c + vector + workspace);
  return {{at, at + a, at + a + b + c, at + a + b, at + a + b + c}, at + a + b + c + vector};
}

}  // namespace

std::string GemmSpec::key() const {
  std::string text = "gemm m" + std::to_string(m) + " n" + std::to_string(n) + " k" + std::to_string(k);
  if (batch > 1) {
    text += " x" + std::to_string(batch) + " strides " + std::to_string(stride_a) + "," + std::to_string(stride_b) +
            "," + std::to_string(stride_c);
  }
  text += std::string(" ") + (transpose_a ? "t" : "n") + (transpose_b ? "t" : "n");
  text += std::string(" ") + core::name_of(in) + ">" + core::name_of(out);
  for (const auto& [flag, name] : {std::pair<bool, const char*>{bias, " bias"},
                                   {sum_a, " sums"},
                                   {tf32, " tf32"},
                                   {deterministic, " deterministic"}}) {
    if (flag) text += name;
  }
  return text + " align" + std::to_string(alignment);
}

Gemm::Gemm(std::shared_ptr<Context> context, Tuner& tuner) : context_(std::move(context)), tuner_(tuner) {}

Gemm::~Gemm() {
  if (handle_ != nullptr) context_->libraries().cublas_lt.cublasLtDestroy(handle_);
}

std::unique_ptr<GemmPlan> Gemm::plan(const GemmSpec& spec) {
  // Beside a bf16 result cuBLASLt has only a bf16 bias and bf16 sums; ours are f32.
  if ((spec.bias || spec.sum_a) && spec.out == core::DType::bf16) return nullptr;
  const CublasLt& lt = context_->libraries().cublas_lt;
  if (handle_ == nullptr) expect(lt, lt.cublasLtCreate(&handle_), "cublasLtCreate", spec);
  auto plan = std::make_unique<Plan>(lt, handle_, spec);
  const auto candidates = plan->candidates();
  if (candidates.empty()) {
    if (spec.bias || spec.sum_a) return nullptr;
    core::fail("ERR_CUDA", "cuBLASLt has no algorithm for ", spec.key(), " on ", context_->facts().name);
  }
  const std::string library = "cublaslt-" + std::to_string(lt.cublasLtGetVersion());
  const auto known = tuner_.recall(library, spec.key());
  const auto is_known = [&](size_t i) { return known && *known == std::to_string(i); };
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!is_known(i)) continue;
    plan->choose(candidates[i], int(i));
    return plan;
  }
  size_t workspace = 0;
  for (const auto& candidate : candidates) workspace = std::max(workspace, candidate.workspaceSize);
  const Operands at = operands(tuner_, spec, workspace);
  const std::optional<int> best = tuner_.fastest(int(candidates.size()), [&](int candidate, CUstream stream) {
    plan->run_with(candidates[size_t(candidate)], stream, at.pointers, at.workspace);
  });
  if (!best) core::fail("ERR_CUDA", "every algorithm of cuBLASLt failed for ", spec.key());
  tuner_.remember(library, spec.key(), std::to_string(*best));
  plan->choose(candidates[size_t(*best)], *best);
  return plan;
}

}  // namespace ostrich::cuda
