/* What a join takes when it spills: for the operator, which goes by it, and for who shares memory
 * out. */
#ifndef EXEC_JOIN_ROOM_H
#define EXEC_JOIN_ROOM_H

#include <stdbool.h>
#include <stdint.h>

/* Of a join's memory: what the table of a worker's pass may take; what the results are sorted
 * with, while parts meet and when they are through. */
uint64_t join_pass_room(uint64_t memory, uint32_t workers);
uint64_t join_sort_memory(uint64_t memory);
uint64_t join_sort_merging(uint64_t memory);
/* Whether a part whose table takes so much is cut rather than met in many passes. */
bool join_is_cut(uint64_t table, uint64_t memory, uint32_t workers);

#endif
