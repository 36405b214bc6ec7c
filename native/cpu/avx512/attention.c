#include "lanes.h"
#include "lanes_transpose.h"
#include "tile.h"

#define ATTENTION_KEYS 512 /* a tile's scores: 24 KiB of 48 */

#include "../lanes/attention.h"
