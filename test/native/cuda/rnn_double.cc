// See rnn_double.h; what a layer computes is in rnn_layer_double.cc.
#include "rnn_double.h"

#include <cstdlib>
#include <fstream>

#include "driver_double.h"
#include "rnn_layer_double.h"

namespace ostrich::cuda::host {
namespace {

constexpr size_t kWorkspace = 1000;

class RnnPlanDouble : public RnnPlan {
 public:
  RnnPlanDouble(Context& context, const RnnSpec& spec)
      : context_(context),
        spec_(spec),
        places_(draw_places(spec, weight_bytes_)),
        told_(places_.begin(), places_.end()) {}
  size_t weight_bytes() const override { return weight_bytes_; }
  size_t reserve_bytes() const override { return spec_.training ? host::reserve_bytes(spec_) : 0; }
  size_t workspace_bytes() const override { return kWorkspace; }
  const std::vector<GatePlace>& places() const override { return told_; }
  const std::string& name() const override { return name_; }

  void forward(CUstream stream, const RnnPointers& p) override { run(stream, p, false); }
  void backward(CUstream stream, const RnnPointers& p) override { run(stream, p, true); }

 private:
  void run(CUstream stream, const RnnPointers& p, bool is_backward) {
    // A copy of all that it needs: the graph may outlive the plan.
    const auto work = [spec = spec_, places = places_, bytes = weight_bytes_, p, is_backward] {
      std::string wrong = expect_memory(spec, p, bytes, is_backward);
      if (!wrong.empty()) return wrong;
      poison(p.workspace, kWorkspace);
      if (is_backward) return compute_gradients(spec, places, p);
      compute_layer(spec, places, p);
      return std::string();
    };
    context_.check(enqueue(stream, "recurrent layer", work), "recurrent layer");
  }

  static std::string expect_memory(const RnnSpec& s, const RnnPointers& p, size_t weights, bool is_backward) {
    const size_t size = core::size_of(s.dtype), state = size_t(s.n * s.h) * size, y = size_t(s.t) * state,
                 x = size_t(s.t * s.n * s.d) * size;
    struct Piece {
      const void* data;
      size_t bytes;
      const char* name;
      bool needed;
    };
    const bool is_lstm = s.cell == Cell::lstm;
    const Piece pieces[] = {{p.x, x, "x", true},
                            {p.h0, state, "h0", true},
                            {p.c0, state, "c0", is_lstm},
                            {p.weights, weights, "the weights", true},
                            {p.y, y, "y", true},
                            {p.c_last, state, "the last c", false},
                            {p.reserve, host::reserve_bytes(s), "the reserve", s.training},
                            {p.workspace, kWorkspace, "the workspace", true},
                            {p.dy, y, "dy", is_backward},
                            {p.dx, x, "dx", is_backward},
                            {p.dh0, state, "dh0", false},
                            {p.dc0, state, "dc0", false},
                            {p.dweights, weights, "the gradients of the weights", is_backward}};
    for (const Piece& piece : pieces) {
      if (piece.data == nullptr && !piece.needed) continue;
      const std::string wrong = outside(piece.data, piece.bytes, piece.name);
      if (!wrong.empty()) return wrong;
      if (uintptr_t(piece.data) % 16 != 0) return std::string(piece.name) + " not at a multiple of 16 bytes";
    }
    return "";
  }

  Context& context_;
  const RnnSpec spec_;
  size_t weight_bytes_ = 0;
  const std::vector<Place> places_;
  const std::vector<GatePlace> told_;
  const std::string name_ = kRnnAlgorithm;
};

}  // namespace

std::vector<std::unique_ptr<RnnPlan>> rnn_plans(Context& context, const RnnSpec& spec) {
  if (const char* path = std::getenv("OSTRICH_DOUBLE_CONVS")) {
    std::ofstream(path, std::ios::app) << spec.key() << "\n";
  }
  std::vector<std::unique_ptr<RnnPlan>> plans;
  plans.push_back(std::make_unique<RnnPlanDouble>(context, spec));
  return plans;
}

}  // namespace ostrich::cuda::host
