#include "cpu/cpu_program.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "program/planner.h"

namespace ostrich::cpu {

namespace {

constexpr size_t kProfiledRuns = 64;  // medians are over the last of them

struct Life {
  int first = -1, last = -1;
  void at(int step) {
    if (first < 0) first = step;
    last = step;
  }
};

std::map<Storage*, Life> lifetimes(const CpuBuilder& builder) {
  std::map<Storage*, Life> lives;
  for (size_t i = 0; i < builder.steps.size(); ++i) {
    for (const auto* list : {&builder.steps[i]->reads, &builder.steps[i]->writes}) {
      for (Slot* slot : *list) lives[slot->storage->root()].at(int(i));
    }
  }
  for (Slot* slot : builder.fetches) lives[slot->storage->root()].at(int(builder.steps.size()));
  return lives;
}

// Folds a step's output into an input that dies there, where the step says that this is safe.
void merge_in_place(CpuBuilder& builder) {
  for (size_t i = 0; i < builder.steps.size(); ++i) {
    for (const auto& [write, read] : builder.steps[i]->in_place) {
      Storage* output = write->storage;
      Storage* input = read->storage->root();
      if (output->merged != nullptr || output->place != Place::arena || input->place != Place::arena || output == input)
        continue;
      if (write->offset != 0 || read->offset != 0 || output->bytes > input->bytes) continue;
      const auto lives = lifetimes(builder);
      if (lives.at(input).last != int(i) || lives.at(output).first != int(i)) continue;
      output->merged = input;
    }
  }
}

}  // namespace

CpuProgram::CpuProgram(const program::ProgramSpec& spec, std::vector<std::shared_ptr<CpuBuffer>> state,
                       const dnnl::engine& engine, int threads, bool profile)
    : spec_(spec), builder_(spec_, std::move(state), engine, threads), stream_(engine), profile_(profile) {
  omp_set_num_threads(threads);
  builder_.build();
  merge_in_place(builder_);
  plan();
  times_.resize(profile ? builder_.steps.size() : 0);
}

void CpuProgram::plan() {
  std::vector<program::Range> ranges;
  std::vector<Storage*> owners;
  for (const auto& [storage, life] : lifetimes(builder_)) {
    if (storage->place != Place::arena) continue;
    ranges.push_back({storage->bytes, life.first, life.last});
    owners.push_back(storage);
  }
  const program::Plan plan = program::plan_arena(ranges);
  arena_bytes_ = plan.total;
  arena_floor_ = plan.lower_bound;
  arena_ = AlignedMemory(plan.total, ("arena of " + spec_.name).c_str());
  for (size_t i = 0; i < owners.size(); ++i) {
    owners[i]->arena_offset = plan.offsets[i];
    owners[i]->data = arena_.data() + plan.offsets[i];
  }
  for (size_t i = 0; i < builder_.state.size(); ++i) builder_.states[i]->storage->data = builder_.state[i]->data();
}

void CpuProgram::run(const std::vector<const void*>& feeds, const std::vector<void*>& fetches) {
  omp_set_num_threads(builder_.threads());
  for (size_t i = 0; i < builder_.feeds.size(); ++i) {
    builder_.feeds[i]->storage->data = static_cast<char*>(const_cast<void*>(feeds[i]));
  }
  RunContext context{stream_, builder_.threads()};
  if (profile_) {
    run_profiled(context);
  } else {
    for (const auto& step : builder_.steps) step->run(context);
  }
  for (size_t i = 0; i < builder_.fetches.size(); ++i) {
    const Slot* slot = builder_.fetches[i];
    const size_t bytes = size_t(core::count(slot->shape)) * core::size_of(slot->dtype);
    if (fetches[i] != nullptr) std::memcpy(fetches[i], slot->data<void>(), bytes);
  }
  ++runs_;
}

void CpuProgram::run_profiled(RunContext& context) {
  using Clock = std::chrono::steady_clock;
  for (size_t i = 0; i < builder_.steps.size(); ++i) {
    const auto start = Clock::now();
    builder_.steps[i]->run(context);
    const float ms = std::chrono::duration<float, std::milli>(Clock::now() - start).count();
    std::vector<float>& times = times_[i];
    if (times.size() < kProfiledRuns)
      times.push_back(ms);
    else
      times[size_t(runs_) % kProfiledRuns] = ms;
  }
}

std::string CpuProgram::profile_json() const {
  if (!profile_) return "";
  nlohmann::json rows = nlohmann::json::array();
  for (size_t i = 0; i < times_.size(); ++i) {
    std::vector<float> times = times_[i];
    if (times.empty()) return "";
    std::nth_element(times.begin(), times.begin() + long(times.size() / 2), times.end());
    const Step& step = *builder_.steps[i];
    rows.push_back({{"op", step.op}, {"path", step.path}, {"detail", step.detail}, {"ms", times[times.size() / 2]}});
  }
  return rows.dump();
}

std::string CpuProgram::explain() const {
  std::ostringstream text;
  text << "program " << spec_.name << ": " << builder_.steps.size() << " steps, arena " << arena_bytes_
       << " bytes (at least " << arena_floor_ << "), " << builder_.threads() << " threads\n";
  const auto describe = [&](const Slot* slot) {
    const Storage* storage = slot->storage->root();
    text << core::name_of(slot->dtype) << " " << slot->layout.to_string();
    switch (storage->place) {
      case Place::arena:
        text << " @" << storage->arena_offset;
        break;
      case Place::state:
        text << " state";
        break;
      case Place::feed:
        text << " feed";
        break;
      case Place::constant:
        text << " constant";
        break;
    }
  };
  for (size_t i = 0; i < builder_.steps.size(); ++i) {
    const Step& step = *builder_.steps[i];
    text << i << " " << step.op << "[" << step.path << "] " << step.detail;
    for (const Slot* slot : step.reads) describe((text << "\n    <- ", slot));
    for (const Slot* slot : step.writes) describe((text << "\n    -> ", slot));
    text << "\n";
  }
  return text.str();
}

backend::Stats CpuProgram::stats() const {
  backend::Stats stats;
  stats.runs = runs_;
  stats.arena_bytes = int64_t(arena_bytes_);
  for (const auto& buffer : builder_.state) stats.state_bytes += int64_t(buffer->bytes());
  stats.steps = int64_t(builder_.steps.size());
  stats.reorders = std::count_if(builder_.steps.begin(), builder_.steps.end(),
                                 [](const auto& step) { return step->op == "reorder"; });
  stats.explain = explain();
  stats.profile = profile_json();
  return stats;
}

}  // namespace ostrich::cpu
