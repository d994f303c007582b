// See team.h.
#include "cpu/team.h"

#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "core/error.h"
#include "cpu/bell.h"

namespace ostrich::cpu {
namespace {

// Regions are numbered; what threads wait for is a number and its count of parts, in one word.
constexpr int kCountBits = 16;
constexpr uint64_t kEnd = ~uint64_t(0);

class Team {
 public:
  explicit Team(int size) : seats_(size_t(size)) {
    try {
      for (int seat = 1; seat < size; ++seat) helpers_.emplace_back([this, seat] { help(seat); });
    } catch (const std::system_error& error) {
      const size_t started = helpers_.size() + 1;
      stop();
      core::fail("ERR_OUT_OF_MEMORY", "device: expected ", size, " threads to start, got ", started, ": ",
                 error.what());
    }
  }
  ~Team() { stop(); }

  int size() const { return int(seats_.size()); }

  void begin(int parts, void (*body)(void*), void* data);
  void end();
  void barrier(int parts);

 private:
  // The last region whose part of this number somebody took; each on a line of memory of its own.
  struct alignas(64) Seat {
    std::atomic<uint64_t> taken{0};
  };

  void stop() {
    region_ = kEnd;
    published_.ring();
    for (std::thread& helper : helpers_) helper.join();
    helpers_.clear();
  }

  void help(int seat);
  void compute(uint64_t region, int seat, int parts);
  bool take(uint64_t region, int seat);
  void finish() {
    if (left_.fetch_sub(1) == 1) finished_.ring();
  }

  std::vector<Seat> seats_;
  std::vector<std::thread> helpers_;
  // Written by the owner before a region is published, read by who took a part of it.
  void (*body_)(void*) = nullptr;
  void* data_ = nullptr;
  uint64_t number_ = 0;
  alignas(64) std::atomic<uint64_t> region_{0};
  Bell published_;
  // Parts that nobody took, and parts that are not computed yet.
  alignas(64) std::atomic<int> free_{0};
  std::atomic<int> left_{0};
  Bell finished_;
  alignas(64) std::atomic<int> arrived_{0};
  Bell passed_;
};

struct Place {
  Team* team = nullptr;  // of the region that this thread computes a part of
  Part part;
};

thread_local std::unique_ptr<Team> own;
thread_local Place here;

// Number and count may be those of a region that is long over: then all its parts are taken, by this number or later
// ones.
bool Team::take(uint64_t region, int seat) {
  std::atomic<uint64_t>& taken = seats_[size_t(seat)].taken;
  for (uint64_t last = taken.load(); last < region;) {
    if (!taken.compare_exchange_weak(last, region)) continue;
    --free_;
    return true;
  }
  return false;
}

// The part of this seat, then those that nobody has begun. One that is done has passed every barrier of its region; so
// there was none, or all parts have begun.
void Team::compute(uint64_t region, int seat, int parts) {
  for (int i = 0; i < parts; ++i) {
    if (i > 0 && free_.load() <= 0) return;
    const int id = (seat + i) % parts;
    if ((i == 0 && seat >= parts) || !take(region, id)) continue;
    const Place before = here;
    here = {this, {id, parts}};
    body_(data_);
    here = before;
    finish();
  }
}

void Team::help(int seat) {
  pthread_setname_np(pthread_self(), "ostrich-helper");
  uint64_t seen = 0;
  for (;;) {
    published_.wait([&] { return region_.load() != seen; });
    seen = region_.load();
    if (seen == kEnd) return;
    compute(seen >> kCountBits, seat, int(seen & ((1u << kCountBits) - 1)));
  }
}

void Team::begin(int parts, void (*body)(void*), void* data) {
  body_ = body;
  data_ = data;
  left_ = parts;
  arrived_ = 0;
  free_ = parts;
  take(++number_, 0);
  here = {this, {0, parts}};
  region_ = number_ << kCountBits | uint64_t(parts);
  published_.ring();
}

void Team::end() {
  const int parts = here.part.count;
  here = {};
  finish();
  compute(number_, 0, parts);
  finished_.wait([&] { return left_.load() == 0; });
}

void Team::barrier(int parts) {
  const uint32_t before = passed_.rings();
  if (arrived_.fetch_add(1) + 1 == parts) {
    arrived_ = 0;
    passed_.ring();
  } else {
    passed_.wait([&] { return passed_.rings() != before; });
  }
}

}  // namespace

Part own_part() { return here.part; }
bool in_region() { return here.team != nullptr; }
int team_size() { return own ? own->size() : 1; }

void use_team(int threads) {
  if (threads == team_size()) return;
  own.reset();
  if (threads > 1) own = std::make_unique<Team>(threads);
}

void team_barrier() {
  if (here.team != nullptr) here.team->barrier(here.part.count);
}

void begin_region(int parts, void (*body)(void*), void* data) {
  OSTRICH_CHECK(own != nullptr && !in_region());
  own->begin(std::clamp(parts, 1, own->size()), body, data);
}

void end_region() { own->end(); }

}  // namespace ostrich::cpu
