#include "kernels/common/parallel.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <latch>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <unsupported/Eigen/CXX11/ThreadPool>
#include <utility>
#include <vector>

#include "kernels/common/error.h"
#include "kernels/common/layout.h"
#include "kernels/common/log.h"

namespace kern {
namespace {

int default_threads() {
  if (const char* env = std::getenv("KERN_THREADS")) {
    char* end = nullptr;
    const long n = std::strtol(env, &end, 10);
    check(*env != '\0' && *end == '\0' && n >= 1 && n <= 1024, "KERN_THREADS must be a number from 1 to 1024, got '",
          env, "'");
    return int(n);
  }
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, int(std::thread::hardware_concurrency()));
}

struct Pool {
  int threads = default_threads();
  std::unique_ptr<Eigen::ThreadPool> workers;  // threads - 1 of them: the caller works too
};
Pool& pool() {
  static Pool p;
  return p;
}
std::mutex submit_mutex;  // one parallel_for at a time: a second caller (a data thread) runs serially
thread_local bool inside_a_chunk = false;
thread_local int worker_index = 0;

class AsWorker {
 public:
  explicit AsWorker(int index) : before_(std::exchange(worker_index, index)) {}
  ~AsWorker() { worker_index = before_; }
  AsWorker(const AsWorker&) = delete;
  AsWorker& operator=(const AsWorker&) = delete;

 private:
  int before_;
};

// Of so many threads, those that the system lets this process start beside what it has.
int threads_that_start(int wanted) {
  std::vector<std::thread> tried;
  std::latch enough(1);
  try {
    while (int(tried.size()) < wanted) tried.emplace_back([&] { enough.wait(); });
  } catch (const std::system_error&) {
  }
  enough.count_down();
  for (std::thread& t : tried) t.join();
  return int(tried.size());
}

// With the lock on submit_mutex.
void start_workers() {
  Pool& p = pool();
  const int started = threads_that_start(p.threads - 1);
  if (started < p.threads - 1) {
    warn("the system lets this process start ", started, " of ", p.threads - 1,
         " more threads (ulimit -u, or the container's limit): the work goes on with ", started + 1);
    p.threads = started + 1;
  }
  if (started > 0) p.workers = std::make_unique<Eigen::ThreadPool>(started);
}

}  // namespace

int thread_count() { return pool().threads; }

void set_thread_count(int n) {
  check(n >= 1 && n <= 1024, "threads must be from 1 to 1024, got ", n);
  std::lock_guard lock(submit_mutex);
  pool().workers.reset();
  pool().threads = n;
}

namespace kernels {

void parallel_for(int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& f) {
  if (n <= 0) return;
  grain = std::max<int64_t>(1, grain);
  const int64_t chunks = ceil_div(n, grain);
  auto run = [&](int64_t first, int64_t last, int worker = 0) {
    const AsWorker as_worker(worker);
    for (int64_t i = first; i < last; ++i) f(i * grain, std::min(n, (i + 1) * grain));
  };
  if (pool().threads == 1 || chunks == 1 || inside_a_chunk) return run(0, chunks);
  std::unique_lock lock(submit_mutex, std::try_to_lock);
  if (!lock) return run(0, chunks);
  if (!pool().workers) start_workers();
  const int threads = int(std::min<int64_t>(pool().threads, chunks));
  if (threads == 1) return run(0, chunks);

  std::mutex error_mutex;
  std::exception_ptr error;
  auto share = [&](int64_t t) {
    inside_a_chunk = true;
    try {
      run(chunks * t / threads, chunks * (t + 1) / threads, int(t));
    } catch (...) {
      std::lock_guard guard(error_mutex);
      if (!error) error = std::current_exception();
    }
    inside_a_chunk = false;
  };
  Eigen::Barrier done(unsigned(threads - 1));
  for (int t = 1; t < threads; ++t) pool().workers->ScheduleWithHint([&, t] { share(t), done.Notify(); }, t - 1, t);
  share(0);
  done.Wait();
  if (error) std::rethrow_exception(error);
}

int worker() { return worker_index; }

}  // namespace kernels
}  // namespace kern
