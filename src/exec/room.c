#include "exec/room.h"

#include "exec/group_table.h"
#include "exec/hash_parts.h"
#include "exec/join_room.h"
#include "exec/op_group.h"
#include "exec/op_window.h"
#include "exec/rows.h"
#include "exec/sort_room.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

/* Each worker may get all of so much: less is dearer to spill than to grant. */
#define EVEN_WHERE_UNEVEN (4 * MIB)
/* With less an operator spills batch by batch. */
#define LEAST      (3 * MIB / 2)
#define LEAST_EACH (MIB / 2)
/* Blocks of rows, keys and rows under way of a worker, however few rows come. */
#define FIXED      (96 * KIB)
#define FIXED_EACH (320 * KIB)
/* What results of a join that spills are sorted by: the places of both rows. */
#define PLACES 18u
/* Of a row in columns on their own: where peers begin, and a little for the heads of blocks. */
#define PACKED_BESIDE 2u

uint64_t room_add(uint64_t x, uint64_t y)
{
    return x > UINT64_MAX - y ? UINT64_MAX : x + y;
}

uint64_t room_mul(uint64_t x, uint64_t y)
{
    uint64_t z;

    return __builtin_mul_overflow(x, y, &z) ? UINT64_MAX : z;
}

static uint64_t row_of(uint64_t width)
{
    return room_add(width, ROW_HEAD + 16); /* bits, rounding */
}

/* In the spill file, at most (rows_pack.h): of the head what its owner needs, bits, a little for
 * the heads of fields. */
static uint64_t packed_row(uint64_t width, uint64_t head)
{
    return room_add(width, head + 2);
}

/* The place of a row where at most n have come: which of 64 Ki morsels, and which row of it
 * (rows_fields.h). */
static uint64_t packed_place(uint64_t n)
{
    return (16 + (64 - (uint64_t)__builtin_clzll(n | 1)) + 7) / 8;
}

/* The shares of the workers and an eighth that each keeps free, for `need` bytes in all. */
static uint64_t shared_out(uint64_t need, uint32_t workers)
{
    uint64_t all = room_mul(need, workers);

    if (workers > 1 && all > EVEN_WHERE_UNEVEN) {
        all = room_add(need, need / 2);
        all = all < EVEN_WHERE_UNEVEN ? EVEN_WHERE_UNEVEN : all;
    }
    return room_add(room_add(all, all / 3), FIXED + workers * FIXED_EACH);
}

static budget budget_of(uint64_t wish, uint64_t spill, uint32_t workers)
{
    budget b = {.least = LEAST + workers * LEAST_EACH, .wish = wish, .spill = spill};

    b.least = b.least < wish ? b.least : wish;
    return b;
}

/* With its key, and the ordinal behind. */
static uint64_t sorted_row(const room_rows *r)
{
    return room_add(row_of(r->width), room_add(r->keys, 24));
}

static uint64_t packed_sorted_row(const room_rows *r)
{
    return packed_row(room_add(r->packed, r->packed_keys), packed_place(r->n));
}

budget room_of_sort(const room_rows *r, uint64_t limit, uint32_t workers)
{
    const uint64_t entries = 72; /* 24 each, twice as many while the list grows */
    uint64_t row = sorted_row(r), kept = r->n;
    uint64_t spill = room_mul(r->n, packed_sorted_row(r));

    if (limit != UINT64_MAX && limit < kept / 2)
        kept = room_add(room_mul(3, limit), 4096); /* those that stay are copied */
    kept = kept < r->n ? kept : r->n;
    return budget_of(shared_out(room_mul(kept, room_add(row, entries)), workers), spill, workers);
}

bool room_sort_fits(const room_rows *r, uint64_t limit, uint64_t grant, uint32_t workers)
{
    const uint64_t row = sorted_row(r);

    if (limit < r->n / 2) /* cut long before memory ends: the budget's wish is enough */
        return grant >= room_of_sort(r, limit, workers).wish;
    return row < UINT32_MAX && r->n <= sort_run_rows(row, grant, workers);
}

uint64_t room_sort_spill(const room_rows *r, uint64_t grant, uint32_t workers)
{
    return sort_spill(r->n, sorted_row(r), packed_sorted_row(r), grant, sort_merging(grant),
                      workers);
}

/* ---- groups ---- */

static uint64_t group_row(const room_groups *g)
{
    return room_add(row_of(g->rows.keys), g->state);
}

/* A table of at most n groups when it takes most: with all of them, or when its slots doubled last,
 * a quarter of them full, and the old ones were there still. */
static uint64_t group_table_of(uint64_t n, uint64_t row)
{
    uint64_t slots, all, doubling;

    if (n > UINT64_MAX >> 16)
        return UINT64_MAX;
    slots = group_slots_for(n);
    all = room_add(room_mul(n, row), slots);
    if (slots == group_slots_for(1))
        return all;
    doubling = room_add(room_mul(slots / sizeof(uint64_t) / 4, row), slots + slots / 2);
    return room_at_least(all, doubling);
}

