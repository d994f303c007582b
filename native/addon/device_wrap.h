// class Device: an open backend and its thread. The only class that JavaScript constructs.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/device.h"

namespace ostrich::addon {

class DeviceWrap : public Napi::ObjectWrap<DeviceWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit DeviceWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value compile(const Napi::CallbackInfo& info);
  Napi::Value alloc(const Napi::CallbackInfo& info);
  Napi::Value info(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<Device> device_;
};

}  // namespace ostrich::addon
