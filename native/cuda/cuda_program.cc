// See cuda_program.h; what a program says of itself is in report.cc.
#include "cuda/cuda_program.h"

#include <cstring>
#include <utility>

namespace ostrich::cuda {

namespace {

size_t bytes_of(const program::Slot* slot) { return slot->storage->bytes; }

Step& launched(const std::unique_ptr<program::Step>& step) { return static_cast<Step&>(*step); }

}  // namespace

CudaProgram::CudaProgram(const program::ProgramSpec& spec, std::vector<std::shared_ptr<CudaBuffer>> state,
                         std::shared_ptr<Engine> engine, bool profile, const std::string& recurrence)
    : engine_(std::move(engine)),
      spec_(spec),
      builder_(spec_, std::move(state), *engine_, recurrence),
      lanes_{Lane(engine_->context), Lane(engine_->context)} {
  builder_.build();
  for (Lane& lane : lanes_) {
    lane.feeds = PinnedMemory(engine_->context, builder_.inputs.bytes());
    lane.results = PinnedMemory(engine_->context, builder_.results.bytes());
    lane.staging = DeviceMemory(engine_->context, builder_.inputs.bytes(), "feeds of " + spec_.name);
  }
  if (profile) profile_ = std::make_unique<program::Profile>(builder_.steps.size());
  warm_up();
  if (!profile) capture();
}

CudaProgram::~CudaProgram() {
  try {
    engine_->context->enter();  // destroyed wherever the last owner goes, perhaps on another thread
    engine_->compute.wait();
  } catch (const core::Error&) {
    // Nothing of a lost device can be waited for, and nothing needs to be.
  }
  drop_graph();
}

void CudaProgram::drop_graph() {
  if (graph_ != nullptr) engine_->context->driver().cuGraphExecDestroy(graph_);
  graph_ = nullptr;
}

// The libraries load kernels and allocate when they are first called, which a capture does not allow.
void CudaProgram::warm_up() {
  const CUstream stream = engine_->compute.get();
  for (const auto& step : builder_.steps) {
    if (launched(step).is_library) launched(step).run(stream);
  }
  engine_->compute.wait();
}

void CudaProgram::launch_all(CUstream stream) {
  const Context& context = *engine_->context;
  OSTRICH_CU(context, cuMemsetD8Async(address(builder_.fault()), 0, sizeof(Fault), stream));
  for (const auto& step : builder_.steps) launched(step).run(stream);
}

void CudaProgram::capture() {
  const Context& context = *engine_->context;
  const CUstream stream = engine_->compute.get();
  CUgraph graph = nullptr;
  OSTRICH_CU(context, cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  try {
    launch_all(stream);
  } catch (...) {
    // The stream must leave its capture, whatever became of it.
    context.driver().cuStreamEndCapture(stream, &graph);
    if (graph != nullptr) context.driver().cuGraphDestroy(graph);
    throw;
  }
  OSTRICH_CU(context, cuStreamEndCapture(stream, &graph));
  drop_graph();
  const CUresult result = context.driver().cuGraphInstantiate(&graph_, graph, 0);
  context.driver().cuGraphDestroy(graph);
  context.check(result, "cuGraphInstantiate");
  try {
    OSTRICH_CU(context, cuGraphUpload(graph_, stream));
    engine_->compute.wait();
  } catch (...) {
    // A program that is not whole has no destructor.
    drop_graph();
    throw;
  }
}

void CudaProgram::send_feeds(Lane& lane, const std::vector<const void*>& feeds) {
  if (feeds.empty()) return;
  const Context& context = *engine_->context;
  for (size_t i = 0; i < feeds.size(); ++i) {
    const program::Slot* slot = builder_.feeds[i];
    std::memcpy(lane.feeds.data() + slot->storage->arena_offset, feeds[i], bytes_of(slot));
  }
  const size_t bytes = builder_.inputs.bytes();
  const CUstream copy = engine_->copy.get(), compute = engine_->compute.get();
  OSTRICH_CU(context, cuMemcpyHtoDAsync(address(lane.staging.data()), lane.feeds.data(), bytes, copy));
  lane.arrived.record(copy);
  OSTRICH_CU(context, cuStreamWaitEvent(compute, lane.arrived.get(), 0));
  // Into the place that the graph reads: the run before may have been reading it until now.
  OSTRICH_CU(context, cuMemcpyDtoDAsync(address(builder_.inputs.data()), address(lane.staging.data()), bytes, compute));
}

// The graph holds addresses, so that it is made anew where the arena has moved.
void CudaProgram::follow_arena() {
  const bool moved = builder_.follow_arena();
  if (profile_ == nullptr && (moved || graph_ == nullptr)) capture();
}

void CudaProgram::launch(CUstream stream) {
  follow_arena();
  OSTRICH_CU(*engine_->context, cuGraphLaunch(graph_, stream));
}

void CudaProgram::run(const std::vector<const void*>& feeds, const std::vector<void*>& fetches) {
  const Context& context = *engine_->context;
  expect_going();
  context.enter();
  {
    std::unique_lock<std::mutex> lock(mutex_);
    finished_.wait(lock, [&] { return started_ - ended_ < int64_t(lanes_.size()); });
  }
  follow_arena();
  Lane& lane = lanes_[size_t(started_) % lanes_.size()];
  lane.fetches = fetches;
  const CUstream stream = engine_->compute.get();
  send_feeds(lane, feeds);
  if (profile_ != nullptr) {
    run_profiled(stream);
  } else {
    OSTRICH_CU(context, cuGraphLaunch(graph_, stream));
  }
  OSTRICH_CU(context, cuMemcpyDtoHAsync(lane.results.data(), address(builder_.results.data()), builder_.results.bytes(),
                                        stream));
  lane.done.record(stream);
  const std::lock_guard<std::mutex> lock(mutex_);
  ++started_;
}

void CudaProgram::run_profiled(CUstream stream) {
  OSTRICH_CU(*engine_->context, cuMemsetD8Async(address(builder_.fault()), 0, sizeof(Fault), stream));
  Event start(engine_->context, true), end(engine_->context, true);
  for (size_t i = 0; i < builder_.steps.size(); ++i) {
    start.record(stream);
    launched(builder_.steps[i]).run(stream);
    end.record(stream);
    end.wait();
    profile_->add(i, end.ms_since(start));
  }
}

void CudaProgram::finish() {
  Lane& lane = lanes_[size_t(ended_) % lanes_.size()];
  const auto give_back = [this] {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++ended_;
    finished_.notify_one();
  };
  try {
    engine_->context->enter();
    lane.done.wait();
    expect_no_fault(*reinterpret_cast<const Fault*>(lane.results.data()));
  } catch (...) {
    give_back();
    throw;
  }
  for (size_t i = 0; i < lane.fetches.size(); ++i) {
    const program::Slot* slot = builder_.fetches[i];
    if (lane.fetches[i] == nullptr) continue;
    std::memcpy(lane.fetches[i], lane.results.data() + slot->storage->arena_offset, bytes_of(slot));
  }
  give_back();
}

}  // namespace ostrich::cuda
