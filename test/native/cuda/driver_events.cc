// Events, between streams and on the host, also within a capture: see driver_double.h.
#include <algorithm>

#include "driver_state.h"

namespace ostrich::cuda::host {
namespace {

std::shared_ptr<Event> event_of(const char* call, CUevent handle, CUresult& result) {
  const auto event = state().event_handles.find(handle);
  if (event == nullptr) {
    result = refuse_locked(CUDA_ERROR_INVALID_HANDLE, std::string(call) + ": expected an event, got a destroyed one");
  }
  return event;
}

}  // namespace

CUresult cuStreamWaitEvent(CUstream handle, CUevent event_handle, unsigned) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuStreamWaitEvent", handle, result);
  if (stream == nullptr) return result;
  const auto event = event_of("cuStreamWaitEvent", event_handle, result);
  if (event == nullptr) return result;
  if (event->capture != nullptr) {  // the stream joins the capture
    const auto& active = state().captures;
    const bool over = std::find(active.begin(), active.end(), event->capture) == active.end();
    if (over || (stream->capture != nullptr && stream->capture != event->capture)) {
      return refuse_locked(CUDA_ERROR_STREAM_CAPTURE_ISOLATION,
                           over ? "cuStreamWaitEvent: the event was last recorded in a capture that is over"
                                : "cuStreamWaitEvent: the event belongs to another capture");
    }
    stream->capture = event->capture;
    for (const size_t node : event->nodes) {
      auto& frontier = stream->frontier;
      if (std::find(frontier.begin(), frontier.end(), node) == frontier.end()) frontier.push_back(node);
    }
    return CUDA_SUCCESS;
  }
  if (stream->capture != nullptr) {
    spoil(*stream->capture);
    return refuse_locked(CUDA_ERROR_STREAM_CAPTURE_ISOLATION,
                         "cuStreamWaitEvent: a captured stream waits for an event from outside the capture");
  }
  if (event->marker == nullptr) return CUDA_SUCCESS;  // never recorded: nothing to wait for
  stream->queue.push_back({"wait", nullptr, event->marker, nullptr, nullptr});
  return CUDA_SUCCESS;
}

CUresult cuEventCreate(CUevent* handle, unsigned flags) {
  const Lock lock(state().mutex);
  if (const CUresult result = ready("cuEventCreate")) return result;
  auto event = std::make_shared<Event>();
  event->device = current_device();
  event->timed = (flags & CU_EVENT_DISABLE_TIMING) == 0;
  *handle = state().event_handles.add<CUevent>(event);
  return CUDA_SUCCESS;
}

CUresult cuEventDestroy(CUevent handle) {
  const Lock lock(state().mutex);
  if (state().event_handles.remove(handle)) return CUDA_SUCCESS;
  return refuse_locked(CUDA_ERROR_INVALID_HANDLE, "cuEventDestroy: expected an event");
}

CUresult cuEventRecord(CUevent event_handle, CUstream handle) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuEventRecord", handle, result);
  if (stream == nullptr) return result;
  const auto event = event_of("cuEventRecord", event_handle, result);
  if (event == nullptr) return result;
  if (event->device != stream->device) {
    return refuse_locked(CUDA_ERROR_INVALID_HANDLE, "cuEventRecord: expected an event of the stream's device");
  }
  event->capture = stream->capture;
  event->nodes = stream->frontier;
  event->marker = nullptr;
  if (stream->capture != nullptr) return CUDA_SUCCESS;
  event->marker = std::make_shared<Marker>();
  event->marker->stream = stream.get();
  stream->queue.push_back({"record", nullptr, nullptr, event->marker, nullptr});
  return CUDA_SUCCESS;
}

CUresult cuEventSynchronize(CUevent handle) {
  const Lock lock(state().mutex);
  if (const CUresult result = unsafe("cuEventSynchronize")) return result;
  CUresult result = CUDA_SUCCESS;
  const auto event = event_of("cuEventSynchronize", handle, result);
  if (event == nullptr) return result;
  if (event->capture != nullptr) {
    return refuse_locked(CUDA_ERROR_CAPTURED_EVENT, "cuEventSynchronize: the event was last recorded in a capture");
  }
  if (event->marker == nullptr) return CUDA_SUCCESS;
  return drain(event->device, event->marker->stream, [&] { return event->marker->reached; });
}

CUresult cuEventElapsedTime(float* ms, CUevent from, CUevent to) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto first = event_of("cuEventElapsedTime", from, result);
  const auto second = event_of("cuEventElapsedTime", to, result);
  if (first == nullptr || second == nullptr) return result;
  if (!first->timed || !second->timed || first->marker == nullptr || second->marker == nullptr) {
    return refuse_locked(CUDA_ERROR_INVALID_HANDLE, "cuEventElapsedTime: expected recorded events that take the time");
  }
  if (!first->marker->reached || !second->marker->reached) return CUDA_ERROR_NOT_READY;
  *ms = float(second->marker->ms - first->marker->ms);
  return CUDA_SUCCESS;
}

}  // namespace ostrich::cuda::host
