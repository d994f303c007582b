// The CPU backend's plugin: oneDNN's version, this machine's instruction set, and the Backend itself.
#include <fstream>
#include <thread>

#include "backend/backend.h"
#include "cpu/conv_layout.h"
#include "cpu/cpu_program.h"
#include "cpu/onednn.h"

namespace ostrich::cpu {

namespace {

std::string cpu_model() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string isa_name(dnnl::cpu_isa isa) {
  switch (isa) {
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_fp16:
      return "avx512_core_fp16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "avx512_core_amx";
    default:
      return "isa " + std::to_string(int(isa));
  }
}

class CpuBackend : public backend::Backend {
 public:
  explicit CpuBackend(const backend::DeviceOptions& options)
      : threads_(options.threads), profile_(options.profile), engine_(dnnl::engine::kind::cpu, 0) {
    if (options.index != 0) core::fail("ERR_NO_DEVICE", "cpu:", options.index, ": expected device 0, the only one");
  }

  backend::Facts info() const override {
    return {{"backend", "cpu"},
            {"name", cpu_model()},
            {"threads", std::to_string(threads_)},
            {"isa", isa_name(dnnl::get_effective_cpu_isa())},
            {"bf16", bf16_support()},
            {"convolutions", channels_last_is_faster() ? "channels last" : "blocked"}};
  }

  bool allocates_anywhere() const override { return true; }

  std::unique_ptr<backend::Buffer> allocate(const backend::BufferSpec& spec) override {
    return std::make_unique<CpuBuffer>(spec);
  }

  void upload(backend::Buffer& buffer, const void* host) override { static_cast<CpuBuffer&>(buffer).upload(host); }

  void download(const backend::Buffer& buffer, void* host) override {
    static_cast<const CpuBuffer&>(buffer).download(host);
  }

  std::unique_ptr<backend::Executable> build(const program::ProgramSpec& spec,
                                             const std::vector<std::shared_ptr<backend::Buffer>>& state) override {
    std::vector<std::shared_ptr<CpuBuffer>> buffers;
    for (const auto& buffer : state) buffers.push_back(std::static_pointer_cast<CpuBuffer>(buffer));
    return std::make_unique<CpuProgram>(spec, std::move(buffers), arena_, engine_, threads_, profile_);
  }

  void synchronize() override {}

  int64_t arena_bytes() const override { return int64_t(arena_->held_bytes()); }

 private:
  int threads_;
  bool profile_;
  dnnl::engine engine_;
  std::shared_ptr<CpuArena> arena_ = std::make_shared<CpuArena>();
};

backend::Facts versions() {
  const dnnl::version_t* v = dnnl::version();
  return {{"oneDNN", std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch)}};
}

const backend::Plugin kPlugin = {backend::kPluginAbi, "cpu", versions, [] { return std::string(); },
                                 [](const backend::DeviceOptions& options) -> std::unique_ptr<backend::Backend> {
                                   return std::make_unique<CpuBackend>(options);
                                 }};

}  // namespace

}  // namespace ostrich::cpu

extern "C" __attribute__((visibility("default"))) const ostrich::backend::Plugin* ostrich_backend_plugin() {
  return &ostrich::cpu::kPlugin;
}
