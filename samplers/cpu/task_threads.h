#pragma once

#include <cstdint>
#include <functional>

namespace negatron {

/// Calls work(task) once for each of `tasks` on the threads of ATen (at::get_num_threads()), each of which takes the
/// next task when it is done with one: other than equal shares, this bears threads that are held up. Returns when all
/// are done. Throws what a call throws; the other threads finish their tasks then. Local.
void share_out(std::int64_t tasks, const std::function<void(std::int64_t)>& work);

/// How many threads share_out() and ATen use for calls of the calling thread, of which others take no notice.
void use_threads(int threads);

/// Memory of the calling thread, aligned to a cache line and kept for the next call, which invalidates it.
float* thread_memory(std::int64_t numbers);

}  // namespace negatron
