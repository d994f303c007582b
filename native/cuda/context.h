// One device as a process sees it: its primary context, its facts, its memory and who holds it, and whether it is lost.
// Every call of the driver goes through `check`, which turns a refusal into a core::Error. May be used by several
// threads: runs end on another than they begin on, and memory is freed wherever its last owner goes.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/error.h"
#include "cuda/libraries.h"

namespace ostrich::cuda {

struct DeviceFacts {
  std::string name;
  int sm = 0;  // compute capability, 90 for 9.0
  int multiprocessors = 0;
  size_t total_bytes = 0;
  int driver_version = 0;  // 13000 for 13.0
};

class Context;

// Device memory of one owner. Freed when it goes.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(std::shared_ptr<Context> context, size_t bytes, const std::string& owner);
  ~DeviceMemory();
  DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  char* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  void swap(DeviceMemory& other) noexcept;
  std::shared_ptr<Context> context_;
  char* data_ = nullptr;
  size_t bytes_ = 0;
};

// Page-locked host memory, which the device copies from and to while the host does something else.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  PinnedMemory(std::shared_ptr<Context> context, size_t bytes);
  ~PinnedMemory();
  PinnedMemory(PinnedMemory&& other) noexcept { swap(other); }
  PinnedMemory& operator=(PinnedMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  char* data() const { return data_; }

 private:
  void swap(PinnedMemory& other) noexcept;
  std::shared_ptr<Context> context_;
  char* data_ = nullptr;
};

class Event {
 public:
  explicit Event(std::shared_ptr<Context> context, bool timed = false);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  CUevent get() const { return event_; }
  void record(CUstream stream);
  void wait();                           // on the host
  float ms_since(const Event& earlier);  // both timed and over

 private:
  std::shared_ptr<Context> context_;
  CUevent event_ = nullptr;
};

class Stream {
 public:
  explicit Stream(std::shared_ptr<Context> context);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  CUstream get() const { return stream_; }
  void wait();  // on the host, for everything in this stream

 private:
  std::shared_ptr<Context> context_;
  CUstream stream_ = nullptr;
};

class Context : public std::enable_shared_from_this<Context> {
 public:
  // Throws ERR_NO_DEVICE for an index that is not there or a device older than sm_75. `memory_limit` in bytes, 0: none.
  Context(const Libraries& libraries, int index, size_t memory_limit);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Libraries& libraries() const { return libraries_; }
  const Driver& driver() const { return libraries_.driver; }
  const DeviceFacts& facts() const { return facts_; }

  // Makes this context current on the calling thread. Throws ERR_CUDA once the device is lost.
  void enter() const;
  // Throws what a refused call means; a fault of the device (an illegal address, a launch that failed) marks it lost.
  void check(CUresult result, const char* call) const;
  bool lost() const { return !what_lost_it().empty(); }

  // Throws ERR_OUT_OF_MEMORY that says what was asked for, what is free, and what holds the rest.
  char* allocate(size_t bytes, const std::string& owner);
  void free(char* data);
  size_t held_bytes() const;

 private:
  struct Holding {
    std::string owner;
    size_t bytes;
  };
  std::string what_lost_it() const;
  // Under the lock.
  [[noreturn]] void out_of_memory(size_t bytes, const std::string& owner) const;

  const Libraries& libraries_;
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
  DeviceFacts facts_;
  size_t memory_limit_;
  mutable std::mutex memory_mutex_, lost_mutex_;
  size_t held_ = 0;
  std::map<char*, Holding> holdings_;
  mutable std::string lost_;  // by which call, or nothing
};

// OSTRICH_CU(context, cuMemFree(p)): calls through the table and checks.
#define OSTRICH_CU(context, call) (context).check((context).driver().call, #call)

inline CUdeviceptr address(const void* data) { return reinterpret_cast<CUdeviceptr>(data); }

}  // namespace ostrich::cuda
