#include "lanes.h"

#include "../lanes/mel.h"
