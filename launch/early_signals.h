#pragma once

namespace negatron {

// What this process does before main, and before any library of it runs: as the first thing behind the loader.
//  - Descriptors 0, 1 and 2 are open: one that the starter closed would else be given to the next file or pipe, which
//    what is printed would then be written into. Reading the first and writing the others fail, as if they were closed.
//  - SIGPIPE and SIGXFSZ end nothing: what cannot be written is an error of the call that writes, which has a name.
//  - SIGUSR1, SIGUSR2 and SIGINT to `negatron pretrain` are kept for the run, which honours them as if they came later
//    (SignalWatch), where its starter blocked them (launch/ranks does) also those that came while the loader worked.
//    SIGTERM ends the process, as there is nothing yet to leave in order.

/// Whether `number`, SIGUSR1, SIGUSR2 or SIGINT, was kept; it is asked once. Local.
bool take_early_signal(int number);

/// For a `negatron pretrain` that is no run after all: from here on, and if one was kept at once, they do what they do
/// to every program. Local.
void give_up_early_signals();

}  // namespace negatron
