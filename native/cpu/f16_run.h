/* How many products an F16 sum gathers before it goes into an F32 sum. Thirty-two: spilling a tile then costs about a fifth
 * of the multiply-adds before it, and the error stays that of rounding the operands. */
#ifndef SOTTO_F16_RUN_H
#define SOTTO_F16_RUN_H

enum { F16_RUN = 32 };

#endif
