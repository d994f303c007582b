// See program_wrap.h.
#include "addon/program_wrap.h"

#include <utility>

#include "addon/instance.h"
#include "core/error.h"

namespace ostrich::addon {

Napi::Function ProgramWrap::define(Napi::Env env) {
  return DefineClass(env, "Program",
                     {InstanceMethod<&ProgramWrap::run>("run"), InstanceMethod<&ProgramWrap::stats>("stats"),
                      InstanceMethod<&ProgramWrap::dispose>("dispose")});
}

Napi::Object ProgramWrap::make(Napi::Env env, Init init) {
  return construct(env, Instance::of(env).program_class, init);
}

ProgramWrap::ProgramWrap(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ProgramWrap>(info), pool_(std::make_shared<SlotPool>()) {
  auto& init = take_construction<Init>(info, "Program", "Device.compile");
  device_ = std::move(init.device);
  built_ = std::move(init.built);
  name_ = built_->name;
}

void ProgramWrap::Finalize(Napi::Env) { release(); }

// A run under way has its own share of `built_`, and ends as if nothing had happened.
void ProgramWrap::release() {
  if (built_ == nullptr) return;
  pool_.reset();
  device_->drop(std::move(built_));
}

void ProgramWrap::expect_alive(const char* what) const {
  if (built_ == nullptr) {
    core::fail("ERR_DISPOSED", what, "[", name_, "]: expected a program in use, got one that was disposed");
  }
}

std::unique_ptr<RunSlot> ProgramWrap::take_slot(Napi::Env env) {
  if (pool_->empty()) return std::make_unique<RunSlot>(env, device_, built_, pool_);
  std::unique_ptr<RunSlot> slot = std::move(pool_->back());
  pool_->pop_back();
  return slot;
}

Napi::Value ProgramWrap::run(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&](const Napi::Promise::Deferred& deferred) {
    expect_alive("run");
    std::unique_ptr<RunSlot> slot = take_slot(info.Env());
    try {
      const bool lent = info[2].IsBoolean() && info[2].As<Napi::Boolean>();
      slot->load(info.This().As<Napi::Object>(), info[0], info[1], lent, deferred);
      device_->post(slot.get(), "run");
    } catch (...) {
      slot->unload();
      slot.release()->recycle();
      throw;
    }
    slot.release();
  });
}

Napi::Value ProgramWrap::stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    expect_alive("stats");
    device_->expect_alive("stats");
    const backend::Stats stats = built_->executable->stats();
    Napi::Object result = Napi::Object::New(env);
    result.Set("runs", Napi::Number::New(env, double(stats.runs)));
    result.Set("arenaBytes", Napi::Number::New(env, double(stats.arena_bytes)));
    result.Set("sharedArenaBytes", Napi::Number::New(env, double(device_->backend().arena_bytes())));
    result.Set("stateBytes", Napi::Number::New(env, double(stats.state_bytes)));
    result.Set("steps", Napi::Number::New(env, double(stats.steps)));
    result.Set("copiedBytes", Napi::Number::New(env, double(built_->copied_bytes)));
    result.Set("reorders", Napi::Number::New(env, double(stats.reorders)));
    result.Set("explain", Napi::String::New(env, stats.explain));
    result.Set("profile", Napi::String::New(env, stats.profile));
    return Napi::Value(result);
  });
}

void ProgramWrap::dispose(const Napi::CallbackInfo&) { release(); }

}  // namespace ostrich::addon
