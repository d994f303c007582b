// What threads wait at: for a moment without leaving the core, then asleep.
#pragma once

#include <atomic>
#include <cstdint>

namespace ostrich::cpu {

class Bell {
 public:
  // After what `ready` looks at was changed.
  void ring();

  // Until `ready`.
  template <class F>
  void wait(F&& ready) {
    for (Patience patience; patience.left();) {
      for (int turn = 0; turn < kTurns; ++turn) {
        if (ready()) return;
        __builtin_ia32_pause();
      }
    }
    for (;;) {
      const uint32_t heard = rings();
      const Asleep counted(sleepers_);
      // Said to sleep before the last look: whoever rings after it sees a sleeper, or has made `heard` old.
      if (ready()) return;
      sleep(heard);
    }
  }

  uint32_t rings() const { return rings_.load(); }

 private:
  static constexpr int kTurns = 16;

  // Some 50 us: the gap between two steps of a program, and what waking a thread costs.
  class Patience {
   public:
    Patience();
    bool left() const;

   private:
    int64_t end_;
  };

  class Asleep {
   public:
    explicit Asleep(std::atomic<int>& sleepers) : sleepers_(sleepers) { ++sleepers_; }
    ~Asleep() { --sleepers_; }

   private:
    std::atomic<int>& sleepers_;
  };

  void sleep(uint32_t heard);

  std::atomic<uint32_t> rings_{0};
  std::atomic<int> sleepers_{0};
};

}  // namespace ostrich::cpu
