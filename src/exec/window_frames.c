/* Aggregates over frames. Frames that begin with the partition grow from row to row, in one state,
 * which may go on in the next segment; others are added up row by row, in the same state. */
#include "exec/window_own.h"

#define HEAP_BYTES ((size_t)64 << 10)

typedef struct framing {
    const window_segment *s;
    const window_call *c;
    window_progress *p;
    uint32_t *rows; /* room for `cap` */
    uint64_t *ordinals;
    uint32_t cap;
    window_look looks[AGGREGATE_ARGS + 1]; /* at its arguments, at the filter */
} framing;

static void drop(framing *f)
{
    const aggregate *g = &f->c->aggregate;

    if (g->class->drop)
        g->class->drop(g, f->p->state, f->s->m);
    memset(f->p->state, 0, g->state_bytes);
}

void window_forget(window_progress *p, const window_call *c, mem *m)
{
    const aggregate *g = &c->aggregate;
    uint8_t *state = p->state;

    if (state && g->class->drop)
        g->class->drop(g, state, m);
    if (state)
        memset(state, 0, g->state_bytes);
    vector_release(&p->last);
    *p = (window_progress){.state = state};
}

/* Of the rows [from, to) those that are in one block of the tape. */
static nrw_status block_end(const framing *f, int64_t from, int64_t *to, nrw_error *err)
{
    const window_segment *s = f->s;
    int64_t end = s->n;
    uint64_t first;
    uint32_t n;

    if (s->tape && (from < 0 || from >= s->n)) {
        TRY(window_tape_block(s->tape, (uint64_t)(from + s->tape_row), &first, &n, err));
        end = (int64_t)(first + n) - s->tape_row;
    }
    *to = end < *to ? end : *to;
    return NRW_OK;
}

/* Which of the rows [from, to) of a block the filter does not leave out, counted from `from`. */
static nrw_status filter_rows(framing *f, int64_t from, int64_t to, uint32_t *n, nrw_error *err)
{
    const aggregate *g = &f->c->aggregate;

    *n = 0;
    for (int64_t i = from; i < to; i++) {
        bool null = false;
        if (g->filter) {
            window_look *l = &f->looks[AGGREGATE_ARGS];
            uint32_t at;
            span x;
            TRY(window_see(l, i, &at, err));
            x = vector_value(&l->v, at, &null);
            null = null || !x.data[0];
        }
        if (null)
            continue;
        f->rows[*n] = (uint32_t)(i - from);
        f->ordinals[(*n)++] = f->s->carry.base + (uint64_t)i;
    }
    return NRW_OK;
}

/* Rows [from, to) of one block into the state. */
static nrw_status add_block(framing *f, int64_t from, int64_t to, nrw_error *err)
{
    const aggregate *g = &f->c->aggregate;
    const window_segment *s = f->s;
    vector some[AGGREGATE_ARGS] = {0};
    const vector *args[AGGREGATE_ARGS];
    uint32_t n, at, moved = 0;
    nrw_status st = NRW_OK;

    TRY(filter_rows(f, from, to, &n, err));
    if (n == 0)
        return NRW_OK;
    for (uint32_t k = 0; k < g->n_args; k++) {
        window_look *l = &f->looks[k];
        args[k] = &some[k];
        TRY_OUT(window_see(l, from, &at, err));
        for (uint32_t i = 0; i < n; i++)
            f->rows[i] += at - moved;
        moved = at;
        TRY_OUT(vector_pick(&l->v, f->rows, n, s->m, &some[k], err));
    }
    st = g->class->add(g,
                       &(aggregate_rows){.n = n,
                                         .states = &f->p->state,
                                         .args = args,
                                         .one = true,
                                         .ordinals = f->ordinals,
                                         .m = s->m,
                                         .scratch = s->m},
                       err);
out:
    for (uint32_t k = 0; k < g->n_args; k++)
        vector_release(&some[k]);
    return st;
}

static nrw_status add_rows(framing *f, int64_t from, int64_t to, nrw_error *err)
{
    while (from < to) {
        int64_t end = to - from < f->cap ? to : from + f->cap;
        TRY(cancel_check(f->s->cancel, err));
        TRY(block_end(f, from, &end, err));
        TRY(add_block(f, from, end, err));
        from = end;
    }
    return NRW_OK;
}

static nrw_status value_of(framing *f, vector *out, nrw_error *err)
{
    return aggregate_finish(&f->c->aggregate, &f->p->state, 1, f->s->m, out, err);
}

/* What the frames come to, one after the other; lists are parts of their own until the end. */
typedef struct values {
    vector all;
    buffer *heap; /* of long texts, the one that is filled; `all` holds it */
    int32_t heap_at;
    vector *parts;
    uint32_t n;
} values;

static nrw_status values_new(const window_segment *s, const type *t, values *out, nrw_error *err)
{
    *out = (values){0};
    if (type_is_nested(t))
        return mem_zalloc(s->m, s->n * sizeof *out->parts, (void **)&out->parts, err);
    TRY(vector_flat(s->m, t, s->n, &out->all, err));
    return vector_add_validity(&out->all, err);
}

