// See device_wrap.h. Defaults live in TypeScript: every option must be there.
#include "addon/device_wrap.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "addon/buffer_wrap.h"
#include "addon/compile_job.h"
#include "core/error.h"

namespace ostrich::addon {
namespace {

constexpr double kMaxBufferBytes = double(int64_t{1} << 40);

std::string get_string(const Napi::Object& object, const char* where, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsString()) core::fail("ERR_ARGUMENT", where, ": expected ", key, " to be a string, got another value");
  return value.As<Napi::String>().Utf8Value();
}

int64_t get_int(const Napi::Object& object, const char* where, const char* key, int64_t max) {
  const Napi::Value value = object.Get(key);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= max && number == std::floor(number))) {
    core::fail("ERR_ARGUMENT", where, ": expected ", key, " to be an integer from 0 to ", max);
  }
  return int64_t(number);
}

// Those that this process may run on.
int processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return int(std::max(1u, std::thread::hardware_concurrency()));  // more than fit a set
}

Napi::Object get_object(const Napi::Value& value, const char* where) {
  if (!value.IsObject()) core::fail("ERR_ARGUMENT", where, ": expected an object of options, got another value");
  return value.As<Napi::Object>();
}

core::Shape get_shape(const Napi::Value& value, const std::string& name, size_t element_bytes) {
  if (!value.IsArray()) core::fail("ERR_ARGUMENT", "alloc[", name, "]: expected shape to be an array of extents");
  const auto list = value.As<Napi::Array>();
  core::Shape shape;
  double bytes = double(element_bytes);
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value extent = list[i];
    const double number = extent.IsNumber() ? extent.As<Napi::Number>().DoubleValue() : 0;
    bytes *= number;
    if (!(number >= 1 && number == std::floor(number) && bytes <= kMaxBufferBytes) || shape.size() == 8) {
      core::fail("ERR_ARGUMENT", "alloc[", name, "]: expected at most 8 extents >= 1 and at most ", kMaxBufferBytes,
                 " bytes, got ", number, " at axis ", i);
    }
    shape.push_back(int64_t(number));
  }
  return shape;
}

}  // namespace

Napi::Function DeviceWrap::define(Napi::Env env) {
  return DefineClass(env, "Device",
                     {InstanceMethod<&DeviceWrap::compile>("compile"), InstanceMethod<&DeviceWrap::alloc>("alloc"),
                      InstanceMethod<&DeviceWrap::info>("info"), InstanceMethod<&DeviceWrap::dispose>("dispose")});
}

DeviceWrap::DeviceWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<DeviceWrap>(info) {
  guarded(info.Env(), [&] {
    const Napi::Object given = get_object(info[0], "device");
    backend::DeviceOptions options;
    options.index = int(get_int(given, "device", "index", 1023));
    // More threads than processors are slower.
    const int threads = int(get_int(given, "device", "threads", 4096));
    options.threads = threads == 0 ? processors() : std::min(threads, processors());
    options.profile = given.Get("profile").ToBoolean();
    options.deterministic = given.Get("deterministic").ToBoolean();
    options.memory_limit = get_int(given, "device", "memoryLimit", int64_t(1) << 53);
    device_ = std::make_shared<Device>(info.Env(), get_string(given, "device", "backend"), options);
  });
}

Napi::Value DeviceWrap::compile(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&](const Napi::Promise::Deferred& deferred) {
    if (!info[0].IsString()) core::fail("ERR_ARGUMENT", "compile: expected program text, got another value");
    if (!info[1].IsArray()) core::fail("ERR_ARGUMENT", "compile: expected an array of Buffers, got another value");
    const auto list = info[1].As<Napi::Array>();
    std::vector<std::shared_ptr<backend::Buffer>> state;
    for (uint32_t i = 0; i < list.Length(); ++i) {
      state.push_back(BufferWrap::unwrap(list[i], device_, "compile: state " + std::to_string(i)));
    }
    auto job =
        std::make_unique<CompileJob>(deferred, device_, info[0].As<Napi::String>().Utf8Value(), std::move(state));
    device_->post(job.get(), "compile");
    job.release();
  });
}

Napi::Value DeviceWrap::alloc(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object given = get_object(info[0], "alloc");
    backend::BufferSpec spec;
    spec.name = get_string(given, "alloc", "name");
    const std::string dtype_name = get_string(given, "alloc", "dtype");
    const auto dtype = core::parse_dtype(dtype_name);
    if (!dtype) {
      core::fail("ERR_ARGUMENT", "alloc[", spec.name, "]: expected dtype f32, bf16, i32 or u8, got ", dtype_name);
    }
    spec.dtype = *dtype;
    spec.shape = get_shape(given.Get("shape"), spec.name, core::size_of(*dtype));
    return Napi::Value(BufferWrap::make(info.Env(), {device_, device_->allocate(spec)}));
  });
}

Napi::Value DeviceWrap::info(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    device_->expect_alive("info");
    Napi::Object result = Napi::Object::New(info.Env());
    for (const auto& [key, text] : device_->facts()) result.Set(key, Napi::String::New(info.Env(), text));
    return Napi::Value(result);
  });
}

Napi::Value DeviceWrap::dispose(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&](const Napi::Promise::Deferred& deferred) { device_->dispose(deferred); });
}

}  // namespace ostrich::addon
