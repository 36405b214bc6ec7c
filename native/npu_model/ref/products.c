#define VECTOR_BYTES 16
#define PRODUCTS products_ref
#define PRODUCTS_NAME "ref"
#include "../lanes/products.h"
