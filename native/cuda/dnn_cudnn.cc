// See dnn_cudnn.h. The only source that includes cudnn-frontend.
#include "cuda/dnn_cudnn.h"

// clang-format off: before cudnn-frontend, whose copy is of another version than what is declared so far.
#include <nlohmann/json.hpp>
// clang-format on

#include <cudnn_frontend.h>
#include <dlfcn.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

// cudnn-frontend finds every function of cuDNN through this.
void* cudnn_frontend::cudnn_dlhandle = nullptr;

namespace ostrich::cuda {
namespace {

namespace fe = cudnn_frontend;
using Tensor = std::shared_ptr<fe::graph::Tensor_attributes>;
using Extents = std::vector<int64_t>;
using Indices = std::vector<int64_t>;

constexpr size_t kCandidates = 8;
// An engine that wants more (some transform whole tensors) takes it from the model.
constexpr int64_t kWorkspaceLimit = int64_t(1) << 30;
constexpr size_t kAlignment = 256;

enum Uid : int64_t { kA = 1, kB, kBias, kY };

// cuDNN has nothing for this graph, and says why.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void expect(fe::error_t error) {
  if (error.is_bad()) throw Refused(error.get_message());
}

fe::DataType_t type_of(core::DType dtype) {
  if (!core::is_float(dtype)) throw Refused(std::string("expected f32 or bf16, got ") + core::name_of(dtype));
  return dtype == core::DType::bf16 ? fe::DataType_t::BFLOAT16 : fe::DataType_t::FLOAT;
}

// As cuDNN names them: the extents N, C, H, W of a tensor that lies as N, H, W, C.
struct Layout {
  Extents dim;
  Extents stride() const { return {dim[1] * dim[2] * dim[3], 1, dim[1] * dim[3], dim[1]}; }
  size_t elements() const { return size_t(dim[0] * dim[1] * dim[2] * dim[3]); }
};

struct Layouts {
  Layout a, b, y;
};

Layouts layouts(const ConvSpec& s) {
  const Layout x{{s.n, s.c, s.h, s.w}}, w{{s.o, s.c / s.groups, s.kh, s.kw}}, y{{s.n, s.o, s.oh, s.ow}};
  switch (s.pass) {
    case ConvPass::forward:
      return {x, w, y};
    case ConvPass::grad_input:
      return {y, w, x};
    case ConvPass::grad_weight:
      return {x, y, w};
  }
  return {};
}

bool is_fused(const ConvSpec& s) { return s.bias || s.activation != Activation::none; }

// What the plans are for: a device that is here, by its handle, or one of which only the properties are known.
struct Target {
  int sm;
  cudnnHandle_t handle = nullptr;
  std::shared_ptr<fe::DeviceProperties> properties;
};

template <typename Attributes>
Attributes convolution(const ConvSpec& s) {
  return Attributes()
      .set_pre_padding({s.padding[0], s.padding[1]})
      .set_post_padding({s.padding[2], s.padding[3]})
      .set_stride({s.stride[0], s.stride[1]})
      .set_dilation({s.dilation[0], s.dilation[1]});
}

Tensor input(fe::graph::Graph& graph, Uid uid, const Layout& layout, core::DType dtype) {
  return graph.tensor(fe::graph::Tensor_attributes()
                          .set_name("t" + std::to_string(uid))
                          .set_uid(uid)
                          .set_dim(layout.dim)
                          .set_stride(layout.stride())
                          .set_data_type(type_of(dtype)));
}

Tensor pointwise(fe::graph::Graph& graph, fe::PointwiseMode_t mode, const Tensor& x, const Tensor& bias = nullptr) {
  const auto attributes = fe::graph::Pointwise_attributes().set_mode(mode);
  return bias != nullptr ? graph.pointwise(x, bias, attributes) : graph.pointwise(x, attributes);
}

Tensor forward(fe::graph::Graph& graph, const ConvSpec& s, const Tensor& x, const Tensor& w) {
  Tensor y = graph.conv_fprop(x, w, convolution<fe::graph::Conv_fprop_attributes>(s));
  if (s.bias) {
    y = pointwise(graph, fe::PointwiseMode_t::ADD, y, input(graph, kBias, {{1, s.o, 1, 1}}, core::DType::f32));
  }
  OSTRICH_CHECK(s.activation == Activation::none || s.activation == Activation::relu);
  return s.activation == Activation::relu ? pointwise(graph, fe::PointwiseMode_t::RELU_FWD, y) : y;
}

Tensor describe(fe::graph::Graph& graph, const ConvSpec& s) {
  const Layouts l = layouts(s);
  const Tensor a = input(graph, kA, l.a, s.in), b = input(graph, kB, l.b, s.in);
  switch (s.pass) {
    case ConvPass::forward:
      return forward(graph, s, a, b);
    case ConvPass::grad_input:
      return graph.conv_dgrad(a, b, convolution<fe::graph::Conv_dgrad_attributes>(s));
    case ConvPass::grad_weight:
      return graph.conv_wgrad(b, a, convolution<fe::graph::Conv_wgrad_attributes>(s));
  }
  return nullptr;
}

// With everything that the spec's precision and determinism rule out taken away.
void select(fe::graph::Graph& graph, const ConvSpec& s) {
  using Note = fe::NumericalNote_t;
  std::vector<Note> unwanted{Note::DOWN_CONVERT_INPUTS, Note::REDUCED_PRECISION_REDUCTION};
  // For f32 these are tf32.
  if (s.in == core::DType::f32 && !s.tf32) unwanted.push_back(Note::TENSOR_CORE);
  if (s.deterministic) unwanted.push_back(Note::NONDETERMINISTIC);
  graph.deselect_numeric_notes(unwanted);
  graph.deselect_workspace_greater_than(kWorkspaceLimit);
}

using Graph = std::unique_ptr<fe::graph::Graph>;

// The graph with cuDNN's suggestions of engines for it, none of them built.
Graph make_graph(const ConvSpec& s, const Target& target) {
  Graph graph = std::make_unique<fe::graph::Graph>();
  graph->set_io_data_type(type_of(s.in))
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
  // Otherwise the CUDA runtime is asked, which is not linked and may not be there.
  graph->set_sm_version(target.sm);
  // Plans live as long as the programs that captured them; to have CUDA graphs retain them needs the CUDA runtime.
  graph->set_cuda_graph_retention(fe::CudaGraphRetention_t::NONE);
  if (target.properties != nullptr) graph->set_device_properties(target.properties);
  const Layout y = layouts(s).y;
  describe(*graph, s)->set_output(true).set_uid(kY).set_dim(y.dim).set_stride(y.stride()).set_data_type(type_of(s.out));
  expect(graph->validate());
  expect(graph->build_operation_graph(target.handle));
  expect(graph->create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}));
  select(*graph, s);
  return graph;
}

