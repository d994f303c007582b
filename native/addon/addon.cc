// The exports table of the addon; lib/runtime/binding.ts is its type.
#include <napi.h>

#include "addon/buffer_wrap.h"
#include "addon/device_thread.h"
#include "addon/device_wrap.h"
#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/program_wrap.h"

namespace ostrich::addon {
namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* instance = new Instance;
  instance->buffer_class = Napi::Persistent(BufferWrap::define(env));
  instance->program_class = Napi::Persistent(ProgramWrap::define(env));
  env.SetInstanceData(instance);
  DeviceThread::close_at_exit(env);
  exports.Set("backends", Napi::Function::New<backends>(env, "backends"));
  exports.Set("ops", Napi::Function::New<ops>(env, "ops"));
  exports.Set("versions", Napi::Function::New<versions>(env, "versions"));
  exports.Set("Device", DeviceWrap::define(env));
  return exports;
}

}  // namespace
}  // namespace ostrich::addon

// The macro wants a function of its own scope.
static Napi::Object ostrich_init(Napi::Env env, Napi::Object exports) { return ostrich::addon::init(env, exports); }
NODE_API_MODULE(ostrich, ostrich_init)
