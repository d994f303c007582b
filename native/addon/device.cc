// See device.h.
#include "addon/device.h"

#include <utility>

#include "backend/registry.h"
#include "core/error.h"

namespace ostrich::addon {

class Device::Drop : public Job {
 public:
  Drop(Device* device, std::shared_ptr<void> resource) : device_(device), resource_(std::move(resource)) {}
  void execute() override { resource_.reset(); }
  void settle(Napi::Env, const std::optional<Failure>&) override {
    device_->report_arena();
    delete this;
  }
  void discard() override { delete this; }

 private:
  Device* device_;  // which discards its jobs when it goes
  std::shared_ptr<void> resource_;
};

// Holds the device: a device that goes ends its thread, and with it whatever is queued.
class Device::Disposal : public Job {
 public:
  Disposal(std::shared_ptr<Device> device, Napi::Promise::Deferred deferred)
      : device_(std::move(device)), deferred_(deferred) {}
  void execute() override { device_->backend().synchronize(); }
  void settle(Napi::Env env, const std::optional<Failure>& failure) override {
    if (device_->thread_->idle()) device_->thread_->close();
    if (failure) {
      deferred_.Reject(to_error(env, *failure).Value());
    } else {
      deferred_.Resolve(env.Undefined());
    }
    delete this;
  }
  void discard() override { delete this; }

 private:
  std::shared_ptr<Device> device_;
  Napi::Promise::Deferred deferred_;
};

Device::Device(Napi::Env env, const std::string& backend_name, const backend::DeviceOptions& options)
    : env_(env),
      name_(backend_name + ":" + std::to_string(options.index)),
      thread_(DeviceThread::start(env, "ostrich-" + backend_name)) {
  try {
    thread_->call([&] {
      backend_ = backend::open(backend_name, options);
      facts_ = backend_->info();
    });
  } catch (...) {
    thread_->close();
    throw;
  }
}

Device::~Device() {
  thread_->close();
  Napi::MemoryManagement::AdjustExternalMemory(env_, -reported_);
}

void Device::expect_alive(const char* what) const {
  if (disposed_ || thread_->closed()) {
    core::fail("ERR_DISPOSED", what, "[", name_, "]: expected a device in use, got one that was disposed");
  }
}

void Device::post(Job* job, const char* what) {
  expect_alive(what);
  thread_->post(job);
}

std::shared_ptr<backend::Buffer> Device::allocate(const backend::BufferSpec& spec) {
  expect_alive("alloc");
  if (backend_->allocates_anywhere()) return backend_->allocate(spec);
  std::shared_ptr<backend::Buffer> buffer;
  thread_->call([&] { buffer = backend_->allocate(spec); });
  return buffer;
}

void Device::drop(std::shared_ptr<void> resource) {
  if (!thread_->closed()) return thread_->post(new Drop(this, std::move(resource)));
  resource.reset();
  report_arena();
}

void Device::report_arena() {
  const int64_t held = backend_->arena_bytes();
  if (held == reported_) return;
  Napi::MemoryManagement::AdjustExternalMemory(env_, held - reported_);
  reported_ = held;
}

void Device::dispose(Napi::Promise::Deferred deferred) {
  disposed_ = true;
  if (thread_->closed()) {
    deferred.Resolve(deferred.Env().Undefined());
    return;
  }
  thread_->post(new Disposal(shared_from_this(), deferred));
}

}  // namespace ostrich::addon
