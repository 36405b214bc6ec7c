#include "lanes.h"
#include "lanes_transpose.h"
#include "tile.h"

#define ATTENTION_NAME attention_f32_neon
#define ATTENTION_KEYS 256 /* a tile's weights: 4 KiB of 32 */

#include "../lanes/keys_f32.h"
#include "../lanes/weights_f32.h"

#include "../lanes/attention.h"
