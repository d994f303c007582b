// See device_thread.h.
#include "addon/device_thread.h"

#include <pthread.h>

#include "addon/instance.h"
#include "core/error.h"

namespace ostrich::addon {

struct DeviceThread::Call {
  const std::function<void()>* work;
  std::exception_ptr error;
  bool done = false;
};

// `process.exit` and an error that nobody catches run no cleanup hooks, but destroy the statics of every library,
// oneDNN's kernels among them.
void DeviceThread::close_at_exit(Napi::Env env) {
  const Napi::Value process = env.Global().Get("process");
  if (!process.IsObject()) return;
  const Napi::Value on = process.As<Napi::Object>().Get("on");
  if (!on.IsFunction()) return;
  const auto close_all = [](const Napi::CallbackInfo& info) {
    auto& threads = Instance::of(info.Env()).threads;
    while (!threads.empty()) (*threads.begin())->close();
  };
  on.As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), Napi::Function::New(env, close_all)});
}

std::shared_ptr<DeviceThread> DeviceThread::start(Napi::Env env, const std::string& name) {
  std::shared_ptr<DeviceThread> self(new DeviceThread);
  self->env_ = env;
  // The bridge's finalizer holds the last reference, so that a call still in its queue always finds the object.
  self->bridge_ = Bridge::New(env, name, 0, 1, self.get(), [keep = self](Napi::Env, void*, DeviceThread*) {});
  self->bridge_.Unref(env);
  // Added after the bridge's own, so it runs before it: the thread is gone when the bridge closes.
  napi_add_env_cleanup_hook(env, on_environment_end, self.get());
  Instance::of(env).threads.insert(self.get());
  self->thread_ = std::thread([raw = self.get()] { raw->loop(); });
  self->name_ = name.substr(0, 15);
  pthread_setname_np(self->thread_.native_handle(), self->name_.c_str());
  return self;
}

DeviceThread::~DeviceThread() { end_thread(); }

void DeviceThread::link(Job* job) {
  if (pending_ == nullptr) bridge_.Ref(env_);
  job->earlier_ = nullptr;
  job->later_ = pending_;
  if (pending_ != nullptr) pending_->earlier_ = job;
  pending_ = job;
}

void DeviceThread::unlink(Job* job) {
  (job->earlier_ != nullptr ? job->earlier_->later_ : pending_) = job->later_;
  if (job->later_ != nullptr) job->later_->earlier_ = job->earlier_;
  if (pending_ == nullptr) bridge_.Unref(env_);
}

void DeviceThread::post(Job* job) {
  OSTRICH_CHECK(!closed_);
  link(job);
  job->next_ = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    (last_ != nullptr ? last_->next_ : first_) = job;
    last_ = job;
  }
  wake_.notify_one();
}

void DeviceThread::call(const std::function<void()>& work) {
  OSTRICH_CHECK(!closed_);
  Call call{&work, nullptr};
  std::unique_lock<std::mutex> lock(mutex_);
  call_ = &call;
  wake_.notify_one();
  called_.wait(lock, [&] { return call.done; });
  if (call.error) std::rethrow_exception(call.error);
}

void DeviceThread::loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || call_ != nullptr || first_ != nullptr; });
    if (Call* call = std::exchange(call_, nullptr)) {
      lock.unlock();
      try {
        (*call->work)();
      } catch (...) {
        call->error = std::current_exception();
      }
      lock.lock();
      call->done = true;
      called_.notify_one();
    } else if (stopping_) {
      return;
    } else {
      Job* job = first_;
      first_ = job->next_;
      if (first_ == nullptr) last_ = nullptr;
      lock.unlock();
      run(job);
      lock.lock();
    }
  }
}

void DeviceThread::run(Job* job) {
  job->failure_.reset();
  try {
    job->execute();
  } catch (...) {
    job->failure_ = current_failure();
  }
  hand_over(job);
}

// To JavaScript, or to the thread that waits if the job, or one before it, is not over yet.
void DeviceThread::hand_over(Job* job) {
  {
    const std::lock_guard<std::mutex> lock(waiting_mutex_);
    const bool waits = !job->failure_ && job->is_under_way();
    if (waits || !waiting_.empty()) {
      waiting_.push_back(job);
      if (!waiting_thread_.joinable()) {
        waiting_thread_ = std::thread([this] { wait_loop(); });
        pthread_setname_np(waiting_thread_.native_handle(), (name_.substr(0, 10) + "-wait").c_str());
      }
      waiting_wake_.notify_one();
      return;
    }
  }
  bridge_.NonBlockingCall(job);
}

void DeviceThread::wait_loop() {
  std::unique_lock<std::mutex> lock(waiting_mutex_);
  for (;;) {
    waiting_wake_.wait(lock, [this] { return waiting_ends_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Job* job = waiting_.front();
    lock.unlock();
    try {
      if (!job->failure_ && job->is_under_way()) job->finish();
    } catch (...) {
      job->failure_ = current_failure();
    }
    lock.lock();
    // Only now: a job that comes meanwhile must queue behind this one.
    waiting_.pop_front();
    bridge_.NonBlockingCall(job);
  }
}

void DeviceThread::settle_job(Napi::Env env, Napi::Function, DeviceThread* self, Job* job) {
  // No environment: it is ending, and `close` has discarded the job.
  if (static_cast<napi_env>(env) == nullptr || self->closed_) return;
  self->unlink(job);
  job->settle(env, job->failure_);
}

void DeviceThread::end_thread() {
  if (!thread_.joinable()) return;
  for (Job* job = pending_; job != nullptr; job = job->later_) job->interrupt();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  {
    const std::lock_guard<std::mutex> lock(waiting_mutex_);
    waiting_ends_ = true;
  }
  waiting_wake_.notify_one();
  if (waiting_thread_.joinable()) waiting_thread_.join();
}

void DeviceThread::discard_all() {
  while (Job* job = pending_) {
    pending_ = job->later_;
    job->discard();
  }
}

void DeviceThread::close() {
  if (closed_) return;
  closed_ = true;
  napi_remove_env_cleanup_hook(env_, on_environment_end, this);
  Instance::of(env_).threads.erase(this);
  end_thread();
  discard_all();
  bridge_.Release();
}

// The bridge is left to the environment, which closes it next.
void DeviceThread::on_environment_end(void* data) {
  auto* self = static_cast<DeviceThread*>(data);
  self->closed_ = true;
  self->end_thread();
  self->discard_all();
}

}  // namespace ostrich::addon
