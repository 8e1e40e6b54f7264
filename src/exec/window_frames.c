/* Aggregates over frames. Frames that begin with the partition grow from row to row, in one state,
 * which may go on in the next segment; of others each has a state of its own. */
#include "exec/window_own.h"

typedef struct framing {
    const window_segment *s;
    const window_call *c;
    uint8_t *state;
    uint32_t *rows; /* room for all */
} framing;

static void drop(framing *f)
{
    const aggregate *g = &f->c->aggregate;

    if (g->class->drop)
        g->class->drop(g, f->state, f->s->m);
    memset(f->state, 0, g->state_bytes);
}

/* Rows [from, to) into the state, but for those that the filter leaves out. */
static nrw_status add_rows(framing *f, uint32_t from, uint32_t to, nrw_error *err)
{
    const aggregate *g = &f->c->aggregate;
    const window_segment *s = f->s;
    vector some[AGGREGATE_ARGS] = {0};
    const vector *args[AGGREGATE_ARGS];
    uint64_t *ordinals;
    uint32_t n = 0;
    nrw_status st;

    for (uint32_t i = from; i < to; i++) {
        bool null = false;
        if (g->filter) {
            span x = vector_value(&s->columns[g->filter->column], i, &null);
            null = null || !x.data[0];
        }
        if (!null)
            f->rows[n++] = i;
    }
    if (n == 0)
        return NRW_OK;
    TRY(mem_alloc(s->m, n * sizeof *ordinals, (void **)&ordinals, err));
    for (uint32_t i = 0; i < n; i++)
        ordinals[i] = s->carry.base + f->rows[i];
    for (uint32_t k = 0; k < g->n_args; k++) {
        args[k] = &some[k];
        TRY_OUT(vector_pick(&s->columns[g->args[k]->column], f->rows, n, s->m, &some[k], err));
    }
    st = g->class->add(g,
                       &(aggregate_rows){.n = n,
                                         .states = &f->state,
                                         .args = args,
                                         .one = true,
                                         .ordinals = ordinals,
                                         .m = s->m,
                                         .scratch = s->m},
                       err);
out:
    for (uint32_t k = 0; k < g->n_args; k++)
        vector_release(&some[k]);
    mem_free(s->m, ordinals, n * sizeof *ordinals);
    return st;
}

static nrw_status value_of(framing *f, vector *out, nrw_error *err)
{
    return aggregate_finish(&f->c->aggregate, &f->state, 1, f->s->m, out, err);
}

/* What the frames come to, one after the other; texts are parts of their own until the end. */
typedef struct values {
    vector all;
    vector *texts;
    uint32_t n;
} values;

static nrw_status values_new(const window_segment *s, const type *t, values *out, nrw_error *err)
{
    *out = (values){0};
    if (type_is_view(t))
        return mem_zalloc(s->m, s->n * sizeof *out->texts, (void **)&out->texts, err);
    TRY(vector_flat(s->m, t, s->n, &out->all, err));
    return vector_add_validity(&out->all, err);
}

static nrw_status values_add(framing *f, values *v, nrw_error *err)
{
    uint32_t width = f->c->result.width;
    vector one;

    if (v->texts)
        return value_of(f, &v->texts[v->n++], err);
    TRY(value_of(f, &one, err));
    memcpy(v->all.data + (size_t)v->n * width, one.data, width);
    if (one.null_count) {
        bit_clear(v->all.validity, v->n);
        v->all.null_count++;
    }
    v->all.len = ++v->n;
    vector_release(&one);
    return NRW_OK;
}

static void values_free(const window_segment *s, values *v)
{
    vector_release(&v->all);
    for (uint32_t i = 0; v->texts && i < v->n; i++)
        vector_release(&v->texts[i]);
    mem_free(s->m, v->texts, v->texts ? s->n * sizeof *v->texts : 0);
}

/* at[i] is the place of row i's value. */
static nrw_status all_values(framing *f, values *v, uint32_t *at, nrw_error *err)
{
    const window_segment *s = f->s;
    bool grows = f->c->from == FRAME_UNBOUNDED_PRECEDING;
    uint32_t last_from = 0, last_to = 0, part = s->goes_on ? 0 : UINT32_MAX;

    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t from, to;
        window_frame_of(s, f->c, i, &from, &to);
        if (v->n && part == s->part[i] && from == last_from && to == last_to) {
            at[i] = v->n - 1;
            continue;
        }
        if (!grows || part != s->part[i] || to < last_to) {
            drop(f);
            last_to = from;
        }
        TRY(cancel_check(s->cancel, err));
        TRY(add_rows(f, last_to, to, err));
        at[i] = v->n;
        TRY(values_add(f, v, err));
        part = s->part[i];
        last_from = from;
        last_to = to;
    }
    return NRW_OK;
}

nrw_status window_aggregate_values(const window_segment *s, const window_call *c, vector *out,
                                   nrw_error *err)
{
    framing f = {.s = s, .c = c};
    size_t state = aggregate_room(&c->aggregate);
    size_t bytes = state + s->n * 2 * sizeof(uint32_t);
    values v = {0};
    uint8_t *own;
    uint32_t *at;
    nrw_status st;

    TRY(mem_zalloc(s->m, bytes, (void **)&own, err));
    f.state = s->carry.state ? s->carry.state : own;
    f.rows = (uint32_t *)(void *)(own + state);
    at = f.rows + s->n;
    st = values_new(s, &c->result, &v, err);
    if (st >= 0)
        st = all_values(&f, &v, at, err);
    if (st >= 0 && v.texts)
        st = vector_concat(v.texts, v.n, s->m, &v.all, err);
    if (st >= 0)
        st = vector_pick(&v.all, at, s->n, s->m, out, err);
    if (!s->carry.state)
        drop(&f);
    values_free(s, &v);
    mem_free(s->m, own, bytes);
    return st;
}