static nrw_status put_text(values *v, span x, nrw_error *err)
{
    view *to = (view *)(void *)v->all.data + v->n;
    buffer *b = v->heap;

    if (x.len <= VIEW_INLINE) {
        *to = view_make(x.data, (int32_t)x.len, 0, 0);
        return NRW_OK;
    }
    if (!b || x.len > b->cap - b->len) {
        nrw_status st;
        TRY(buffer_new(v->all.m, size_max(x.len, HEAP_BYTES), &b, err));
        st = vector_add_heap(&v->all, b, &v->heap_at, err);
        buffer_unref(b);
        TRY(st);
        v->heap = b;
    }
    memcpy(b->data + b->len, x.data, x.len);
    *to = view_long(x.data, (uint32_t)x.len, v->heap_at, (int32_t)b->len);
    b->len += x.len;
    return NRW_OK;
}

/* Takes `one`, also on failure. */
static nrw_status values_put(values *v, vector *one, nrw_error *err)
{
    uint32_t width = one->type.width;
    nrw_status st = NRW_OK;

    if (v->parts) {
        v->parts[v->n++] = *one;
        return NRW_OK;
    }
    if (one->null_count) {
        memset(v->all.data + (size_t)v->n * width, 0, width);
        bit_clear(v->all.validity, v->n);
        v->all.null_count++;
    } else if (type_is_view(&one->type)) {
        st = put_text(v, view_span(one, 0), err);
    } else {
        memcpy(v->all.data + (size_t)v->n * width, one->data, width);
    }
    v->all.len = ++v->n;
    vector_release(one);
    return st;
}

static void values_free(const window_segment *s, values *v)
{
    vector_release(&v->all);
    for (uint32_t i = 0; v->parts && i < v->n; i++)
        vector_release(&v->parts[i]);
    mem_free(s->m, v->parts, v->parts ? s->n * sizeof *v->parts : 0);
}

/* The value of row i's frame, the rows [from, to) of its partition, becomes the last one of v;
 * where it is that of the row before, and there, nothing does. */
static nrw_status next_value(framing *f, uint32_t i, int64_t from, int64_t to, values *v,
                             nrw_error *err)
{
    window_progress *p = f->p;
    const bool grows = f->c->from == FRAME_UNBOUNDED_PRECEDING;
    const int64_t part = window_part(f->s, i);
    vector one;

    if (p->any && p->from == from && p->to == to) {
        if (i > 0)
            return NRW_OK;
        TRY(vector_share(&p->last, &one, err));
        return values_put(v, &one, err);
    }
    if (!grows || !p->any || to < p->to) {
        drop(f);
        p->to = from;
    }
    TRY(add_rows(f, p->to + part, to + part, err));
    TRY(value_of(f, &one, err));
    TRY(values_put(v, &one, err));
    p->any = true;
    p->from = from;
    p->to = to;
    return NRW_OK;
}

/* at[i] is the place of row i's value. */
static nrw_status all_values(framing *f, values *v, uint32_t *at, nrw_error *err)
{
    const window_segment *s = f->s;

    for (uint32_t i = 0; i < s->n; i++) {
        int64_t from, to, part = window_part(s, i);
        if (window_begins(s, i))
            f->p->any = false;
        window_frame_of(s, f->c, i, &from, &to);
        TRY(next_value(f, i, from - part, to - part, v, err));
        at[i] = v->n - 1;
    }
    return NRW_OK;
}

/* The last row's value may be that of the next segment's first rows. */
static nrw_status remember(framing *f, const vector *all, nrw_error *err)
{
    window_progress *p = f->p;

    if (f->s->ends) {
        window_forget(p, f->c, f->s->m);
        return NRW_OK;
    }
    vector_release(&p->last);
    p->last = (vector){0};
    return vector_constant(all, all->len - 1, NULL, f->s->m, &p->last, err);
}

nrw_status window_aggregate_values(const window_segment *s, const window_call *c,
                                   window_progress *p, vector *out, nrw_error *err)
{
    const aggregate *g = &c->aggregate;
    framing f = {.s = s, .c = c, .p = p, .cap = s->tape ? TAPE_ROWS : s->n};
    const size_t ordinals = f.cap * sizeof *f.ordinals, rows = f.cap * sizeof *f.rows;
    const size_t bytes = ordinals + rows + s->n * sizeof(uint32_t);
    values v = {0};
    uint32_t *at;
    nrw_status st;

    TRY(mem_alloc(s->m, bytes, (void **)&f.ordinals, err));
    f.rows = (uint32_t *)(f.ordinals + f.cap);
    at = f.rows + f.cap;
    for (uint32_t k = 0; k < g->n_args; k++)
        f.looks[k] = window_look_at(s, g->args[k]->column);
    if (g->filter)
        f.looks[AGGREGATE_ARGS] = window_look_at(s, g->filter->column);
    st = values_new(s, &c->result, &v, err);
    if (st >= 0)
        st = all_values(&f, &v, at, err);
    if (st >= 0 && v.parts)
        st = vector_concat(v.parts, v.n, s->m, &v.all, err);
    if (st >= 0)
        st = remember(&f, &v.all, err);
    if (st >= 0)
        st = vector_pick(&v.all, at, s->n, s->m, out, err);
    for (uint32_t k = 0; k <= AGGREGATE_ARGS; k++)
        window_look_end(&f.looks[k]);
    values_free(s, &v);
    mem_free(s->m, f.ordinals, bytes);
    return st;
}
