#define VECTOR_BYTES 64
#define PRODUCTS products_avx512
#define PRODUCTS_NAME "avx512"
#include "../lanes/products.h"
