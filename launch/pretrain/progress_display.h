#pragma once

#include "runtime/metrics/progress_line.h"

namespace negatron {

/// A redrawn line when a person watches, else one line per interval. Under mpirun a rank's standard output is a
/// terminal of mpirun's own making whatever the user's is, so only launch/ranks, which sees the real one and says so in
/// NEGATRON_TERMINAL_COLUMNS, or a start without mpirun (standard error is a terminal too) gets the redrawn line,
/// and none where TERM is "dumb". Local.
ProgressDisplay detect_display();

}  // namespace negatron
