// See shared_arena.h.
#include "program/shared_arena.h"

#include <algorithm>
#include <utility>

namespace ostrich::program {

SharedArena::Share::Share(std::shared_ptr<SharedArena> arena, size_t bytes, const std::string& program)
    : arena_(std::move(arena)) {
  const std::lock_guard<std::mutex> lock(arena_->mutex_);
  need_ = arena_->needs_.emplace(bytes, program);
}

SharedArena::Share::~Share() {
  if (arena_ == nullptr) return;
  const std::lock_guard<std::mutex> lock(arena_->mutex_);
  arena_->needs_.erase(need_);
  // While another program lives it may be running: what is too much is given back before its next run.
  if (!arena_->needs_.empty() || arena_->data_ == nullptr) return;
  arena_->data_ = nullptr;
  arena_->held_ = 0;
  arena_->replace(0, "");
}

void SharedArena::Share::swap(Share& other) noexcept {
  std::swap(arena_, other.arena_);
  std::swap(need_, other.need_);
}

char* SharedArena::data() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto& [bytes, owner] = *needs_.rbegin();
  if (data_ != nullptr && bytes == held_) return data_;
  data_ = nullptr;
  held_ = 0;
  // A program that needs nothing has a place too.
  data_ = replace(std::max<size_t>(bytes, 1), "arena of " + owner);
  held_ = bytes;
  return data_;
}

}  // namespace ostrich::program
