/* What a sort takes: for the operator, which goes by it, and for who shares memory out. */
#ifndef EXEC_SORT_ROOM_H
#define EXEC_SORT_ROOM_H

#include <stddef.h>
#include <stdint.h>

/* Rows of a batch that a worker takes at a time, at most. */
#define SORT_TAKE_ROWS 4096u

/* Of a sort's memory: a worker's account; what is in it when its rows become a run; what the rows
 * taken at a time may come to. */
uint64_t sort_account(uint64_t memory, uint32_t workers);
uint64_t sort_full(uint64_t account);
uint64_t sort_take_bytes(uint64_t account);
/* Entries to have room for when n are there, and there was room for `cap`. */
uint64_t sort_entries_cap(uint64_t cap, uint64_t n);
/* Bytes of a worker's rows that leave at a time, while runs are merged. */
uint64_t sort_leave_bytes(uint64_t memory, uint32_t workers);
/* What of its memory, or beside it, runs are merged with, where nothing else is known. */
uint64_t sort_merging(uint64_t memory);
/* With so much: bytes of the rows in a run's blocks, about; runs that are open at once. */
size_t sort_block_bytes(uint64_t merging);
uint32_t sort_fan(uint64_t merging);
/* Of more runs than that, how many are to become one next, so that least is written again: all
 * later merges are of `fan` runs then. */
uint32_t sort_merged(uint32_t runs, uint32_t fan);

/* Rows of a run, at least, where a row takes so many bytes. */
uint64_t sort_run_rows(uint64_t row, uint64_t memory, uint32_t workers);
/* Bytes that are written at most for n such rows, each of which takes `packed` bytes then;
 * UINT64_MAX: nobody knows. */
uint64_t sort_spill(uint64_t n, uint64_t row, uint64_t packed, uint64_t memory, uint64_t merging,
                    uint32_t workers);

#endif
