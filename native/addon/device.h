// What the three classes share: a device's backend and thread. Lives until the last Device, Buffer or Program that
// uses it is gone, so that no order of disposal or collection can pull it from under another.
#pragma once

#include <memory>
#include <string>

#include "addon/device_thread.h"
#include "backend/backend.h"

namespace ostrich::addon {

class Device : public std::enable_shared_from_this<Device> {
 public:
  // Opens the backend on the device's own thread. Throws ERR_NO_DEVICE.
  Device(Napi::Env env, const std::string& backend_name, const backend::DeviceOptions& options);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  backend::Backend& backend() { return *backend_; }
  const std::string& name() const { return name_; }
  const backend::Facts& facts() const { return facts_; }

  // These three throw ERR_DISPOSED, naming what was asked for, once `dispose` was called.
  void expect_alive(const char* what) const;
  void post(Job* job, const char* what);
  // Waits for the job under way only where the backend allocates on the device's thread alone.
  std::shared_ptr<backend::Buffer> allocate(const backend::BufferSpec& spec);
  // Destroys native memory on the device's thread, after the jobs that may use it.
  void drop(std::shared_ptr<void> resource);

  // Tells V8 what the arena of all programs has come to: to call where one was built, has run or is gone.
  void report_arena();

  void dispose(Napi::Promise::Deferred deferred);  // resolves when all jobs are settled and the thread has ended

 private:
  class Drop;
  class Disposal;

  napi_env env_;
  std::string name_;
  bool disposed_ = false;
  int64_t reported_ = 0;  // bytes of the arena, to V8
  std::shared_ptr<DeviceThread> thread_;
  std::unique_ptr<backend::Backend> backend_;
  backend::Facts facts_;
};

}  // namespace ostrich::addon
