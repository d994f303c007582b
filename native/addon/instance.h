// State of one Node.js environment (the main thread or a worker): the classes and the threads, never a global.
#pragma once

#include <napi.h>

#include <string>
#include <unordered_set>
#include <utility>

#include "addon/errors.h"

namespace ostrich::addon {

class DeviceThread;

struct Instance {
  Napi::FunctionReference buffer_class, program_class;
  // What the constructor that native code is about to call takes over; null when JavaScript calls it.
  void* construction = nullptr;
  std::unordered_set<DeviceThread*> threads;  // that are not closed

  static Instance& of(Napi::Env env) { return *env.GetInstanceData<Instance>(); }
};

// Makes an object of a class that JavaScript may not construct; its constructor takes `init` from the instance.
template <typename Init>
Napi::Object construct(Napi::Env env, const Napi::FunctionReference& constructor, Init& init) {
  Instance::of(env).construction = &init;
  return constructor.New({});
}

template <typename Init>
Init& take_construction(const Napi::CallbackInfo& info, const char* name, const char* maker) {
  void* init = std::exchange(Instance::of(info.Env()).construction, nullptr);
  if (init == nullptr) {
    throw to_error(info.Env(), {"ERR_ARGUMENT", std::string(name) + ": expected a call of " + maker + ", got `new`"});
  }
  return *static_cast<Init*>(init);
}

}  // namespace ostrich::addon
