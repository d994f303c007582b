// A built program on the CPU: its steps, its arena, and the buffers that it is bound to.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "cpu/cpu_builder.h"
#include "program/report.h"
#include "program/shared_arena.h"

namespace ostrich::cpu {

class CpuArena : public program::SharedArena {
 private:
  char* replace(size_t bytes, const std::string& owner) override;
  AlignedMemory memory_;
};

class CpuProgram : public backend::Executable {
 public:
  CpuProgram(const program::ProgramSpec& spec, std::vector<std::shared_ptr<CpuBuffer>> state,
             std::shared_ptr<CpuArena> arena, const dnnl::engine& engine, int threads, bool profile);
  void run(const std::vector<const void*>& feeds, const std::vector<void*>& fetches) override;
  backend::Stats stats() const override;
  // For tests, which fill it to see who reads what nobody wrote.
  char* arena() const { return arena_.data(); }

 private:
  void plan(std::shared_ptr<CpuArena> arena);
  void run_step(RunContext& context, size_t i);
  std::string explain() const;

  program::ProgramSpec spec_;
  CpuBuilder builder_;
  dnnl::stream stream_;
  program::SharedArena::Share arena_;
  char* placed_ = nullptr;  // where the arena lay when the storages got their addresses
  size_t arena_floor_ = 0;
  std::unique_ptr<program::Profile> profile_;  // null: not measured
  std::atomic<int64_t> runs_{0};
};

}  // namespace ostrich::cpu
