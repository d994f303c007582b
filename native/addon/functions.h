// The addon's three functions.
#pragma once

#include <napi.h>

namespace ostrich::addon {

Napi::Value backends(const Napi::CallbackInfo& info);
Napi::Value ops(const Napi::CallbackInfo& info);
Napi::Value versions(const Napi::CallbackInfo& info);

}  // namespace ostrich::addon
