// See run_slot.h.
#include "addon/run_slot.h"

#include <cstring>
#include <new>
#include <utility>

#include "addon/host_array.h"
#include "core/error.h"

namespace ostrich::addon {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr size_t kKeptSlots = 4;  // a caller keeps two runs in flight; a burst of more gives its memory back

size_t aligned(size_t bytes) { return (bytes + size_t(kAlignment) - 1) / size_t(kAlignment) * size_t(kAlignment); }

}  // namespace

void RunSlot::Free::operator()(char* memory) const { ::operator delete(memory, kAlignment); }

RunSlot::RunSlot(Napi::Env env, std::shared_ptr<Device> device, std::shared_ptr<Built> built,
                 std::weak_ptr<SlotPool> pool)
    : device_(std::move(device)), built_(std::move(built)), pool_(std::move(pool)), deferred_(env) {
  size_t bytes = 0;
  for (const auto* ports : {&built_->feeds, &built_->fetches}) {
    for (const Port& port : *ports) bytes += aligned(port.bytes);
  }
  memory_.reset(static_cast<char*>(::operator new(bytes, kAlignment)));
  char* next = memory_.get();
  for (const Port& port : built_->feeds) own_.push_back(std::exchange(next, next + aligned(port.bytes)));
  for (const Port& port : built_->fetches) staging_.push_back(std::exchange(next, next + aligned(port.bytes)));
  feeds_.resize(own_.size());
  fetches_.resize(staging_.size());
  held_ = Napi::Reference<Napi::Array>::New(Napi::Array::New(env), 1);
  bytes_ = int64_t(bytes);
  Napi::MemoryManagement::AdjustExternalMemory(env, bytes_);
}

RunSlot::~RunSlot() { Napi::MemoryManagement::AdjustExternalMemory(deferred_.Env(), -bytes_); }

std::string RunSlot::where(const char* kind, const Port& port) const {
  return "run[" + built_->name + "]: " + kind + " " + port.name;
}

Napi::Array RunSlot::expect_list(const Napi::Value& value, const char* kind, size_t count) const {
  if (!value.IsArray() || value.As<Napi::Array>().Length() != count) {
    const std::string got = value.IsArray() ? std::to_string(value.As<Napi::Array>().Length()) : "no array";
    core::fail("ERR_ARGUMENT", "run[", built_->name, "]: expected an array of ", count, " ", kind, ", got ", got);
  }
  return value.As<Napi::Array>();
}

void RunSlot::take_feeds(const Napi::Value& list, bool lent) {
  const Napi::Array arrays = expect_list(list, "feeds", feeds_.size());
  Napi::Array held = held_.Value();
  for (size_t i = 0; i < feeds_.size(); ++i) {
    const Port& port = built_->feeds[i];
    const Napi::Value array = arrays[uint32_t(i)];
    const void* data = expect_array(array, port.dtype, port.count, [&] { return where("feed", port); });
    if (lent && !array.As<Napi::TypedArray>().ArrayBuffer().IsArrayBuffer()) {
      held.Set(uint32_t(fetches_.size() + i) + 1, array);
      feeds_[i] = data;
      continue;
    }
    std::memcpy(own_[i], data, port.bytes);
    feeds_[i] = own_[i];
    built_->copied_bytes += int64_t(port.bytes);
  }
}

void RunSlot::hold_fetches(const Napi::Value& list) {
  const Napi::Array arrays = expect_list(list, "fetches", fetches_.size());
  Napi::Array held = held_.Value();
  for (size_t i = 0; i < fetches_.size(); ++i) {
    const Port& port = built_->fetches[i];
    const Napi::Value array = arrays[uint32_t(i)];
    const bool skipped = array.IsNull();
    if (!skipped) expect_array(array, port.dtype, port.count, [&] { return where("fetch", port); });
    fetches_[i] = skipped ? nullptr : staging_[i];
    held.Set(uint32_t(i) + 1, array);
  }
}

void RunSlot::load(Napi::Object program, const Napi::Value& feeds, const Napi::Value& fetches, bool lent,
                   Napi::Promise::Deferred deferred) {
  take_feeds(feeds, lent);
  hold_fetches(fetches);
  held_.Value().Set(uint32_t{0}, program);
  deferred_ = deferred;
}

void RunSlot::unload() {
  Napi::Array held = held_.Value();
  for (uint32_t i = 0; i <= fetches_.size() + feeds_.size(); ++i) held.Set(i, held.Env().Null());
}

void RunSlot::execute() { built_->executable->run(feeds_, fetches_); }

void RunSlot::copy_fetches(Napi::Env env) {
  const Napi::Array held = held_.Value();
  for (size_t i = 0; i < fetches_.size(); ++i) {
    if (fetches_[i] == nullptr) continue;
    const Port& port = built_->fetches[i];
    const Napi::HandleScope scope(env);
    const Napi::Value array = held[uint32_t(i) + 1];
    void* data =
        expect_array(array, port.dtype, port.count, [&] { return where("fetch", port) + " when the run ended"; });
    std::memcpy(data, staging_[i], port.bytes);
  }
}

void RunSlot::settle(Napi::Env env, const std::optional<Failure>& failure) {
  device_->report_arena();
  std::optional<Failure> result = failure;
  try {
    if (!result) copy_fetches(env);
  } catch (...) {
    result = current_failure();
  }
  if (result) {
    deferred_.Reject(to_error(env, *result).Value());
  } else {
    deferred_.Resolve(env.Undefined());
  }
  unload();
  recycle();
}

void RunSlot::recycle() {
  const std::shared_ptr<SlotPool> pool = pool_.lock();
  std::unique_ptr<RunSlot> self(this);
  if (pool != nullptr && pool->size() < kKeptSlots) pool->push_back(std::move(self));
}

void RunSlot::discard() { delete this; }

}  // namespace ostrich::addon
