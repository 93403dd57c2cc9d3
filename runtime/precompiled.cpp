#include "runtime/precompiled.h"
