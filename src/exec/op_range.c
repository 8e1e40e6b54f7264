#include "exec/op_range.h"

typedef struct op_range {
    op base;
    mem *m;
    int64_t from, to;
} op_range;

static nrw_status range_push(op *base, batch *b, nrw_error *err)
{
    op_range *o = (op_range *)base;
    const bool counts = batch_counts(b);
    uint32_t alive = batch_alive(b), n = 0;
    uint16_t *sel;

    op_count(base, counts ? alive : 0, 0);
    if (b->first_row >= o->from && b->first_row + b->rows <= o->to)
        return op_pass(base, b, err);
    TRY(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *sel, (void **)&sel, err));
    for (uint32_t i = 0; i < alive; i++) {
        uint16_t row = b->sel ? b->sel[i] : (uint16_t)i;
        int64_t at = b->first_row + row;
        if (at >= o->from && at < o->to)
            sel[n++] = row;
    }
    batch_select(b, sel, n);
    op_count(base, 0, counts ? alive - n : 0);
    return op_pass(base, b, err);
}

static void range_close(op *base)
{
    op_range *o = (op_range *)base;

    mem_free(o->m, o, sizeof *o);
}

static const op_class range_class = {
    .name = "range", .push = range_push, .close = range_close, .pure = true};

nrw_status op_range_new(mem *m, int64_t from, int64_t to, op **out, nrw_error *err)
{
    op_range *o;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *o, (void **)&o, err));
    o->base.class = &range_class;
    o->m = m;
    o->from = from;
    o->to = to;
    *out = &o->base;
    return NRW_OK;
}
