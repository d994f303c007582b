// Parses and builds a program on the device's thread, then makes the Program that the promise gives.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "addon/device.h"
#include "addon/run_slot.h"

namespace ostrich::addon {

class CompileJob : public Job {
 public:
  CompileJob(Napi::Promise::Deferred deferred, std::shared_ptr<Device> device, std::string text,
             std::vector<std::shared_ptr<backend::Buffer>> state);
  void execute() override;
  void settle(Napi::Env env, const std::optional<Failure>& failure) override;
  void discard() override { delete this; }

 private:
  void expect_state(const program::ProgramSpec& spec) const;

  Napi::Promise::Deferred deferred_;
  std::shared_ptr<Device> device_;
  std::string text_;
  std::vector<std::shared_ptr<backend::Buffer>> state_;
  std::shared_ptr<Built> built_;
};

}  // namespace ostrich::addon
