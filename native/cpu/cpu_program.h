// A built program on the CPU: its steps, its arena, and the buffers that it is bound to.
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.h"
#include "cpu/cpu_builder.h"

namespace ostrich::cpu {

class CpuProgram : public backend::Executable {
 public:
  CpuProgram(const program::ProgramSpec& spec, std::vector<std::shared_ptr<CpuBuffer>> state,
             const dnnl::engine& engine, int threads, bool profile);
  void run(const std::vector<const void*>& feeds, const std::vector<void*>& fetches) override;
  backend::Stats stats() const override;

 private:
  void plan();
  std::string explain() const;
  std::string profile_json() const;
  void run_profiled(RunContext& context);

  program::ProgramSpec spec_;
  CpuBuilder builder_;
  dnnl::stream stream_;
  AlignedMemory arena_;
  size_t arena_bytes_ = 0, arena_floor_ = 0;
  bool profile_;
  int64_t runs_ = 0;
  std::vector<std::vector<float>> times_;  // ms, last runs of each step
};

}  // namespace ostrich::cpu
