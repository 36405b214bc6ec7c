#define VECTOR_BYTES 32
#define PRODUCTS products_avx2
#define PRODUCTS_NAME "avx2"
#include "../lanes/products.h"
