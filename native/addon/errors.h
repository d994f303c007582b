// The one place where C++ exceptions become JavaScript errors with a `code`.
#pragma once

#include <napi.h>

#include <string>
#include <utility>

namespace ostrich::addon {

struct Failure {
  std::string code, message;
};

// What the exception being handled says; call it inside `catch (...)`.
Failure current_failure();

// An Error with `code`.
Napi::Error to_error(Napi::Env env, const Failure& failure);

// Body of a method that answers at once: throws a JavaScript error.
template <typename Body>
auto guarded(Napi::Env env, const Body& body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_error(env, current_failure());
  }
}

// Body of a method that answers with a promise: every failure rejects it.
template <typename Body>
Napi::Value promised(Napi::Env env, const Body& body) {
  const auto deferred = Napi::Promise::Deferred::New(env);
  try {
    body(deferred);
  } catch (const Napi::Error& error) {
    deferred.Reject(error.Value());
  } catch (...) {
    deferred.Reject(to_error(env, current_failure()).Value());
  }
  return deferred.Promise();
}

}  // namespace ostrich::addon
