#pragma once

namespace negatron {

/// Has MKL decide, once for this process and from one thread, which of its kernels serves each vector function that
/// ATen gives it (exp, log, sqrt, tanh and their like; float and double). Local; under a millisecond; every
/// communicator's constructor calls it.
///
/// Reason: MKL before 2025.0 decides at a function's first call, and when several threads make that call at once, one
/// of them may be served by a kernel of low accuracy, in that call only: exp is then off by 1e-9 in fp64, and a run
/// differs from the same run in its last bits (pytorch/pytorch, issue 188792). Threads that are ranks, and the threads
/// of one operation, make their first call at once.
void settle_vector_math();

}  // namespace negatron
