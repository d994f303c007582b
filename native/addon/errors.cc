// See errors.h.
#include "addon/errors.h"

#include <new>

#include "core/error.h"

namespace ostrich::addon {

Failure current_failure() {
  try {
    throw;
  } catch (const core::Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {"ERR_OUT_OF_MEMORY", "expected memory for the request, got none from the system"};
  } catch (const std::exception& error) {
    return {"ERR_INTERNAL", error.what()};
  } catch (...) {
    return {"ERR_INTERNAL", "an unknown exception"};
  }
}

Napi::Error to_error(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.message);
  error.Set("code", Napi::String::New(env, failure.code));
  return error;
}

}  // namespace ostrich::addon
