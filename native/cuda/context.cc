// See context.h.
#include "cuda/context.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace ostrich::cuda {
namespace {

constexpr int kOldestSm = 75;
constexpr size_t kShownHoldings = 5;

size_t mib(size_t bytes) { return (bytes + (size_t(1) << 20) - 1) >> 20; }

// After these the context is of no further use: every later call returns the same error.
bool is_fault(CUresult result) {
  switch (result) {
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_LAUNCH_TIMEOUT:
    case CUDA_ERROR_LAUNCH_FAILED:
    case CUDA_ERROR_HARDWARE_STACK_ERROR:
    case CUDA_ERROR_ILLEGAL_INSTRUCTION:
    case CUDA_ERROR_MISALIGNED_ADDRESS:
    case CUDA_ERROR_INVALID_ADDRESS_SPACE:
    case CUDA_ERROR_INVALID_PC:
    case CUDA_ERROR_ECC_UNCORRECTABLE:
    case CUDA_ERROR_ASSERT:
    case CUDA_ERROR_UNKNOWN:
      return true;
    default:
      return false;
  }
}

std::string describe(const Driver& driver, CUresult result) {
  const char *name = nullptr, *text = nullptr;
  driver.cuGetErrorName(result, &name);
  driver.cuGetErrorString(result, &text);
  std::string described = name != nullptr ? name : "error " + std::to_string(int(result));
  if (text != nullptr) described += std::string(" (") + text + ")";
  return described;
}

}  // namespace

Context::Context(const Libraries& libraries, int index, size_t memory_limit)
    : libraries_(libraries), memory_limit_(memory_limit) {
  int count = 0;
  OSTRICH_CU(*this, cuDeviceGetCount(&count));
  if (index >= count) {
    core::fail("ERR_NO_DEVICE", "cuda:", index, ": expected a device below ", count, ", the number of CUDA devices");
  }
  OSTRICH_CU(*this, cuDeviceGet(&device_, index));
  char name[256] = {};
  OSTRICH_CU(*this, cuDeviceGetName(name, int(sizeof name) - 1, device_));
  const auto attribute = [&](CUdevice_attribute which) {
    int value = 0;
    OSTRICH_CU(*this, cuDeviceGetAttribute(&value, which, device_));
    return value;
  };
  facts_.name = name;
  facts_.sm = 10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) +
              attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  facts_.multiprocessors = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  OSTRICH_CU(*this, cuDeviceTotalMem(&facts_.total_bytes, device_));
  OSTRICH_CU(*this, cuDriverGetVersion(&facts_.driver_version));
  if (facts_.sm < kOldestSm) {
    core::fail("ERR_NO_DEVICE", "cuda:", index, ": expected compute capability 7.5 or newer (Turing), got ",
               facts_.sm / 10, ".", facts_.sm % 10, " (", facts_.name, "): use another device or device: 'cpu'");
  }
  OSTRICH_CU(*this, cuDevicePrimaryCtxRetain(&context_, device_));
  try {
    enter();
  } catch (...) {
    driver().cuDevicePrimaryCtxRelease(device_);
    throw;
  }
}

Context::~Context() { driver().cuDevicePrimaryCtxRelease(device_); }

void Context::enter() const {
  const std::string lost_by = what_lost_it();
  if (!lost_by.empty()) core::fail("ERR_CUDA", "cuda: expected a device in use, got one that was lost: ", lost_by);
  OSTRICH_CU(*this, cuCtxSetCurrent(context_));
}

std::string Context::what_lost_it() const {
  const std::lock_guard<std::mutex> lock(lost_mutex_);
  return lost_;
}

void Context::check(CUresult result, const char* call) const {
  if (result == CUDA_SUCCESS) return;
  const std::string function = std::string(call).substr(0, std::string(call).find('('));
  const std::string what = function + " failed with " + describe(driver(), result);
  if (is_fault(result)) {
    {
      const std::lock_guard<std::mutex> lock(lost_mutex_);
      if (lost_.empty()) lost_ = what;
    }
    core::fail("ERR_CUDA", "cuda: ", what, ": the device is lost to this process; its buffers cannot be read any more");
  }
  if (result == CUDA_ERROR_OUT_OF_MEMORY) core::fail("ERR_OUT_OF_MEMORY", "cuda: ", what);
  const bool busy = result == CUDA_ERROR_DEVICE_UNAVAILABLE;
  core::fail(busy ? "ERR_NO_DEVICE" : "ERR_CUDA", "cuda: ", what,
             busy ? ": another process holds the device in exclusive mode; end it, or choose another device" : "");
}

