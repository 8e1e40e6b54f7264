#include "exec/op_except.h"

#include <stdlib.h>

typedef struct op_except {
    op base;
    mem *m;
    const row_range *ranges;
    size_t n;
} op_except;

static int by_start(const void *a, const void *b)
{
    const row_range *x = a, *y = b;

    return x->from < y->from ? -1 : x->from > y->from;
}

size_t row_ranges_normalise(row_range *ranges, size_t n)
{
    size_t kept = 0;

    qsort(ranges, n, sizeof *ranges, by_start);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && ranges[i].from <= ranges[kept - 1].to) {
            if (ranges[i].to > ranges[kept - 1].to)
                ranges[kept - 1].to = ranges[i].to;
        } else {
            ranges[kept++] = ranges[i];
        }
    }
    return kept;
}

/* The first range that ends behind `row`. */
static size_t first_behind(const op_except *o, int64_t row)
{
    size_t lo = 0, hi = o->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (o->ranges[mid].to <= row)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static nrw_status except_push(op *base, batch *b, nrw_error *err)
{
    op_except *o = (op_except *)base;
    size_t at = first_behind(o, b->first_row);
    const bool counts = batch_counts(b);
    uint32_t alive = batch_alive(b), n = 0;
    uint16_t *sel;

    op_count(base, counts ? alive : 0, 0);
    if (at == o->n || o->ranges[at].from >= b->first_row + b->rows)
        return op_pass(base, b, err);
    TRY(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *sel, (void **)&sel, err));
    for (uint32_t i = 0; i < alive; i++) {
        uint16_t row = b->sel ? b->sel[i] : (uint16_t)i;
        int64_t ordinal = b->first_row + row;
        while (at < o->n && o->ranges[at].to <= ordinal)
            at++;
        if (at == o->n || ordinal < o->ranges[at].from)
            sel[n++] = row;
    }
    batch_select(b, sel, n);
    op_count(base, 0, counts ? alive - n : 0);
    return op_pass(base, b, err);
}

static void except_close(op *base)
{
    op_except *o = (op_except *)base;

    mem_free(o->m, o, sizeof *o);
}

static const op_class except_class = {
    .name = "except", .push = except_push, .close = except_close, .pure = true};

nrw_status op_except_new(mem *m, const row_range *ranges, size_t n, op **out, nrw_error *err)
{
    op_except *o;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *o, (void **)&o, err));
    o->base.class = &except_class;
    o->m = m;
    o->ranges = ranges;
    o->n = n;
    *out = &o->base;
    return NRW_OK;
}
