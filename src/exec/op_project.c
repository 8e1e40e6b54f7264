#include "exec/op_project.h"

#include "exec/dense.h"
#include "exec/row_parts.h"

typedef struct op_project {
    op base;
    mem *m;
    const expr *const *exprs;
    uint32_t n, n_in;
    size_t held;
    uint64_t share;
    uint32_t n_used;
    uint32_t *used;        /* columns of the input that any expression looks at */
    uint32_t *place;       /* of each column of the input: in `used` */
    _Atomic uint32_t most; /* rows of a part, row_parts.h */
} op_project;

static void see(void *self, uint32_t column)
{
    op_project *o = self;

    if (column >= o->n_in || o->place[column] != UINT32_MAX)
        return;
    o->place[column] = o->n_used;
    o->used[o->n_used++] = column;
}

/* A batch that is projected. */
typedef struct projecting {
    op_project *o;
    batch *in;
    uint32_t rows; /* alive ones */
    batch made;
} projecting;

static void drop_made(projecting *p)
{
    if (p->made.cols)
        dense_free(&p->made, p->o->n);
    p->made = (batch){0};
}

static nrw_status evaluate(projecting *p, const vector **columns, uint32_t rows, nrw_error *err)
{
    const op_project *o = p->o;

    TRY(dense_new(p->in, o->n, rows, &p->made, err));
    for (uint32_t i = 0; i < o->n; i++) {
        vector v = {0};
        TRY(expr_eval(o->exprs[i], columns, rows, p->in->m, &v, err));
        TRY(dense_put(&p->made, i, &v, err));
        columns[o->n_in + i] = p->made.cols[i].held;
    }
    return NRW_OK;
}

static nrw_status make_part(void *self, const vector **part, uint32_t first, uint32_t n,
                            nrw_error *err)
{
    nrw_status st = evaluate(self, part, n, err);

    (void)first;
    if (st < 0)
        drop_made(self);
    return st;
}

static nrw_status pass_part(void *self, uint32_t first, uint32_t n, nrw_error *err)
{
    projecting *p = self;
    nrw_status st;

    p->made.offset += first;
    p->made.first_row += first;
    p->made.last &= first + n == p->rows;
    st = op_pass(&p->o->base, &p->made, err);
    drop_made(p);
    return st;
}

/* taken, columns: room for those that are used; for a pointer to each of the input. */
static nrw_status project(projecting *p, vector *taken, const vector **columns, nrw_error *err)
{
    op_project *o = p->o;
    row_parts parts = {.columns = columns,
                       .used = o->used,
                       .n_used = o->n_used,
                       .n = o->n_in + o->n,
                       .m = p->in->m,
                       .share = o->share,
                       .make = make_part,
                       .give = pass_part,
                       .self = p};

    TRY(batch_take(p->in, o->used, o->n_used, o->held, taken, err));
    for (uint32_t i = 0; i < o->n_used; i++)
        columns[o->used[i]] = &taken[i];
    parts.rows = p->rows = o->n_used ? taken[0].len : batch_alive(p->in);
    op_count(&o->base, p->rows, 0);
    return row_parts_run(&parts, &o->most, err);
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
    size_t bytes = o->n_used * sizeof(vector) + o->n_in * sizeof(vector *) + 1;
    projecting p = {.o = o, .in = b};
    vector *taken;
    nrw_status st;

    if (batch_alive(b) == 0)
        return pass_none(base, b, err);
    TRY(mem_zalloc(b->m, bytes, (void **)&taken, err));
    st = project(&p, taken, (const vector **)(void *)(taken + o->n_used), err);
    for (uint32_t i = 0; i < o->n_used; i++)
        vector_release(&taken[i]);
    mem_free(b->m, taken, bytes);
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
                          uint64_t share, op **out, nrw_error *err)
{
    op_project *o;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *o, (void **)&o, err));
    *o = (op_project){{.class = &project_class}, m, exprs, n, n_in, held, share, 0, NULL, NULL, 0};
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
