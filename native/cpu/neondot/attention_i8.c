#include "lanes.h"
#include "../neon/lanes_transpose.h"
#include "../neon/tile.h"

#define ATTENTION_NAME attention_i8_neondot
#define ATTENTION_KEYS 256 /* a tile's weights: 1 KiB */

#include "../lanes/attention_i8.h"
