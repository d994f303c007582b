// See functions.h.
#include "addon/functions.h"

#include <gnu/libc-version.h>

#include "addon/errors.h"
#include "backend/registry.h"
#include "program/check.h"
#include "program/program_spec.h"

namespace ostrich::addon {

Napi::Value backends(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    Napi::Array list = Napi::Array::New(env);
    for (const backend::Presence& presence : backend::backends()) {
      Napi::Object entry = Napi::Object::New(env);
      entry.Set("name", presence.name);
      entry.Set("available", presence.available);
      if (!presence.available) entry.Set("reason", presence.reason);
      list.Set(list.Length(), entry);
    }
    return Napi::Value(list);
  });
}

Napi::Value ops(const Napi::CallbackInfo& info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (const std::string& name : program::op_names()) list.Set(list.Length(), name);
  return list;
}

Napi::Value versions(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    Napi::Object result = Napi::Object::New(env);
    result.Set("addon", OSTRICH_VERSION);
    result.Set("program", std::to_string(program::kFormatVersion));
    result.Set("glibc", gnu_get_libc_version());
    for (const auto& [library, version] : backend::versions()) result.Set(library, version);
    return Napi::Value(result);
  });
}

}  // namespace ostrich::addon
