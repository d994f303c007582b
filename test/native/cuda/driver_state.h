// What the parts of the driver's double share. Everything is used under one lock; handles are numbers that are never
// used again, so that a destroyed one is always recognised.
#pragma once

#include <cuda.h>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "driver_double.h"

namespace ostrich::cuda::host {

struct Stream;

// One record of an event.
struct Marker {
  const Stream* stream = nullptr;
  bool reached = false;
  double ms = 0;
};

struct Node {
  std::string label;
  Work work;
  std::vector<size_t> after;
};

struct Graph {
  int device = 0;
  std::vector<Node> nodes;
  bool busy = false;  // once instantiated: a replay has begun
};

struct Capture {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  const Stream* origin = nullptr;
  CUstreamCaptureMode mode;
  std::thread::id thread;
  bool spoilt = false;
};

// One entry of a stream: a wait, a record, the replay of a graph, or plain work.
struct Operation {
  std::string label;
  Work work;
  std::shared_ptr<Marker> wait, record;
  std::shared_ptr<Graph> replay;
  std::vector<bool> done = {};  // nodes of the replay
  size_t left = 0;
};

struct Stream {
  int device = 0;
  std::deque<Operation> queue;
  std::shared_ptr<Capture> capture;
  std::vector<size_t> frontier;  // nodes that the next one comes after
};

struct Event {
  int device = 0;
  bool timed = false;
  std::shared_ptr<Marker> marker;
  std::shared_ptr<Capture> capture;
  std::vector<size_t> nodes;
};

struct Library {
  std::string file;
};

// Of device memory, or of pinned host memory, with a guard on either side.
struct Allocation {
  int device = 0;
  bool pinned = false;
  size_t bytes = 0;
  char* block = nullptr;
};

template <typename T>
class Handles {
 public:
  template <typename Handle>
  Handle add(std::shared_ptr<T> object) {
    next_ += 16;
    objects_[next_] = std::move(object);
    return reinterpret_cast<Handle>(next_);
  }
  template <typename Handle>
  std::shared_ptr<T> find(Handle handle) const {
    const auto found = objects_.find(reinterpret_cast<uintptr_t>(handle));
    return found == objects_.end() ? nullptr : found->second;
  }
  template <typename Handle>
  bool remove(Handle handle) {
    return objects_.erase(reinterpret_cast<uintptr_t>(handle)) > 0;
  }
  size_t count() const { return objects_.size(); }

 private:
  uintptr_t next_ = 0x10000;
  std::map<uintptr_t, std::shared_ptr<T>> objects_;
};

struct Device {
  int retained = 0;
  size_t used = 0;
  CUresult fault = CUDA_SUCCESS;  // from then on every call returns it
  double ms = 0;                  // the device's clock
};

struct State {
  State();
  std::mutex mutex;
  int sm, driver_version;
  size_t memory;
  bool idle;
  uint64_t random;
  std::vector<Device> devices;
  std::map<char*, Allocation> allocations;       // by the address that was handed out
  std::vector<std::shared_ptr<Stream>> streams;  // destroyed ones until they are empty
  std::vector<std::shared_ptr<Capture>> captures;
  Handles<Stream> stream_handles;
  Handles<Event> event_handles;
  Handles<Graph> graph_handles, exec_handles;
  Handles<Library> library_handles;
  std::string refusal;

  uint64_t draw();
};
State& state();
using Lock = std::lock_guard<std::mutex>;

// All of these are called under the lock.
int current_device();  // -1: none
CUresult refuse_locked(CUresult code, const std::string& text);
// A call that needs a current context; a fault of its device.
CUresult ready(const char* call);
// Also one that no capture in progress allows.
CUresult unsafe(const char* call);
CUresult append(Stream& stream, const std::string& label, Work work);
// Runs work of a device until `condition`; `target` is the stream that is waited for.
CUresult drain(int device, const Stream* target, const std::function<bool()>& condition);
CUresult drain_stream(const Stream& stream);
CUresult drain_device(int device);
// The stream of a handle, or null after a refusal, which `result` then is.
std::shared_ptr<Stream> stream_of(const char* call, CUstream handle, CUresult& result);
void spoil(Capture& capture);
// What was written beside an allocation since the last look, or nothing.
std::string overrun();
void free_all(int device);
// Once no context is left: says what was never destroyed, or given back, of handles and of pinned memory.
void name_leftovers();
// The allocation that the byte lies in, or null.
std::pair<char* const, Allocation>* holder(const void* data);
// All of it in one live allocation of that kind.
bool within(const void* data, size_t bytes, bool pinned);

}  // namespace ostrich::cuda::host
