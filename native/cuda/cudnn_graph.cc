// See cudnn_graph.h.
#include "cuda/cudnn_graph.h"

#include <algorithm>

namespace ostrich::cuda::cudnn {
namespace {

using Tensor = std::shared_ptr<fe::graph::Tensor_attributes>;

// An engine that wants more (some transform whole tensors) takes it from the model.
constexpr int64_t kWorkspaceLimit = int64_t(1) << 30;

fe::DataType_t type_of(core::DType dtype) {
  if (!core::is_float(dtype)) throw Refused(std::string("expected f32 or bf16, got ") + core::name_of(dtype));
  return dtype == core::DType::bf16 ? fe::DataType_t::BFLOAT16 : fe::DataType_t::FLOAT;
}

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

Tensor forward(fe::graph::Graph& graph, const ConvSpec& s, const Tensor& x, const Tensor& w) {
  const Tensor y = graph.conv_fprop(x, w, convolution<fe::graph::Conv_fprop_attributes>(s));
  if (!s.bias) return y;
  const Tensor bias = input(graph, kBias, {{1, s.o, 1, 1}}, core::DType::f32);
  return graph.pointwise(y, bias, fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::ADD));
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

}  // namespace

void expect(fe::error_t error) {
  if (error.is_bad()) throw Refused(error.get_message());
}

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

Indices build(fe::graph::Graph& graph, size_t limit, const std::optional<std::string>& only) {
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

}  // namespace ostrich::cuda::cudnn
