#include "exec/op_where.h"

#include "exec/row_parts.h"

typedef struct op_where {
    op base;
    mem *m;
    const expr *condition;
    uint32_t n_in;
    size_t held;
    uint64_t share;
    uint32_t n_used, *used;
    _Atomic uint32_t most; /* rows of a part, row_parts.h */
} op_where;

static void see(void *self, uint32_t column)
{
    op_where *o = self;

    for (uint32_t i = 0; i < o->n_used; i++)
        if (o->used[i] == column)
            return;
    o->used[o->n_used++] = column;
}

/* Columns that the condition needs, over all rows or, behind a selection, over those alive. */
static nrw_status hold(const op_where *o, batch *b, vector *alive, const vector **columns,
                       nrw_error *err)
{
    for (uint32_t i = 0; i < o->n_used; i++) /* each may cut the batch short */
        TRY(batch_hold(b, o->used[i], o->held, &columns[o->used[i]], err));
    for (uint32_t i = 0; b->sel && i < o->n_used; i++) {
        const vector **v = &columns[o->used[i]];
        TRY(vector_take(*v, b->sel, b->n_sel, b->m, &alive[i], err));
        *v = &alive[i];
    }
    return NRW_OK;
}

/* A batch whose rows are asked. */
typedef struct asking {
    const op_where *o;
    mem *m;
    uint16_t *sel; /* rows for which it holds */
    uint32_t n;
} asking;

static nrw_status ask_part(void *self, const vector **part, uint32_t first, uint32_t n,
                           nrw_error *err)
{
    asking *a = self;
    uint16_t *sel = a->sel + a->n;
    uint32_t some;

    TRY(expr_select(a->o->condition, part, n, a->m, sel, &some, err));
    for (uint32_t i = 0; first && i < some; i++)
        sel[i] = (uint16_t)(sel[i] + first);
    a->n += some;
    return NRW_OK;
}

static nrw_status narrow(op_where *o, batch *b, const vector *const *columns, nrw_error *err)
{
    asking a = {.o = o, .m = b->m};
    const uint32_t alive = batch_alive(b);
    const row_parts parts = {.rows = alive,
                             .columns = columns,
                             .used = o->used,
                             .n_used = o->n_used,
                             .n = o->n_in,
                             .m = b->m,
                             .share = o->share,
                             .make = ask_part,
                             .self = &a};
    nrw_status st;

    TRY(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *a.sel, (void **)&a.sel, err));
    st = row_parts_run(&parts, &o->most, err);
    if (st < 0 || a.n == alive) {
        mem_free(b->m, a.sel, BATCH_MAX_ROWS * sizeof *a.sel);
        return st;
    }
    for (uint32_t i = 0; b->sel && i < a.n; i++)
        a.sel[i] = b->sel[a.sel[i]];
    batch_select(b, a.sel, a.n);
    return NRW_OK;
}

static nrw_status where_push(op *base, batch *b, nrw_error *err)
{
    op_where *o = (op_where *)base;
    size_t bytes = o->n_used * sizeof(vector) + o->n_in * sizeof(vector *) + 1;
    vector *alive;
    const vector **columns;
    uint32_t before;
    nrw_status st;

    if (batch_alive(b) == 0)
        return op_pass(base, b, err);
    TRY(mem_zalloc(b->m, bytes, (void **)&alive, err));
    columns = (const vector **)(void *)(alive + o->n_used);
    st = hold(o, b, alive, columns, err);
    before = batch_alive(b); /* after holding, which may cut the batch short */
    if (st >= 0)
        st = narrow(o, b, columns, err);
    for (uint32_t i = 0; i < o->n_used; i++)
        vector_release(&alive[i]);
    mem_free(b->m, alive, bytes);
    TRY(st);
    if (batch_counts(b))
        op_count(base, before, before - batch_alive(b));
    return op_pass(base, b, err);
}

static void where_close(op *base)
{
    op_where *o = (op_where *)base;

    mem_free(o->m, o->used, o->n_in * sizeof *o->used + 1);
    mem_free(o->m, o, sizeof *o);
}

static const op_class where_class = {
    .name = "where", .push = where_push, .close = where_close, .pure = true};

nrw_status op_where_new(mem *m, const expr *condition, uint32_t n_in, size_t held, uint64_t share,
                        op **out, nrw_error *err)
{
    op_where *o;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *o, (void **)&o, err));
    *o = (op_where){{.class = &where_class}, m, condition, n_in, held, share, 0, NULL, 0};
    st = mem_alloc(m, n_in * sizeof *o->used + 1, (void **)&o->used, err);
    if (st < 0) {
        mem_free(m, o, sizeof *o);
        return st;
    }
    expr_columns(condition, see, o);
    *out = &o->base;
    return NRW_OK;
}