std::string name_at(const fe::graph::Graph& graph, int64_t index) {
  std::string name;
  expect(graph.get_plan_name_at_index(index, name));
  return name;
}

// cudnn-frontend returns some errors and throws others.
bool builds(fe::graph::Graph& graph, int64_t index, std::string& reason) {
  try {
    fe::error_t error = graph.build_plan_at_index(index);
    if (error.is_good()) return true;
    reason = error.get_message();
  } catch (const std::exception& error) {
    reason = error.what();
  }
  return false;
}

// Builds engines, best first, until there are `limit`; only the one of this name where it is given and can be built.
Indices build(fe::graph::Graph& graph, size_t limit, const std::optional<std::string>& only = std::nullopt) {
  Indices built;
  std::vector<std::string> seen;
  std::string reason = "no engine was suggested";
  const int64_t count = graph.get_execution_plan_count();
  for (int64_t i = 0; only && i < count; ++i) {
    if (name_at(graph, i) == *only && builds(graph, i, reason)) return {i};
  }
  for (int64_t i = 0; i < count && built.size() < limit; ++i) {
    const std::string name = name_at(graph, i);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
    seen.push_back(name);
    if (builds(graph, i, reason)) built.push_back(i);
  }
  if (built.empty()) {
    throw Refused("none of the " + std::to_string(seen.size()) + " engines suits, the last because: " + reason);
  }
  return built;
}

size_t workspace_at(const fe::graph::Graph& graph, int64_t index) {
  int64_t bytes = 0;
  expect(graph.get_workspace_size_plan_at_index(index, bytes));
  return size_t(bytes);
}

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
    if (is_fused(spec)) return nullptr;
    fail(spec, reason.c_str());
  }

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