/* Whether workers come to have parts of the hashes. Where a batch's rows have fewer keys they go to
 * the worker's own table all the same (group_take.c). */
static bool are_shared(const room_groups *g)
{
    return g->shared && g->groups > GROUP_SHARED_FROM;
}

static uint64_t blocks_of(uint64_t n, uint64_t row)
{
    return (n * row / ROWS_BLOCK + 1) * (ROWS_BLOCK + 32);
}

/* A table for so many groups; of few there may be more combinations of codes, which have slots. */
static uint64_t group_small_table(uint64_t n, uint64_t row)
{
    const uint64_t codes = GROUP_SLICE_NEAR / 2, slots = group_slots_for(codes);

    if (n >= codes)
        return room_add(group_table_of(n, row), ROWS_BLOCK);
    return n * row + slots + slots / 2 + ROWS_BLOCK;
}

/* The keys of a slice, which take a quarter of the worker's memory at most (group_take.c). */
static uint64_t group_slice(uint64_t row, uint64_t limit)
{
    return room_at_most(blocks_of(GROUP_SLICE_NEAR, row), limit / 4 + ROWS_BLOCK);
}

/* What room_group_fits asks for: of 16 parts of what a worker has, which is 7 of 8 of its share, a
 * slice takes at most 4, and 3 are free. */
static uint64_t group_sure(uint64_t n, uint64_t row, uint32_t workers)
{
    const uint64_t table = group_small_table(n, row);
    const uint64_t quarter = room_add(table, ROWS_BLOCK),
                   whole = room_add(table, blocks_of(GROUP_SLICE_NEAR, row));
    const uint64_t worker = room_at_most(room_mul(quarter, 16) / 9, room_mul(whole, 16) / 13);

    return room_mul(workers, room_add(worker, worker / 7 + 8 * KIB));
}

/* Tables that are shared (group_shared.c): of every sixteen groups one more, for hashes are not
 * quite even, and of a worker's share it keeps a quarter free. */
static uint64_t shared_tables(const room_groups *g, uint64_t row, uint32_t workers)
{
    uint64_t n = room_add(g->groups, g->groups / 16);
    uint64_t all = room_mul(workers, group_table_of(n / workers + 1, row));
    uint64_t some = room_mul(workers, group_table_of(g->groups, row));

    all = room_add(all, all / 3);
    some = room_at_most(room_add(some, some / 3), EVEN_WHERE_UNEVEN);
    return room_add(room_at_least(all, some), FIXED + workers * FIXED_EACH);
}

budget room_of_group(const room_groups *g, uint32_t workers)
{
    const uint64_t n = g->rows.n, groups = g->groups, row = group_row(g);
    uint64_t most = groups, tables, spill, wish, sure;

    /* a group may be in every worker's table, of no more rows than there are */
    if (room_mul(groups, workers) > n)
        most = n / workers + 1 > groups ? groups : n / workers + 1;
    tables = room_mul(group_table_of(most, row), workers);
    tables = room_add(tables, room_mul(n, g->hang));
    spill = room_mul(n, room_add(row, room_add(g->hang, g->saved)));
    wish = shared_out(tables / workers, workers);
    if (most == groups) /* each worker may meet all of them, and keeps an eighth free */
        wish = room_at_least(wish,
                             room_add(room_add(tables, tables / 6), FIXED + workers * FIXED_EACH));
    if (are_shared(g))
        wish = room_at_most(wish, shared_tables(g, row, workers));
    sure = group_sure(most, row, workers);
    if (sure <= EVEN_WHERE_UNEVEN && !g->hang)
        wish = room_at_least(wish, sure);
    return budget_of(wish, spill, workers);
}

/* What group_room leaves of a share, but for the book of places and the keys of a slice. */
bool room_group_fits(const room_groups *g, uint64_t grant, uint32_t workers)
{
    const uint64_t row = group_row(g), share = grant / workers / 8 * 7;
    const uint64_t usable = share - share / 8 - share / 16;
    uint64_t n = room_at_most(g->groups, g->rows.n), bytes;

    if (n > grant / row)
        return false;
    if (n <= 1 && !g->hang)
        return true;
    if (are_shared(g)) /* about as many hashes for each */
        n = n / workers + n / workers / 8;
    bytes = room_add(group_slice(row, share), group_small_table(n, row));
    bytes += bytes / 1024; /* heads of blocks */
    return room_add(bytes, room_mul(g->rows.n, g->hang)) <= usable;
}

/* 256 parts, of which those larger than a third of the share are cut into 16; they are not all of
 * one size. */
