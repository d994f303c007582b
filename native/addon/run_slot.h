// One run of a program under way: its own copy of the feeds but for those that are lent, room for the fetches, and the
// caller's promise. Slots are reused, so that a run in steady state allocates nothing here.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "addon/device.h"
#include "backend/backend.h"

namespace ostrich::addon {

// What crosses the boundary at each run, from the program text.
struct Port {
  std::string name;
  core::DType dtype;
  int64_t count;
  size_t bytes;
};

// A built program and its ports; shared by the Program and its runs.
struct Built {
  std::string name;
  std::vector<Port> feeds, fetches;
  std::unique_ptr<backend::Executable> executable;
  int64_t copied_bytes = 0;  // of feeds, by JavaScript's thread
};

class RunSlot;
// Slots that wait for their next run. The program owns it: a run that ends after its program finds no pool.
using SlotPool = std::vector<std::unique_ptr<RunSlot>>;

class RunSlot : public Job {
 public:
  RunSlot(Napi::Env env, std::shared_ptr<Device> device, std::shared_ptr<Built> built, std::weak_ptr<SlotPool> pool);
  ~RunSlot() override;

  // Checks and copies the feeds, checks and holds the fetch arrays, and keeps `program` alive until the run is settled.
  // With `lent`, feeds over a SharedArrayBuffer, whose memory nobody can take away, are held and read where they lie.
  // Throws ERR_ARGUMENT; the slot can be used again after that.
  void load(Napi::Object program, const Napi::Value& feeds, const Napi::Value& fetches, bool lent,
            Napi::Promise::Deferred deferred);
  void unload();
  // Gives itself back to its pool, or ends where there is none any more.
  void recycle();

  void execute() override;
  bool is_under_way() const override { return built_->executable->is_asynchronous(); }
  void finish() override { built_->executable->finish(); }
  void settle(Napi::Env env, const std::optional<Failure>& failure) override;
  void interrupt() override { built_->executable->stop(); }
  void discard() override;

 private:
  struct Free {
    void operator()(char* memory) const;
  };
  Napi::Array expect_list(const Napi::Value& value, const char* kind, size_t count) const;
  void take_feeds(const Napi::Value& list, bool lent);
  void hold_fetches(const Napi::Value& list);
  void copy_fetches(Napi::Env env);
  std::string where(const char* kind, const Port& port) const;

  std::shared_ptr<Device> device_;
  std::shared_ptr<Built> built_;
  std::weak_ptr<SlotPool> pool_;
  std::unique_ptr<char, Free> memory_;
  int64_t bytes_ = 0;                     // of it
  std::vector<void*> own_;                // room for a copy of each feed
  std::vector<const void*> feeds_;        // where each lies in this run
  std::vector<void*> staging_, fetches_;  // where each fetch may go, and where it does in this run (null: skipped)
  Napi::Reference<Napi::Array> held_;     // [program, fetch arrays ..., lent feeds ...] while under way
  Napi::Promise::Deferred deferred_;
};

}  // namespace ostrich::addon
