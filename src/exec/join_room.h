/* What a join takes when it spills: for the operator, which goes by it, and for who shares memory
 * out. */
#ifndef EXEC_JOIN_ROOM_H
#define EXEC_JOIN_ROOM_H

#include <stdbool.h>
#include <stdint.h>

/* Slots of the table of so many rows: a power of two. UINT64_MAX: of too many. */
uint64_t join_slots(uint64_t rows);
/* Pointers that a list of rows, which had room for so many, gets room for; those of all workers
 * together at most. */
uint64_t join_listed(uint64_t had, uint64_t rows);
uint64_t join_listed_most(uint64_t rows, uint32_t workers);
/* Of a join's memory: what the table of a worker's pass may take; what the results are sorted
 * with, while parts meet and when they are through. */
uint64_t join_pass_room(uint64_t memory, uint32_t workers);
uint64_t join_sort_memory(uint64_t memory);
uint64_t join_sort_merging(uint64_t memory);
/* Whether a part whose table takes so much is cut rather than met in many passes. */
bool join_is_cut(uint64_t table, uint64_t memory, uint32_t workers);

#endif
