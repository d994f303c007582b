// What a built program says of itself, whatever the device: its plan as text, and where its time goes.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "program/step.h"

namespace ostrich::program {

// By step, what it reads and writes, and where that lies.
std::string explain(const Steps& steps);

// Milliseconds of each step over the last runs. One thread adds while another may ask.
class Profile {
 public:
  explicit Profile(size_t steps) : times_(steps) {}
  void add(size_t step, float milliseconds);
  // [{"op", "path", "detail", "ms"}], medians; empty before the first run.
  std::string json(const Steps& steps) const;

 private:
  static constexpr size_t kRuns = 64;
  struct Times {
    std::vector<float> last;
    size_t next = 0;  // which of them is the oldest
  };
  mutable std::mutex mutex_;
  std::vector<Times> times_;
};

}  // namespace ostrich::program
