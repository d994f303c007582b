// Chooses among candidates by timing them on the device, and remembers the choice on disk, keyed by device, driver,
// library version and what is computed. A deterministic device never times: the library's first candidate runs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cuda/context.h"

namespace ostrich::cuda {

class Tuner {
 public:
  // `folder`: where choices are kept; empty: nowhere. `library` names versions that a choice is valid for.
  Tuner(std::shared_ptr<Context> context, std::string folder, bool deterministic);
  ~Tuner();

  bool deterministic() const { return deterministic_; }
  // What was remembered under this key (an opaque text), if anything. A file that cannot be read counts as nothing.
  std::optional<std::string> recall(const std::string& library, const std::string& key);
  // Keeps it, for this process and on disk; a disk that refuses is no error.
  void remember(const std::string& library, const std::string& key, const std::string& choice);
  // Runs every candidate (warm-up, then the median of a few) in a stream of its own; returns the fastest, leaving out
  // those that throw, or nothing when all do. With one candidate it is not timed, but run once.
  std::optional<int> fastest(int candidates, const std::function<void(int candidate, CUstream stream)>& run);
  // Memory for the candidates, at least this large, filled with ordinary numbers; 256-byte aligned. Until the next call
  // of this or the end of `fastest`.
  char* scratch(size_t bytes);

 private:
  std::shared_ptr<Context> context_;
  std::string folder_;
  bool deterministic_;
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

}  // namespace ostrich::cuda
