// Several launches that serve one node, as one step.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "cuda/builder.h"

namespace ostrich::cuda {

class Sequence : public Step {
 public:
  void add(std::unique_ptr<Step> part) {
    unite(reads, part->reads);
    unite(writes, part->writes);
    detail += (detail.empty() ? "" : ", ") + part->detail;
    is_library = is_library || part->is_library;
    can_fail = can_fail || part->can_fail;
    parts_.push_back(std::move(part));
  }
  void prepare() override {
    for (const auto& part : parts_) part->prepare();
  }
  void run(CUstream stream) override {
    for (const auto& part : parts_) part->run(stream);
  }

 private:
  static void unite(std::vector<program::Slot*>& all, const std::vector<program::Slot*>& more) {
    for (program::Slot* slot : more) {
      if (std::find(all.begin(), all.end(), slot) == all.end()) all.push_back(slot);
    }
  }
  std::vector<std::unique_ptr<Step>> parts_;
};

// The part alone, or all of them as one step.
inline std::unique_ptr<Step> in_sequence(std::vector<std::unique_ptr<Step>> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  auto all = std::make_unique<Sequence>();
  for (auto& part : parts) all->add(std::move(part));
  return all;
}

}  // namespace ostrich::cuda