char* Context::allocate(size_t bytes, const std::string& owner) {
  bytes = std::max<size_t>(bytes, 1);
  const std::lock_guard<std::mutex> lock(memory_mutex_);
  if (memory_limit_ > 0 && held_ + bytes > memory_limit_) out_of_memory(bytes, owner);
  CUdeviceptr pointer = 0;
  const CUresult result = driver().cuMemAlloc(&pointer, bytes);
  if (result == CUDA_ERROR_OUT_OF_MEMORY) out_of_memory(bytes, owner);
  check(result, "cuMemAlloc");
  char* data = reinterpret_cast<char*>(pointer);
  holdings_[data] = {owner, bytes};
  held_ += bytes;
  return data;
}

void Context::free(char* data) {
  {
    // Not while memory is freed, which waits for the device.
    const std::lock_guard<std::mutex> lock(memory_mutex_);
    const auto found = holdings_.find(data);
    OSTRICH_CHECK(found != holdings_.end());
    held_ -= found->second.bytes;
    holdings_.erase(found);
  }
  // Freed wherever the last owner goes, perhaps on another thread; of a lost device nothing can be freed.
  if (driver().cuCtxSetCurrent(context_) == CUDA_SUCCESS) driver().cuMemFree(address(data));
}

size_t Context::held_bytes() const {
  const std::lock_guard<std::mutex> lock(memory_mutex_);
  return held_;
}

void Context::out_of_memory(size_t bytes, const std::string& owner) const {
  size_t free = 0, total = 0;
  driver().cuMemGetInfo(&free, &total);
  std::map<std::string, size_t> by_owner;
  for (const auto& [data, holding] : holdings_) by_owner[holding.owner] += holding.bytes;
  std::vector<std::pair<size_t, std::string>> largest;
  for (const auto& [name, held] : by_owner) largest.emplace_back(held, name);
  std::sort(largest.rbegin(), largest.rend());
  std::ostringstream text;
  text << owner << ": expected " << mib(bytes) << " MiB of device memory, got none: " << mib(free) << " of "
       << mib(total) << " MiB are free";
  if (memory_limit_ > 0) text << ", the limit for this device is " << mib(memory_limit_) << " MiB";
  text << "; Ostrich holds " << mib(held_) << " MiB";
  for (size_t i = 0; i < std::min(largest.size(), kShownHoldings); ++i) {
    text << (i == 0 ? " (" : ", ") << largest[i].second << " " << mib(largest[i].first) << " MiB";
  }
  if (largest.size() > kShownHoldings) text << " and " << largest.size() - kShownHoldings << " more";
  if (!largest.empty()) text << ")";
  core::fail("ERR_OUT_OF_MEMORY", text.str());
}

DeviceMemory::DeviceMemory(std::shared_ptr<Context> context, size_t bytes, const std::string& owner)
    : context_(std::move(context)), data_(context_->allocate(bytes, owner)), bytes_(bytes) {}

DeviceMemory::~DeviceMemory() {
  if (data_ != nullptr) context_->free(data_);
}

void DeviceMemory::swap(DeviceMemory& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
}

PinnedMemory::PinnedMemory(std::shared_ptr<Context> context, size_t bytes) : context_(std::move(context)) {
  void* data = nullptr;
  OSTRICH_CU(*context_, cuMemHostAlloc(&data, std::max<size_t>(bytes, 1), 0));
  data_ = static_cast<char*>(data);
}

PinnedMemory::~PinnedMemory() {
  if (data_ != nullptr) context_->driver().cuMemFreeHost(data_);
}

void PinnedMemory::swap(PinnedMemory& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(data_, other.data_);
}

Event::Event(std::shared_ptr<Context> context, bool timed) : context_(std::move(context)) {
  OSTRICH_CU(*context_, cuEventCreate(&event_, timed ? CU_EVENT_DEFAULT : CU_EVENT_DISABLE_TIMING));
}
Event::~Event() { context_->driver().cuEventDestroy(event_); }
void Event::record(CUstream stream) { OSTRICH_CU(*context_, cuEventRecord(event_, stream)); }
void Event::wait() { OSTRICH_CU(*context_, cuEventSynchronize(event_)); }
float Event::ms_since(const Event& earlier) {
  float ms = 0;
  OSTRICH_CU(*context_, cuEventElapsedTime(&ms, earlier.event_, event_));
  return ms;
}

Stream::Stream(std::shared_ptr<Context> context) : context_(std::move(context)) {
  // Not ordered with the legacy stream: that one belongs to others in the process.
  OSTRICH_CU(*context_, cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING));
}
Stream::~Stream() { context_->driver().cuStreamDestroy(stream_); }
void Stream::wait() { OSTRICH_CU(*context_, cuStreamSynchronize(stream_)); }

}  // namespace ostrich::cuda
