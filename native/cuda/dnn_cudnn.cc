// See dnn_cudnn.h. With cudnn_graph.cc the only source that includes cudnn-frontend.
#include "cuda/dnn_cudnn.h"

#include <dlfcn.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "cuda/cudnn_graph.h"
#include "cuda/rnn_cudnn.h"

// cudnn-frontend finds every function of cuDNN through this.
void* cudnn_frontend::cudnn_dlhandle = nullptr;

namespace ostrich::cuda {
namespace {

using namespace cudnn;

constexpr size_t kAlignment = 256, kCandidates = 8;

[[noreturn]] void fail(const ConvSpec& spec, const char* reason) {
  core::fail("ERR_CUDA", "cuda: ", spec.key(), ": expected cuDNN to have an engine, got none: ", reason);
}

// Of one device. Programs keep it while they hold plans.
class Handle {
 public:
  explicit Handle(std::shared_ptr<Context> context) : context_(std::move(context)) {
    context_->enter();
    set_stream_ = reinterpret_cast<decltype(set_stream_)>(dlsym(fe::cudnn_dlhandle, "cudnnSetStream"));
    OSTRICH_CHECK(set_stream_ != nullptr);
    const cudnnStatus_t status = fe::detail::create_handle(&handle_);
    if (status != CUDNN_STATUS_SUCCESS) {
      core::fail("ERR_CUDA", "cuda: cudnnCreate failed with ", fe::detail::get_error_string(status), ": ",
                 fe::detail::get_last_error_string_());
    }
  }
  ~Handle() {
    try {
      context_->enter();
      fe::detail::destroy_handle(handle_);
    } catch (const std::exception&) {
      // The device is lost, and the handle with it.
    }
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  Context& context() const { return *context_; }
  Target target() const { return {context_->facts().sm, handle_, nullptr}; }

  void run(const fe::graph::Graph& graph, int64_t plan, CUstream stream, const ConvPointers& p, void* workspace) {
    std::unordered_map<int64_t, void*> pointers{
        {kA, const_cast<void*>(p.a)}, {kB, const_cast<void*>(p.b)}, {kBias, const_cast<void*>(p.bias)}, {kY, p.y}};
    std::string reason;
    try {
      const cudnnStatus_t status = set_stream_(handle_, stream);
      if (status != CUDNN_STATUS_SUCCESS) {
        reason = fe::detail::get_error_string(status);
      } else {
        fe::error_t error = graph.execute_plan_at_index(handle_, pointers, workspace, plan);
        if (error.is_good()) return;
        reason = error.get_message();
      }
    } catch (const std::exception& error) {
      reason = error.what();
    }
    core::fail("ERR_CUDA", "cuda: cuDNN refused to run ", name_at(graph, plan), ": ", reason);
  }

 private:
  std::shared_ptr<Context> context_;
  cudnnHandle_t handle_ = nullptr;
  decltype(&::cudnnSetStream) set_stream_ = nullptr;
};

class CudnnPlan : public ConvPlan {
 public:
  CudnnPlan(std::shared_ptr<Handle> handle, Graph graph, int64_t index)
      : handle_(std::move(handle)), graph_(std::move(graph)), index_(index), workspace_(workspace_at(*graph_, index)) {}
  size_t workspace_bytes() const override { return workspace_; }
  std::string detail() const override { return "cuDNN " + name_at(*graph_, index_); }
  void run(CUstream stream, const ConvPointers& pointers, void* workspace) override {
    handle_->run(*graph_, index_, stream, pointers, workspace);
  }

 private:
  std::shared_ptr<Handle> handle_;
  Graph graph_;
  int64_t index_;
  size_t workspace_;
};

class CudnnDnn : public Dnn {
 public:
  explicit CudnnDnn(Context& context)
      : handle_(std::make_shared<Handle>(context.shared_from_this())),
        version_("cudnn-" + std::to_string(fe::detail::get_backend_version())) {}

