#include "lanes.h"
#include "lanes_transpose.h"
#include "tile.h"

#define ATTENTION_KEYS 512 /* a tile's scores: 8 KiB of 32 */

#include "../lanes/attention.h"
