#include "lanes.h"
#include "../avx512/lanes_transpose.h"
#include "../avx512/tile.h"

#define ATTENTION_KEYS 512 /* a tile's scores: 24 KiB of 48 */
#define ATTENTION_NAME attention_i8_avx512bf16

#include "../lanes/keys_i8.h"

#include "../lanes/attention_half.h"
