// A built program on the device: its steps captured as one CUDA graph, and two lanes through which runs come and go, so
// that the feeds of the next run travel while this one computes.
#pragma once

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "cuda/cuda_builder.h"
#include "program/report.h"

namespace ostrich::cuda {

class CudaProgram : public backend::Executable {
 public:
  // `recurrence`: see LibraryLayers.
  CudaProgram(const program::ProgramSpec& spec, std::vector<std::shared_ptr<CudaBuffer>> state,
              std::shared_ptr<Engine> engine, bool profile, const std::string& recurrence = "");
  ~CudaProgram() override;
  // Enqueues; waits only where two runs are unfinished.
  void run(const std::vector<const void*>& feeds, const std::vector<void*>& fetches) override;
  bool is_asynchronous() const override { return true; }
  void finish() override;
  backend::Stats stats() const override;
  // Its steps on whatever its feeds hold, in a stream of the caller's, to be timed.
  void launch(CUstream stream);

 private:
  // What one run needs to itself.
  struct Lane {
    explicit Lane(const std::shared_ptr<Context>& context) : arrived(context), done(context) {}
    PinnedMemory feeds, results;
    DeviceMemory staging;
    Event arrived, done;
    std::vector<void*> fetches;
  };

  void warm_up();
  void capture();
  void follow_arena();
  void drop_graph();
  void launch_all(CUstream stream);
  void run_profiled(CUstream stream);
  void send_feeds(Lane& lane, const std::vector<const void*>& feeds);
  void expect_no_fault(const Fault& fault) const;
  std::string explain() const;

  std::shared_ptr<Engine> engine_;  // outlives everything below
  program::ProgramSpec spec_;
  CudaBuilder builder_;
  CUgraphExec graph_ = nullptr;
  std::unique_ptr<program::Profile> profile_;  // null: not measured
  std::array<Lane, 2> lanes_;
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable finished_;
  int64_t started_ = 0, ended_ = 0;  // runs; lane of run i is i % 2
};

}  // namespace ostrich::cuda
