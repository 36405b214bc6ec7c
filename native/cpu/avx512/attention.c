#include "lanes.h"
#include "lanes_transpose.h"
#include "tile.h"

#ifndef ATTENTION_KEYS
#define ATTENTION_KEYS 512 /* a tile's scores: half of the first-level cache with AVX-512, a third with AVX2 */
#endif

#include "../lanes/attention.h"
