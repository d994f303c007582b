// A built program on the CPU: its steps, its arena, and the buffers that it is bound to.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "cpu/cpu_builder.h"
#include "program/report.h"

namespace ostrich::cpu {

class CpuProgram : public backend::Executable {
 public:
  CpuProgram(const program::ProgramSpec& spec, std::vector<std::shared_ptr<CpuBuffer>> state,
             const dnnl::engine& engine, int threads, bool profile);
  void run(const std::vector<const void*>& feeds, const std::vector<void*>& fetches) override;
  backend::Stats stats() const override;
  // For tests, which fill it to see who reads what nobody wrote.
  const AlignedMemory& arena() const { return arena_; }

 private:
  void place();
  void run_step(RunContext& context, size_t i);
  std::string explain() const;

  program::ProgramSpec spec_;
  CpuBuilder builder_;
  dnnl::stream stream_;
  AlignedMemory arena_;
  size_t arena_bytes_ = 0, arena_floor_ = 0;
  std::unique_ptr<program::Profile> profile_;  // null: not measured
  std::atomic<int64_t> runs_{0};
};

}  // namespace ostrich::cpu
