// What a backend builds a program from, as far as planning memory needs to know: storages, the slots that look at them,
// and steps that read and write slots. Backends derive their own slots and steps.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "core/shape.h"

namespace ostrich::program {

enum class Place : uint8_t { arena, state, feed, fetch, constant };

// A range of bytes that one or more slots look at. `data` is set when the arena is planned.
struct Storage {
  Place place = Place::arena;
  size_t bytes = 0;
  char* data = nullptr;
  size_t arena_offset = 0;
  Storage* merged = nullptr;  // storage that this one was folded into (in place)

  // Where the bytes really are, after all foldings.
  Storage* root() { return merged == nullptr ? this : merged->root(); }
};

// One physical form of a logical value. How its elements lie is the backend's affair.
struct Slot {
  Slot() = default;
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  virtual ~Slot() = default;

  core::DType dtype{};
  core::Shape shape;
  Storage* storage = nullptr;
  size_t offset = 0;  // bytes from the start of the storage
  int value = -1;     // the logical value that this is a form of; -1 for scratch

  template <typename T>
  T* data() const {
    return reinterpret_cast<T*>(storage->root()->data + offset);
  }
  // Bytes from the first element to the end of the last, padding included.
  virtual size_t bytes() const = 0;
  // Whether the elements of both lie in the same places of their storages.
  virtual bool lies_like(const Slot& other) const = 0;
  // Extents and layout, for people.
  virtual std::string lies() const = 0;
};

// One launch. `reads` and `writes` decide lifetimes in the arena; scratch lives only while the step runs.
class Step {
 public:
  virtual ~Step() = default;

  std::vector<Slot*> reads, writes;
  // Pairs (write, read) where writing over the read is safe: element i of the write depends on no other element of the
  // read.
  std::vector<std::pair<Slot*, Slot*>> in_place;
  std::string op, path, detail;  // for explain and profile; detail names the implementation chosen
  // It may meet bad data, at which the run ends. Placement::may_fail knows.
  bool can_fail = false;
  // It makes the new contents of a state out of the old ones, and may as well run behind all other steps.
  bool may_wait = false;
  // It writes nothing in a run that has met bad data before it. Only such a step may write into a state.
  bool is_guarded = false;
};

using Steps = std::vector<std::unique_ptr<Step>>;

}  // namespace ostrich::program
