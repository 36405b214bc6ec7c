#include "lanes.h"
#include "../avx2/lanes_transpose.h"
#include "../avx2/tile.h"

#define ATTENTION_NAME attention_i8_avxvnni
#define ATTENTION_KEYS 256 /* a tile's weights: 1.5 KiB of 32 */

#include "../lanes/attention_i8.h"