  std::unique_ptr<ConvPlan> plan(const ConvSpec& spec, Tuner& tuner) override {
    handle_->context().enter();
    std::string reason;
    try {
      return find(spec, tuner);
    } catch (const core::Error&) {
      throw;  // out of memory, or the device is lost
    } catch (const std::exception& error) {
      reason = error.what();
    }
    if (spec.bias) return nullptr;
    fail(spec, reason.c_str());
  }

  std::vector<std::unique_ptr<RnnPlan>> rnn_plans(const RnnSpec& spec) override {
    if (rnn_ == nullptr) rnn_ = open_cudnn_rnn(handle_->context().shared_from_this(), fe::cudnn_dlhandle);
    return cudnn_rnn_plans(rnn_, spec);
  }
  std::vector<std::string> rnn_algorithms() const override { return cudnn_rnn_algorithms(); }
  const std::string& version() const override { return version_; }

 private:
  std::unique_ptr<ConvPlan> find(const ConvSpec& spec, Tuner& tuner) {
    Graph graph = make_graph(spec, handle_->target());
    const std::string key = spec.key();
    const auto known = tuner.deterministic() ? std::nullopt : tuner.recall(version_, key);
    const Indices built = build(*graph, tuner.deterministic() ? 1 : kCandidates, known);
    const int best = fastest(spec, *graph, built, tuner);
    const int64_t index = built[size_t(best)];
    if (built.size() > 1) tuner.remember(version_, key, name_at(*graph, index));
    return std::make_unique<CudnnPlan>(handle_, std::move(graph), index);
  }

  // Also of one: what an engine loads when it first runs cannot be loaded while a graph is captured.
  int fastest(const ConvSpec& spec, const fe::graph::Graph& graph, const Indices& built, Tuner& tuner) {
    const Layouts l = layouts(spec);
    size_t total = 0;
    const auto take = [&](size_t bytes) {
      const size_t offset = total;
      total += (bytes + kAlignment - 1) / kAlignment * kAlignment;
      return offset;
    };
    const size_t a = take(l.a.elements() * core::size_of(spec.in)), b = take(l.b.elements() * core::size_of(spec.in)),
                 bias = take(spec.bias ? size_t(spec.o) * sizeof(float) : 0),
                 y = take(l.y.elements() * core::size_of(spec.out));
    size_t largest = 0;
    for (int64_t index : built) largest = std::max(largest, workspace_at(graph, index));
    const size_t workspace = take(largest);
    char* memory = tuner.scratch(total);
    const ConvPointers pointers{memory + a, memory + b, memory + bias, memory + y};
    const auto best = tuner.fastest(int(built.size()), [&](int candidate, CUstream stream) {
      handle_->run(graph, built[size_t(candidate)], stream, pointers, memory + workspace);
    });
    if (!best) throw Refused("all of " + std::to_string(built.size()) + " engines failed when they were run");
    return *best;
  }

  std::shared_ptr<Handle> handle_;
  std::shared_ptr<CudnnRnn> rnn_;
  std::string version_;  // names the file of the tuner's choices
};

void use(void* library) {
  OSTRICH_CHECK(fe::cudnn_dlhandle == nullptr || fe::cudnn_dlhandle == library);
  fe::cudnn_dlhandle = library;
}

}  // namespace

std::unique_ptr<Dnn> open_cudnn(Context& context, void* library) {
  use(library);
  return std::make_unique<CudnnDnn>(context);
}

std::string plan_without_device(void* library, const ConvSpec& spec, const std::string& device) {
  use(library);
  try {
    Target target;
    target.sm = nlohmann::json::parse(device).at("deviceVer").get<int>() / 10;
    target.properties = std::make_shared<fe::DeviceProperties>();
    expect(target.properties->deserialize({device.begin(), device.end()}));
    const Graph graph = make_graph(spec, target);
    const int64_t index = build(*graph, 1).front();
    return name_at(*graph, index) + ", workspace " + std::to_string(workspace_at(*graph, index)) + ", of " +
           std::to_string(graph->get_execution_plan_count()) + " suggested";
  } catch (const std::exception& error) {
    fail(spec, error.what());
  }
}

}  // namespace ostrich::cuda
