// The arena of all programs of one device: they run one at a time and nothing in it outlives a run, so that they share
// memory as large as the largest of them needs.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace ostrich::program {

class SharedArena {
 public:
  // What one program needs of it, for as long as that program lives.
  class Share {
   public:
    Share() = default;
    Share(std::shared_ptr<SharedArena> arena, size_t bytes, const std::string& program);
    ~Share();
    Share(Share&& other) noexcept { swap(other); }
    Share& operator=(Share&& other) noexcept {
      swap(other);
      return *this;
    }
    // Where the arena lies now, its contents unknown. It moves when a larger program has come or the largest has gone:
    // to be asked before each run, on the thread that runs programs. Throws ERR_OUT_OF_MEMORY where it cannot be had;
    // the next caller tries again.
    char* data() const { return arena_->data(); }
    // What this program needs of it.
    size_t bytes() const { return need_->first; }

   private:
    void swap(Share& other) noexcept;
    std::shared_ptr<SharedArena> arena_;
    std::multimap<size_t, std::string>::iterator need_;
  };

  SharedArena() = default;
  SharedArena(const SharedArena&) = delete;
  SharedArena& operator=(const SharedArena&) = delete;
  virtual ~SharedArena() = default;
  // On any thread, without waiting for who makes it larger.
  size_t held_bytes() const { return held_.load(std::memory_order_relaxed); }

 protected:
  // Frees what was had before, once no run needs it any more, and then takes so many bytes; 0: none.
  virtual char* replace(size_t bytes, const std::string& owner) = 0;

 private:
  char* data();

  std::mutex mutex_;                          // programs go on any thread
  std::multimap<size_t, std::string> needs_;  // bytes, name of the program
  std::atomic<size_t> held_{0};
  char* data_ = nullptr;  // null: none is held
};

}  // namespace ostrich::program
