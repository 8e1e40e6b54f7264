#include "exec/room.h"

#include "exec/hash_parts.h"
#include "exec/join_room.h"
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
#define PLACES        18u
#define PACKED_PLACES 14u

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
    return packed_row(room_add(r->packed, r->packed_keys), 8);
}

budget room_of_sort(const room_rows *r, uint64_t limit, uint32_t workers)
{
    const uint64_t entries = 72; /* 24 each, twice as many while the list grows */
    uint64_t row = sorted_row(r), kept = r->n;
    uint64_t spill = room_mul(r->n, packed_sorted_row(r));

    if (limit != UINT64_MAX && limit < kept / 2)
        kept = 2 * limit + 4096;
    kept = kept < r->n ? kept : r->n;
    return budget_of(shared_out(room_mul(kept, room_add(row, entries)), workers), spill, workers);
}

uint64_t room_sort_spill(const room_rows *r, uint64_t grant, uint32_t workers)
{
    return sort_spill(r->n, sorted_row(r), packed_sorted_row(r), grant, sort_merging(grant),
                      workers);
}

budget room_of_group(const room_rows *r, uint64_t groups, uint64_t state, uint64_t hang,
                     uint64_t saved, uint32_t workers)
{
    const uint64_t slots = 48; /* up to three quarters empty, and half as many while they grow */
    uint64_t row = room_add(row_of(r->keys), state), most = groups, tables, spill, wish;

    /* a group may be in every worker's table, of no more rows than there are */
    if (room_mul(groups, workers) > r->n)
        most = r->n / workers + 1 > groups ? groups : r->n / workers + 1;
    tables = room_mul(room_mul(most, workers), room_add(row, slots));
    tables = room_add(tables, room_mul(r->n, hang));
    spill = room_mul(r->n, room_add(row, room_add(hang, saved)));
    wish = shared_out(tables / workers, workers);
    if (most == groups) /* each worker may meet all of them, and keeps an eighth free */
        wish = room_at_least(wish,
                             room_add(room_add(tables, tables / 6), FIXED + workers * FIXED_EACH));
    return budget_of(wish, spill, workers);
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

/* Both sides once: hashes and places go along. */
static uint64_t packed_sides(const room_rows *left, const room_rows *right)
{
    const uint64_t head = 8 + 6;

    return room_add(
        room_mul(right->n, packed_row(room_add(right->packed, right->packed_keys), head)),
        room_mul(left->n, packed_row(left->packed, head)));
}

budget room_of_join(const room_rows *left, const room_rows *right, const room_rows *results,
                    uint32_t workers)
{
    const uint64_t list = 48; /* pointers as they came, in order, slots of the table */
    uint64_t kept = room_mul(right->n, room_add(right_row(right), list));
    uint64_t spill = packed_sides(left, right);

    spill = room_add(spill, room_mul(results->n, packed_row(results->packed, PACKED_PLACES)));
    kept = room_add(kept, kept / 4);
    return budget_of(room_add(kept, FIXED + workers * FIXED_EACH), spill, workers);
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
                        packed_row(results->packed, PACKED_PLACES), join_sort_memory(grant),
                        join_sort_merging(grant), workers);
    return room_add(room_mul(packed_sides(left, right), times), sorted);
}

/* ---- windows ---- */

budget room_of_window(const room_rows *r, bool runs_on, bool passes, uint32_t workers)
{
    budget b = room_of_sort(r, UINT64_MAX, workers);
    /* beside the sort are rows read, put together and handed out */
    uint64_t kept = room_mul(r->n, room_mul(3, row_of(r->width))), all;

    kept = room_add(runs_on && kept > MIB ? MIB : kept, 192 * KIB);
    b.wish = b.wish > kept ? b.wish : kept;
    all = room_add(room_add(b.wish, WINDOW_PASSING), room_add(b.wish, WINDOW_PASSING) / 15 + KIB);
    b.wish = room_mul(2, b.wish);
    if (passes) /* window_sort_memory */
        b.wish = b.wish < all ? b.wish : all;
    b.least = room_mul(2, b.least);
    b.least = b.least < b.wish ? b.least : b.wish;
    return b;
}

uint64_t room_window_spill(const room_rows *r, bool passes, uint64_t grant, uint32_t workers)
{
    return room_sort_spill(r, window_sort_memory(grant, passes), workers);
}
