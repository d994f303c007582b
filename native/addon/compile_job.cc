// See compile_job.h.
#include "addon/compile_job.h"

#include <unordered_set>
#include <utility>

#include "addon/program_wrap.h"
#include "core/error.h"

namespace ostrich::addon {
namespace {

std::vector<Port> ports(const program::ProgramSpec& spec, const std::vector<program::NamedValue>& values) {
  std::vector<Port> list;
  for (const program::NamedValue& named : values) {
    const program::ValueSpec& value = spec.values[size_t(named.value)];
    const int64_t count = core::count(value.shape);
    list.push_back({named.name, value.dtype, count, size_t(count) * core::size_of(value.dtype)});
  }
  return list;
}

}  // namespace

CompileJob::CompileJob(Napi::Promise::Deferred deferred, std::shared_ptr<Device> device, std::string text,
                       std::vector<std::shared_ptr<backend::Buffer>> state)
    : deferred_(deferred), device_(std::move(device)), text_(std::move(text)), state_(std::move(state)) {}

// A buffer of the right type for every state, and none twice: two states in one memory would overwrite each other.
void CompileJob::expect_state(const program::ProgramSpec& spec) const {
  if (state_.size() != spec.states.size()) {
    core::fail("ERR_ARGUMENT", "compile[", spec.name, "]: expected ", spec.states.size(), " state buffers, got ",
               state_.size());
  }
  std::unordered_set<const backend::Buffer*> seen;
  for (size_t i = 0; i < state_.size(); ++i) {
    const std::string where = "compile[" + spec.name + "]: state " + spec.states[i].name;
    const program::ValueSpec& value = spec.values[size_t(spec.states[i].value)];
    const backend::BufferSpec& buffer = state_[i]->spec();
    if (buffer.dtype != value.dtype || buffer.shape != value.shape) {
      core::fail("ERR_ARGUMENT", where, ": expected a buffer of ", core::name_of(value.dtype),
                 core::to_string(value.shape), ", got ", core::name_of(buffer.dtype), core::to_string(buffer.shape));
    }
    if (!seen.insert(state_[i].get()).second) {
      core::fail("ERR_ARGUMENT", where, ": expected a buffer of its own, got ", buffer.name, " twice");
    }
  }
}

void CompileJob::execute() {
  const program::ProgramSpec spec = program::parse(text_);
  expect_state(spec);
  auto built = std::make_shared<Built>();
  built->name = spec.name;
  built->feeds = ports(spec, spec.feeds);
  built->fetches = ports(spec, spec.fetches);
  built->executable = device_->backend().build(spec, state_);
  built_ = std::move(built);
}

void CompileJob::settle(Napi::Env env, const std::optional<Failure>& failure) {
  device_->report_arena();
  if (failure) {
    deferred_.Reject(to_error(env, *failure).Value());
  } else {
    deferred_.Resolve(ProgramWrap::make(env, {device_, std::move(built_)}));
  }
  delete this;
}

}  // namespace ostrich::addon
