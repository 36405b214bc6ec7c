#include "lanes.h"
#include "lanes_transpose.h"
#include "tile.h"

#ifndef ATTENTION_KEYS
#define ATTENTION_KEYS 256
#endif

#include "../lanes/attention.h"
