// class Program: a compiled program bound to its buffers. Made by Device.compile.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/run_slot.h"

namespace ostrich::addon {

class ProgramWrap : public Napi::ObjectWrap<ProgramWrap> {
 public:
  struct Init {
    std::shared_ptr<Device> device;
    std::shared_ptr<Built> built;
  };

  static Napi::Function define(Napi::Env env);
  static Napi::Object make(Napi::Env env, Init init);

  explicit ProgramWrap(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

 private:
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);
  void release();
  void expect_alive(const char* what) const;
  std::unique_ptr<RunSlot> take_slot(Napi::Env env);

  std::shared_ptr<Device> device_;
  std::shared_ptr<Built> built_;    // null once disposed
  std::shared_ptr<SlotPool> pool_;  // null once disposed
  std::string name_;
};

}  // namespace ostrich::addon
