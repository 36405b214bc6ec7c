#include "lanes.h"
#include "../avx512/lanes_transpose.h"
#include "../avx512/tile.h"

#define ATTENTION_NAME attention_bf16_avx512bf16
#define ATTENTION_KEYS 256 /* a tile's weights: 6 KiB of 48 */

#include "../lanes/keys_bf16.h"
#include "../lanes/weights_bf16.h"

#include "../lanes/attention.h"
