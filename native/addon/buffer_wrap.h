// class Buffer: device memory of one variable. Made by Device.alloc.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/device.h"

namespace ostrich::addon {

class BufferWrap : public Napi::ObjectWrap<BufferWrap> {
 public:
  struct Init {
    std::shared_ptr<Device> device;
    std::shared_ptr<backend::Buffer> buffer;
  };

  static Napi::Function define(Napi::Env env);
  static Napi::Object make(Napi::Env env, Init init);
  // The native buffer behind a JavaScript value; throws ERR_ARGUMENT unless it is a live Buffer of that device.
  static std::shared_ptr<backend::Buffer> unwrap(const Napi::Value& value, const std::shared_ptr<Device>& device,
                                                 const std::string& where);

  explicit BufferWrap(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

 private:
  Napi::Value write(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);
  void release(Napi::Env env);
  void expect_alive(const char* what) const;

  std::shared_ptr<Device> device_;
  std::shared_ptr<backend::Buffer> buffer_;  // null once disposed
  std::string name_;
  int64_t bytes_;
};

}  // namespace ostrich::addon
