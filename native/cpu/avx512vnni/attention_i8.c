#include "lanes.h"
#include "../avx512/lanes_transpose.h"
#include "../avx512/tile.h"

#define ATTENTION_NAME attention_i8_avx512vnni
#define ATTENTION_KEYS 256 /* a tile's weights: 3 KiB of 48 */

#include "../lanes/attention_i8.h"
