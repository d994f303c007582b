// See buffer_wrap.h. Host data is copied on the JavaScript thread in both directions, so that the caller may reuse or
// transfer its array while the device works.
#include "addon/buffer_wrap.h"

#include <cstring>
#include <utility>

#include "addon/host_array.h"
#include "addon/instance.h"
#include "core/error.h"

namespace ostrich::addon {
namespace {

constexpr napi_type_tag kTag = {0x6f73747269636842u, 0x7566666572000001u};

int64_t bytes_of(const backend::BufferSpec& spec) {
  return core::count(spec.shape) * int64_t(core::size_of(spec.dtype));
}

class Transfer : public Job {
 public:
  Transfer(Napi::Promise::Deferred deferred, std::shared_ptr<Device> device, std::shared_ptr<backend::Buffer> buffer)
      : deferred_(deferred),
        device_(std::move(device)),
        buffer_(std::move(buffer)),
        bytes_(size_t(bytes_of(buffer_->spec()))),
        host_(new char[bytes_]) {}

  void settle(Napi::Env env, const std::optional<Failure>& failure) override {
    std::optional<Failure> result = failure;
    try {
      if (!result) finish();
    } catch (...) {
      result = current_failure();
    }
    if (result) {
      deferred_.Reject(to_error(env, *result).Value());
    } else {
      deferred_.Resolve(env.Undefined());
    }
    delete this;
  }
  void discard() override { delete this; }

 protected:
  virtual void finish() {}

  Napi::Promise::Deferred deferred_;
  std::shared_ptr<Device> device_;
  std::shared_ptr<backend::Buffer> buffer_;
  size_t bytes_;
  std::unique_ptr<char[]> host_;
};

class Write : public Transfer {
 public:
  Write(Napi::Promise::Deferred deferred, std::shared_ptr<Device> device, std::shared_ptr<backend::Buffer> buffer,
        const void* source)
      : Transfer(deferred, std::move(device), std::move(buffer)) {
    std::memcpy(host_.get(), source, bytes_);
  }
  void execute() override { device_->backend().upload(*buffer_, host_.get()); }
};

class Read : public Transfer {
 public:
  Read(Napi::Promise::Deferred deferred, std::shared_ptr<Device> device, std::shared_ptr<backend::Buffer> buffer,
       Napi::Object target)
      : Transfer(deferred, std::move(device), std::move(buffer)), target_(Napi::Persistent(target)) {}
  void execute() override { device_->backend().download(*buffer_, host_.get()); }

 protected:
  void finish() override {
    const backend::BufferSpec& spec = buffer_->spec();
    void* data = expect_array(target_.Value(), spec.dtype, core::count(spec.shape),
                              [&] { return "read[" + spec.name + "]: array when the read ended"; });
    std::memcpy(data, host_.get(), bytes_);
  }

 private:
  Napi::ObjectReference target_;
};

}  // namespace

Napi::Function BufferWrap::define(Napi::Env env) {
  return DefineClass(env, "Buffer",
                     {InstanceMethod<&BufferWrap::write>("write"), InstanceMethod<&BufferWrap::read>("read"),
                      InstanceMethod<&BufferWrap::dispose>("dispose")});
}

Napi::Object BufferWrap::make(Napi::Env env, Init init) { return construct(env, Instance::of(env).buffer_class, init); }

BufferWrap::BufferWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<BufferWrap>(info) {
  auto& init = take_construction<Init>(info, "Buffer", "Device.alloc");
  device_ = std::move(init.device);
  buffer_ = std::move(init.buffer);
  name_ = buffer_->spec().name;
  bytes_ = bytes_of(buffer_->spec());
  info.This().As<Napi::Object>().TypeTag(&kTag);
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes_);
}

void BufferWrap::Finalize(Napi::Env env) { release(env); }

void BufferWrap::release(Napi::Env env) {
  if (buffer_ == nullptr) return;
  Napi::MemoryManagement::AdjustExternalMemory(env, -bytes_);
  device_->drop(std::move(buffer_));
}

std::shared_ptr<backend::Buffer> BufferWrap::unwrap(const Napi::Value& value, const std::shared_ptr<Device>& device,
                                                    const std::string& where) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTag)) {
    core::fail("ERR_ARGUMENT", where, ": expected a Buffer, got another value");
  }
  const BufferWrap* wrap = Unwrap(value.As<Napi::Object>());
  wrap->expect_alive(where.c_str());
  if (wrap->device_ != device) {
    core::fail("ERR_ARGUMENT", where, ": expected a Buffer of ", device->name(), ", got one of another Device (",
               wrap->device_->name(), ")");
  }
  return wrap->buffer_;
}

void BufferWrap::expect_alive(const char* what) const {
  if (buffer_ == nullptr) {
    core::fail("ERR_DISPOSED", what, "[", name_, "]: expected a buffer in use, got one that was disposed");
  }
}

Napi::Value BufferWrap::write(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&](const Napi::Promise::Deferred& deferred) {
    expect_alive("write");
    const backend::BufferSpec& spec = buffer_->spec();
    const void* data =
        expect_array(info[0], spec.dtype, core::count(spec.shape), [&] { return "write[" + name_ + "]"; });
    auto job = std::make_unique<Write>(deferred, device_, buffer_, data);
    device_->post(job.get(), "write");
    job.release();
  });
}

Napi::Value BufferWrap::read(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&](const Napi::Promise::Deferred& deferred) {
    expect_alive("read");
    const backend::BufferSpec& spec = buffer_->spec();
    expect_array(info[0], spec.dtype, core::count(spec.shape), [&] { return "read[" + name_ + "]"; });
    auto job = std::make_unique<Read>(deferred, device_, buffer_, info[0].As<Napi::Object>());
    device_->post(job.get(), "read");
    job.release();
  });
}

void BufferWrap::dispose(const Napi::CallbackInfo& info) { release(info.Env()); }

}  // namespace ostrich::addon
