#include "comm/precompiled.h"
