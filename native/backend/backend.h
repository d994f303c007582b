// What every backend implements, and the one C entry point by which the registry reaches it. Nothing more crosses this
// line.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "core/error.h"
#include "core/shape.h"
#include "program/program_spec.h"

namespace ostrich::backend {

struct BufferSpec {
  core::DType dtype;
  core::Shape shape;
  std::string name;
};

// Device memory of one variable. Its physical layout is the backend's affair: `upload` and `download` convert.
class Buffer {
 public:
  explicit Buffer(BufferSpec spec) : spec_(std::move(spec)) {}
  virtual ~Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  const BufferSpec& spec() const { return spec_; }

 private:
  BufferSpec spec_;
};

// Plain key-value facts, shown by doctor and stats.
using Facts = std::vector<std::pair<std::string, std::string>>;

struct Stats {
  int64_t runs = 0;
  int64_t arena_bytes = 0;  // that the program needs of the arena
  int64_t state_bytes = 0;
  int64_t steps = 0;     // launched per run
  int64_t reorders = 0;  // steps among them that only change a layout
  std::string explain;   // the plan as text: steps, layouts, arena offsets
  std::string
      profile;  // JSON: [{"op","path","ms"}], median per step; empty unless the program was built with profiling
};

// A built program, bound to its buffers. Called from the device's own thread, but for `finish`,
// `stop` and `stats`.
class Executable {
 public:
  virtual ~Executable() = default;
  // `feeds[i]` and `fetches[i]` point to host memory in the order of the program text; a null fetch is skipped. Where
  // the program is asynchronous this only enqueues: `feeds` is free again, `fetches` is filled by `finish`.
  virtual void run(const std::vector<const void*>& feeds, const std::vector<void*>& fetches) = 0;
  virtual bool is_asynchronous() const { return false; }
  // Waits for the earliest run that is not finished, and throws what it met. On any one thread.
  virtual void finish() {}
  // On any thread: the run under way ends before its next step, none starts any more, and states are as they then lie.
  void stop() { stopped_ = true; }
  // On any thread, also while another runs the program: counts what has ended.
  virtual Stats stats() const = 0;

 protected:
  // To call before each step. Throws ERR_DISPOSED after `stop`.
  void expect_going() const {
    if (stopped_.load(std::memory_order_relaxed))
      core::fail("ERR_DISPOSED", "run: expected a device in use, got its end");
  }

 private:
  std::atomic<bool> stopped_{false};
};

struct DeviceOptions {
  int threads = 1;
  int index = 0;         // which device of this backend
  bool profile = false;  // time every step
  bool deterministic = false;
  int64_t memory_limit = 0;  // bytes of device memory, 0: all there is
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Facts info() const = 0;  // the same at every call
  // Whether `allocate` may be called on any thread, whatever others do meanwhile.
  virtual bool allocates_anywhere() const { return false; }
  virtual std::unique_ptr<Buffer> allocate(const BufferSpec& spec) = 0;  // zero-filled
  virtual void upload(Buffer& buffer, const void* host) = 0;             // row-major host data of the buffer's dtype
  virtual void download(const Buffer& buffer, void* host) = 0;
  // `state[i]` is a buffer of the dtype and shape of the program's state i: the caller has checked.
  virtual std::unique_ptr<Executable> build(const program::ProgramSpec& spec,
                                            const std::vector<std::shared_ptr<Buffer>>& state) = 0;
  virtual void synchronize() = 0;
  // Of the arena that all programs use in turn. On any thread.
  virtual int64_t arena_bytes() const = 0;
};

// A backend's shared object exports `extern "C" const ostrich::backend::Plugin* ostrich_backend_plugin()`.
struct Plugin {
  int abi;                       // kPluginAbi of the build
  const char* name;              // "cpu", "cuda"
  Facts (*versions)();           // libraries and their versions
  std::string (*unavailable)();  // empty, or the reason why this machine cannot use it
  std::unique_ptr<Backend> (*open)(const DeviceOptions& options);
};
constexpr int kPluginAbi = 4;
using PluginEntry = const Plugin* (*)();

}  // namespace ostrich::backend
