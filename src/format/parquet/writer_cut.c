#include "format/parquet/writer_cut.h"

static pq_stride *at(pq_cut *c, uint64_t stride)
{
    return &c->ring[stride % CUT_RING];
}

const pq_stride *pq_cut_at(const pq_cut *c, uint64_t stride)
{
    return &c->ring[stride % CUT_RING];
}

int64_t pq_cut_horizon(const pq_cut *c)
{
    return pq_cut_at(c, c->known - 1)->end;
}

static void add(pq_cut *c, int64_t start, int64_t rows, uint64_t group, int64_t group_row)
{
    pq_stride *s = at(c, c->known++);
    *s = (pq_stride){
        .end = start + rows, .group = group, .group_row = group_row, .left = c->n_columns};
    /* Decided by rows alone: a row group that is full, and the first stride of any other. */
    s->ends = s->end - group_row >= c->limit_rows;
    s->sealed = s->ends || start == group_row;
    if (start == group_row)
        c->begun[group % 2] = c->first_rows;
}

int64_t pq_cut_begun(const pq_cut *c, uint64_t group)
{
    return c->begun[group % 2];
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Bytes the row group is expected to have at `rows`, from those it had where all passed. */
static uint64_t estimate(const pq_cut *c, int64_t rows)
{
    unsigned __int128 e = (unsigned __int128)c->passed_bytes * (uint64_t)rows;
    e /= (uint64_t)c->passed_rows;
    return e > UINT64_MAX ? UINT64_MAX : (uint64_t)e;
}

/* Rows that take so many bytes, by those passed; `most` at most. */
static int64_t rows_of(const pq_cut *c, uint64_t bytes, int64_t most)
{
    if (!c->passed_bytes)
        return most;
    unsigned __int128 rows = (unsigned __int128)bytes * (uint64_t)c->passed_rows;
    rows /= c->passed_bytes;
    return rows < (uint64_t)most ? (int64_t)rows : most;
}

/* Of the next row group's first strides, by what is known of this one. Strides are laid out at
 * fixed points of the rows, so this depends on nothing else. */
static int64_t first_rows(const pq_cut *c)
{
    int64_t n = least(rows_of(c, c->limit_bytes, c->limit_rows) / 8, CUT_MAX_ROWS);
    return n > CUT_FIRST_ROWS ? n : CUT_FIRST_ROWS;
}

/* Length of the stride behind `last`, in the same row group. */
static int64_t length(pq_cut *c, const pq_stride *last, int64_t last_rows)
{
    int64_t have = last->end - last->group_row, room = c->limit_rows - have;
    if (have == last_rows) /* behind the first: nothing was measured yet */
        return least(c->first_rows, room);
    c->first_rows = first_rows(c);
    uint64_t expected = estimate(c, have);
    uint64_t left = expected < c->limit_bytes ? c->limit_bytes - expected : 0;
    int64_t n = rows_of(c, left / 2, least(least(2 * last_rows, CUT_MAX_ROWS), room));
    return n > 0 ? n : 1;
}

/* Adds strides while the last one is decided and there is room for more. */
static void extend(pq_cut *c)
{
    while (c->known - c->first < CUT_RING) {
        const pq_stride *last = at(c, c->known - 1);
        if (!last->sealed)
            return;
        int64_t end = last->end;
        if (last->ends) {
            if (last->group + 1 >= c->groups_gone + c->groups_ahead)
                return;
            add(c, end, least(c->first_rows, c->limit_rows), last->group + 1, end);
            continue;
        }
        int64_t start = last->group_row;
        if (c->known >= 2 && at(c, c->known - 2)->group == last->group)
            start = at(c, c->known - 2)->end;
        add(c, end, length(c, last, end - start), last->group, last->group_row);
    }
}

void pq_cut_init(pq_cut *c, uint64_t limit_bytes, int64_t limit_rows, uint32_t n_columns,
                 uint32_t groups_ahead, int64_t first_rows)
{
    *c = (pq_cut){.limit_bytes = limit_bytes,
                  .limit_rows = limit_rows,
                  .n_columns = n_columns,
                  .groups_ahead = groups_ahead,
                  .first_rows = first_rows ? first_rows : CUT_FIRST_ROWS};
    add(c, 0, least(c->first_rows, limit_rows), 0, 0);
    extend(c);
}

/* The first stride in the ring was passed by all columns. */
static void decide(pq_cut *c, const pq_stride *s)
{
    c->passed_rows = s->end - s->group_row;
    c->passed_bytes = s->encoded;
    if (c->first == c->known || s->ends)
        return;
    pq_stride *next = at(c, c->first);
    if (!next->sealed) {
        uint64_t expected = estimate(c, next->end - next->group_row);
        next->ends = expected >= c->limit_bytes - c->limit_bytes / 32;
        next->sealed = true;
    }
}

void pq_cut_pass(pq_cut *c, uint64_t stride, uint64_t encoded)
{
    pq_stride *s = at(c, stride);
    s->encoded += encoded;
    s->left--;
    while (c->first < c->known && at(c, c->first)->left == 0) {
        s = at(c, c->first++);
        decide(c, s);
        extend(c);
    }
}

void pq_cut_group_gone(pq_cut *c)
{
    c->groups_gone++;
    extend(c);
}

void pq_cut_add_column(pq_cut *c)
{
    c->n_columns++;
    for (uint64_t i = c->first; i < c->known; i++)
        at(c, i)->left++;
}
