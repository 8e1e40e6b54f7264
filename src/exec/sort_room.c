#include "exec/sort_room.h"

#include "exec/room.h"
#include "exec/rows.h"
#include "exec/sort_run.h"

#define BLOCK       ((size_t)64 << 10)
#define LEAST_BLOCK ((size_t)8 << 10)
#define SOME_RUNS   512u  /* can be open at once, where blocks are between the two */
#define OPEN_RUN    4096u /* what one takes beside its block */
#define LEAST_FAN   8u
#define LEAVING     ((uint64_t)256 << 10)
/* What a worker takes while it writes a run: a block, which grows by copies, and packed. */
#define WRITER ((uint64_t)192 << 10)

uint64_t sort_account(uint64_t memory, uint32_t workers)
{
    uint64_t share = memory / workers, beside = room_at_least(share / 8, WRITER);

    return share - room_at_most(beside, share / 2);
}

uint64_t sort_full(uint64_t account)
{
    return account - account / 8;
}

uint64_t sort_take_bytes(uint64_t account)
{
    return account / 4;
}

uint64_t sort_leave_bytes(uint64_t memory, uint32_t workers)
{
    return room_at_most(LEAVING, memory / 4 / workers);
}

uint64_t sort_entries_cap(uint64_t cap, uint64_t n)
{
    cap = cap ? cap : 1024;
    while (cap < n)
        cap *= 2;
    return cap;
}

uint64_t sort_merging(uint64_t memory)
{
    return memory / 2;
}

size_t sort_block_bytes(uint64_t merging)
{
    const size_t block = merging / SOME_RUNS & ~(size_t)4095;

    return block < LEAST_BLOCK ? LEAST_BLOCK : block < BLOCK ? block : BLOCK;
}

uint32_t sort_fan(uint64_t merging)
{
    uint64_t fan = merging / (sort_block_bytes(merging) + OPEN_RUN);

    return (uint32_t)room_at_most(room_at_least(fan, LEAST_FAN), UINT32_MAX / 2);
}

/* Rows of a run, at least: a worker has no room for a batch more, or for twice the entries. */
uint64_t sort_run_rows(uint64_t row, uint64_t memory, uint32_t workers)
{
    const uint64_t batch = SORT_TAKE_ROWS, entry = sizeof(sort_entry);
    const uint64_t account = sort_account(memory, workers);
    uint64_t limit = sort_full(account), beside, fit, n;

    beside = room_at_most(2 * rows_cost(room_mul(batch, row)),
                          sort_take_bytes(account) + 2 * ROWS_BLOCK);
    limit = limit > beside ? limit - beside : 0;
    for (uint64_t cap = sort_entries_cap(0, 1);; cap *= 2) {
        uint64_t end = cap > batch ? cap - batch : 0; /* a batch more, and entries grow */
        n = limit > cap * entry ? (limit - cap * entry) / row : 0;
        if (n < end)
            break;
        n = end;
        if (end * row + 3 * cap * entry > limit)
            break;
    }
    fit = sort_take_bytes(account) / row;
    fit = fit < 1 ? 1 : fit < batch ? fit : batch;
    return n > fit ? n : fit;
}

uint32_t sort_merged(uint32_t runs, uint32_t fan)
{
    const uint32_t some = (runs - 1) % (fan - 1) + 1;

    return some > 1 ? some : fan;
}

/* Of `once` bytes in so many runs, what is written again until `fan` of them are left: sort_merged
 * of them become one, again and again. */
static uint64_t merged_again(uint64_t once, uint64_t runs, uint64_t fan)
{
    uint64_t merged, rounds = 0, some;

    if (runs <= fan)
        return 0;
    for (uint64_t left = runs; left > fan; left = (left + fan - 1) / fan)
        rounds++;
    merged = runs - fan + (runs - fan + fan - 2) / (fan - 1);
    /* runs are not all of one length */
    some = room_mul(once / runs + 1, merged + merged / 4);
    return room_at_most(some, room_mul(once, rounds));
}

uint64_t sort_spill(uint64_t n, uint64_t row, uint64_t packed, uint64_t memory, uint64_t merging,
                    uint32_t workers)
{
    const uint64_t once = room_mul(n, packed);
    uint64_t runs;

    if (once == UINT64_MAX || row >= UINT32_MAX)
        return UINT64_MAX;
    runs = n / sort_run_rows(row, memory, workers) + workers;
    return room_add(once, merged_again(once, runs, sort_fan(merging)));
}
