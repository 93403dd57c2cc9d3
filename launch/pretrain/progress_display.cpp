#include "launch/pretrain/progress_display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace negatron {

ProgressDisplay detect_display() {
  ProgressDisplay display;
  // A screen that cannot go back: of editors and of some systems that build.
  if (const char* kind = std::getenv("TERM"); kind != nullptr && std::string(kind) == "dumb") return display;
  if (const char* columns = std::getenv("NEGATRON_TERMINAL_COLUMNS")) {
    display.terminal = true;
    if (const int width = std::atoi(columns); width > 0) display.width = width;
    return display;
  }
  display.terminal = isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
  winsize size{};
  if (display.terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) display.width = size.ws_col;
  return display;
}

}  // namespace negatron
