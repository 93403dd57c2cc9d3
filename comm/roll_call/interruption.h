#pragma once

#include <functional>

namespace negatron {

/// What asks, while this process waits for other ranks, whether somebody wants it to stop waiting: a program that hosts
/// this library and has signals of its own. Asked some ten times a second by the thread that waits. True ends the wait
/// as a time limit does: the group is broken then. An empty function asks nothing. Not while a collective runs. Local.
void set_interruption_check(std::function<bool()> check);

/// What the check says; false without one. Local.
bool is_interrupted();

}  // namespace negatron
