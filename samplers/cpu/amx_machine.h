#pragma once

namespace negatron {

/// Whether this process may use tiles of bf16: the processor has them, the system keeps them for threads, and has
/// allowed it. Linux asks to be asked, once a process and for all of its threads, those that run already too
/// (Documentation/arch/x86/xstate.rst); the first call does. Local, thread-safe.
bool machine_has_amx() noexcept;

}  // namespace negatron
