#include "cpu/cpu_program.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <sstream>

#include "cpu/team.h"

namespace ostrich::cpu {

char* CpuArena::replace(size_t bytes, const std::string& owner) {
  memory_ = AlignedMemory();
  if (bytes > 0) memory_ = AlignedMemory(bytes, owner.c_str());
  return memory_.data();
}

CpuProgram::CpuProgram(const program::ProgramSpec& spec, std::vector<std::shared_ptr<CpuBuffer>> state,
                       std::shared_ptr<CpuArena> arena, const dnnl::engine& engine, int threads, bool profile)
    : spec_(spec), builder_(spec_, std::move(state), engine, threads), stream_(engine) {
  use_team(threads);
  builder_.build();
  program::merge_in_place(builder_.steps, builder_.fetches);
  plan(std::move(arena));
  if (profile) profile_ = std::make_unique<program::Profile>(builder_.steps.size());
}

void CpuProgram::plan(std::shared_ptr<CpuArena> arena) {
  const program::Plan plan = program::place_in_arena(builder_.steps, builder_.fetches);
  arena_floor_ = plan.lower_bound;
  arena_ = program::SharedArena::Share(std::move(arena), plan.total, spec_.name);
  builder_.place(placed_ = arena_.data());
}

void CpuProgram::run(const std::vector<const void*>& feeds, const std::vector<void*>& fetches) {
  use_team(builder_.threads());
  if (char* arena = arena_.data(); arena != placed_) builder_.place(placed_ = arena);
  for (size_t i = 0; i < builder_.feeds.size(); ++i) {
    builder_.feeds[i]->storage->data = static_cast<char*>(const_cast<void*>(feeds[i]));
  }
  RunContext context{stream_, builder_.threads()};
  for (size_t i = 0; i < builder_.steps.size(); ++i) run_step(context, i);
  for (size_t i = 0; i < builder_.fetches.size(); ++i) {
    const program::Slot* slot = builder_.fetches[i];
    const size_t bytes = size_t(core::count(slot->shape)) * core::size_of(slot->dtype);
    if (fetches[i] != nullptr) std::memcpy(fetches[i], slot->data<void>(), bytes);
  }
  ++runs_;
}

void CpuProgram::run_step(RunContext& context, size_t i) {
  expect_going();
  using Clock = std::chrono::steady_clock;
  Step& step = static_cast<Step&>(*builder_.steps[i]);
  if (profile_ == nullptr) return step.run(context);
  const auto start = Clock::now();
  step.run(context);
  profile_->add(i, std::chrono::duration<float, std::milli>(Clock::now() - start).count());
}

std::string CpuProgram::explain() const {
  std::ostringstream text;
  text << "program " << spec_.name << ": " << builder_.steps.size() << " steps, arena " << arena_.bytes()
       << " bytes (at least " << arena_floor_ << "), " << builder_.threads() << " threads\n"
       << program::explain(builder_.steps);
  return text.str();
}

backend::Stats CpuProgram::stats() const {
  backend::Stats stats;
  stats.runs = runs_;
  stats.arena_bytes = int64_t(arena_.bytes());
  for (const auto& buffer : builder_.state) stats.state_bytes += int64_t(buffer->bytes());
  stats.steps = int64_t(builder_.steps.size());
  stats.reorders = std::count_if(builder_.steps.begin(), builder_.steps.end(),
                                 [](const auto& step) { return step->op == "reorder"; });
  stats.explain = explain();
  if (profile_ != nullptr) stats.profile = profile_->json(builder_.steps);
  return stats;
}

}  // namespace ostrich::cpu
