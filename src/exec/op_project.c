#include "exec/op_project.h"

#include "exec/dense.h"

typedef struct op_project {
    op base;
    mem *m;
    const expr *const *exprs;
    uint32_t n, n_in;
    size_t held;
    uint32_t n_used;
    uint32_t *used;  /* columns of the input that any expression looks at */
    uint32_t *place; /* of each column of the input: in `used` */
} op_project;

static void see(void *self, uint32_t column)
{
    op_project *o = self;

    if (column >= o->n_in || o->place[column] != UINT32_MAX)
        return;
    o->place[column] = o->n_used;
    o->used[o->n_used++] = column;
}

/* The alive rows of the input: vectors in `taken`, and where each column's lies in `columns`. */
static nrw_status compute(const op_project *o, batch *in, vector *taken, const vector **columns,
                          batch *out, nrw_error *err)
{
    uint32_t rows;

    TRY(dense_take(in, o->used, o->n_used, o->held, taken, err));
    rows = o->n_used ? taken[0].len : batch_alive(in);
    for (uint32_t c = 0; c < o->n_in; c++)
        columns[c] = o->place[c] == UINT32_MAX ? NULL : &taken[o->place[c]];
    TRY(dense_new(in, o->n, rows, out, err));
    for (uint32_t i = 0; i < o->n; i++) {
        vector v = {0};
        TRY(expr_eval(o->exprs[i], columns, rows, in->m, &v, err));
        TRY(dense_put(out, i, &v, err));
        columns[o->n_in + i] = out->cols[i].held;
    }
    return NRW_OK;
}

static nrw_status pass_none(op *base, batch *b, nrw_error *err)
{
    for (uint32_t c = 0; c < b->n_cols; c++)
        batch_drop(b, c);
    return dense_pass_none(base, b, ((op_project *)base)->n, err);
}

static nrw_status project_push(op *base, batch *b, nrw_error *err)
{
    op_project *o = (op_project *)base;
    size_t bytes = o->n_used * sizeof(vector) + (o->n_in + o->n) * sizeof(vector *) + 1;
    vector *taken;
    batch made = {0};
    nrw_status st;

    op_count(base, batch_alive(b), 0);
    if (batch_alive(b) == 0)
        return pass_none(base, b, err);
    TRY(mem_zalloc(b->m, bytes, (void **)&taken, err));
    st = compute(o, b, taken, (const vector **)(void *)(taken + o->n_used), &made, err);
    for (uint32_t i = 0; i < o->n_used; i++)
        vector_release(&taken[i]);
    mem_free(b->m, taken, bytes);
    if (st >= 0)
        st = op_pass(base, &made, err);
    if (made.cols)
        dense_free(&made, o->n);
    return st;
}

static void project_close(op *base)
{
    op_project *o = (op_project *)base;

    mem_free(o->m, o->used, o->n_in * sizeof *o->used + 1);
    mem_free(o->m, o->place, o->n_in * sizeof *o->place + 1);
    mem_free(o->m, o, sizeof *o);
}

static const op_class project_class = {"project", project_push, NULL, NULL, project_close};

nrw_status op_project_new(mem *m, const expr *const *exprs, uint32_t n, uint32_t n_in, size_t held,
                          op **out, nrw_error *err)
{
    op_project *o;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *o, (void **)&o, err));
    *o = (op_project){{.class = &project_class}, m, exprs, n, n_in, held, 0, NULL, NULL};
    TRY_OUT(mem_alloc(m, n_in * sizeof *o->used + 1, (void **)&o->used, err));
    TRY_OUT(mem_alloc(m, n_in * sizeof *o->place + 1, (void **)&o->place, err));
    for (uint32_t c = 0; c < n_in; c++)
        o->place[c] = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++)
        expr_columns(exprs[i], see, o);
    *out = &o->base;
    return NRW_OK;
out:
    project_close(&o->base);
    return st;
}