uint64_t room_group_spill(uint64_t once, uint64_t grant, uint32_t workers)
{
    uint64_t part = once / 256, times = 1;

    for (; part / 3 * 4 > grant / workers / 3 && part; part /= 16)
        times++;
    return room_mul(once, times);
}

/* ---- joins ---- */

/* With the link and the place. */
static uint64_t right_row(const room_rows *r)
{
    return room_add(row_of(room_add(r->width, r->keys)), 16);
}

/* Hashes and places go along. */
static uint64_t packed_side(const room_rows *r)
{
    const uint64_t hash = r->told ? 0 : 8;

    return room_mul(r->n,
                    packed_row(room_add(r->packed, r->packed_keys), hash + packed_place(r->n)));
}

static uint64_t packed_sides(const room_rows *left, const room_rows *right)
{
    return room_add(packed_side(left), packed_side(right));
}

/* With the places of both rows, which are there always, so that marks take nothing. */
static uint64_t packed_result(const room_rows *left, const room_rows *right,
                              const room_rows *results)
{
    const uint64_t x = packed_place(left->n), y = packed_place(right->n);

    return packed_row(results->packed, !results->of_one ? x + y : x > y ? x : y);
}

/* Pointers to rows as they came, of each worker those of its own; in order; slots of the table. */
static uint64_t join_lists(uint64_t rows, uint32_t workers)
{
    const uint64_t both = room_add(rows, join_listed_most(rows, workers));

    return room_mul(sizeof(uint8_t *), room_add(both, join_slots(rows)));
}

/* Beside rows and lists: of each worker a block that is not full; rows that come have two more
 * before they are there. */
static uint64_t join_fixed(uint32_t workers)
{
    return FIXED + (workers + 2) * (uint64_t)ROWS_BLOCK;
}

budget room_of_join(const room_rows *left, const room_rows *right, const room_rows *results,
                    uint32_t workers)
{
    uint64_t kept = room_mul(right->n, right_row(right));
    uint64_t spill = packed_sides(left, right);

    spill = room_add(spill, room_mul(results->n, packed_result(left, right, results)));
    kept = room_add(kept, join_lists(right->n, workers));
    kept = room_add(kept, join_fixed(workers));
    kept = room_add(kept, kept / 7); /* an eighth is free (op_build.c) */
    return budget_of(kept, spill, workers);
}

/* Parts whose table is too large are cut by more bits of the hash, both sides of them. They are not
 * all of one size. */
uint64_t room_join_spill(const room_rows *left, const room_rows *right, const room_rows *results,
                         uint64_t grant, uint32_t workers)
{
    const uint64_t slots = 24;
    uint64_t part = room_mul(right->n, room_add(right_row(right), slots)), times = 1, sorted;

    if (part == UINT64_MAX)
        return UINT64_MAX;
    part >>= hash_parts_bits(grant / workers);
    for (; join_is_cut(part + part / 3, grant, workers); part >>= HASH_PARTS_SPLIT)
        times++;
    sorted = sort_spill(results->n, room_add(row_of(results->width), PLACES + 8),
                        packed_result(left, right, results), join_sort_memory(grant),
                        join_sort_merging(grant), workers);
    return room_add(room_mul(packed_sides(left, right), times), sorted);
}

/* ---- windows ---- */

budget room_of_window(const room_window *w, uint32_t workers)
{
    budget b = room_of_sort(&w->rows, UINT64_MAX, workers);
    /* beside the sort are rows read, put together and handed out */
    uint64_t kept = room_mul(w->rows.n, room_mul(3, row_of(w->rows.width))), all;

    kept = room_add(w->runs_on && kept > MIB ? MIB : kept, 192 * KIB);
    b.wish = b.wish > kept ? b.wish : kept;
    all = room_add(room_add(b.wish, WINDOW_PASSING), room_add(b.wish, WINDOW_PASSING) / 15 + KIB);
    b.wish = room_mul(2, b.wish);
    if (w->runs_on && !w->gathers) /* window_sort_memory */
        b.wish = b.wish < all ? b.wish : all;
    b.least = room_mul(2, b.least);
    b.least = b.least < b.wish ? b.least : b.wish;
    return b;
}

bool room_window_fits(const room_window *w, uint64_t grant, uint32_t workers)
{
    return room_sort_fits(&w->rows, UINT64_MAX, window_sort_memory(grant, w->gathers), workers);
}

/* All rows may be one partition (all of it peers), which goes to the spill file when it has left
 * the sort: each column by itself. */
uint64_t room_window_spill(const room_window *w, uint64_t grant, uint32_t workers)
{
    const room_rows *r = &w->rows;
    uint64_t sorted = room_sort_spill(r, window_sort_memory(grant, w->gathers), workers);

    if (w->stops_anywhere)
        return sorted;
    return room_add(sorted, room_mul(r->n, packed_row(r->packed, PACKED_BESIDE)));
}
