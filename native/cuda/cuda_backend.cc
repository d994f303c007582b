// The CUDA backend's plugin: what libraries there are, one device's facts, and the Backend itself.
#include "backend/backend.h"
#include "cuda/cuda_program.h"
#include "cuda/user_cache.h"

namespace ostrich::cuda {

namespace {

constexpr int kOldestBf16 = 80;

// Where timed choices are kept: the user's cache; nowhere without a home.
std::string plans_folder() {
  const std::filesystem::path cache = user_cache();
  return cache.empty() ? std::string() : (cache / "plans").string();
}

class CudaBackend : public backend::Backend {
 public:
  explicit CudaBackend(const backend::DeviceOptions& options)
      : profile_(options.profile),
        engine_(std::make_shared<Engine>(
            std::make_shared<Context>(libraries(), options.index, size_t(options.memory_limit)), plans_folder(),
            options.deterministic)) {
    expect_kernels(options.index);
  }

  backend::Facts info() const override {
    const DeviceFacts& facts = engine_->context->facts();
    return {{"backend", "cuda"},
            {"name", facts.name},
            {"isa", "sm_" + std::to_string(facts.sm)},
            {"multiprocessors", std::to_string(facts.multiprocessors)},
            {"memory", std::to_string(facts.total_bytes)},
            {"driver", std::to_string(facts.driver_version)},
            {"threads", "0"},
            {"bf16", facts.sm >= kOldestBf16 ? "native" : "none"},
            {"convolutions", "channels last"}};
  }

  std::unique_ptr<backend::Buffer> allocate(const backend::BufferSpec& spec) override {
    engine_->context->enter();
    return std::make_unique<CudaBuffer>(engine_->context, engine_->compute.get(), spec);
  }

  void upload(backend::Buffer& buffer, const void* host) override {
    engine_->context->enter();
    static_cast<CudaBuffer&>(buffer).upload(host);
  }

  void download(const backend::Buffer& buffer, void* host) override {
    engine_->context->enter();
    static_cast<const CudaBuffer&>(buffer).download(host);
  }

  std::unique_ptr<backend::Executable> build(const program::ProgramSpec& spec,
                                             const std::vector<std::shared_ptr<backend::Buffer>>& state) override {
    engine_->context->enter();
    expect_types(spec);
    std::vector<std::shared_ptr<CudaBuffer>> buffers;
    for (const auto& buffer : state) buffers.push_back(std::static_pointer_cast<CudaBuffer>(buffer));
    return std::make_unique<CudaProgram>(spec, std::move(buffers), engine_, profile_);
  }

  void synchronize() override {
    engine_->context->enter();
    engine_->compute.wait();
  }

  int64_t arena_bytes() const override { return int64_t(engine_->arena->held_bytes()); }

 private:
  // Some drivers refuse what nvcc made. Said here, where another device can still be chosen, and not by the first
  // program.
  void expect_kernels(int index) const {
    try {
      engine_->kernels.get("pointwise", "pointwise_few");
    } catch (const core::Error& error) {
      if (engine_->context->lost() || error.code() != "ERR_CUDA") throw;
      const int version = engine_->context->facts().driver_version;
      core::fail("ERR_NO_DEVICE", "cuda:", index, ": expected a driver that loads Ostrich's kernels, got one for CUDA ",
                 version / 1000, ".", version % 1000 / 10, " that does not: ", error.what(),
                 ": update the driver, or use device: 'cpu'");
    }
  }

  void expect_types(const program::ProgramSpec& spec) const {
    const DeviceFacts& facts = engine_->context->facts();
    if (facts.sm >= kOldestBf16) return;
    for (const auto& value : spec.values) {
      if (value.dtype != core::DType::bf16) continue;
      core::fail("ERR_OPTION", "compile[", spec.name, "]: expected f32 on ", facts.name,
                 ", whose compute capability is below 8.0, got bf16: use precision: 'f32'");
    }
  }

  bool profile_;
  std::shared_ptr<Engine> engine_;
};

const backend::Plugin kPlugin = {backend::kPluginAbi, "cuda", [] { return libraries().versions; },
                                 [] { return libraries().unavailable; },
                                 [](const backend::DeviceOptions& options) -> std::unique_ptr<backend::Backend> {
                                   return std::make_unique<CudaBackend>(options);
                                 }};

}  // namespace

}  // namespace ostrich::cuda

extern "C" __attribute__((visibility("default"))) const ostrich::backend::Plugin* ostrich_backend_plugin() {
  return &ostrich::cuda::kPlugin;
}
