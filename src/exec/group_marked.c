/* Groups with marks, in the middle of a pipeline. A worker groups the rows of its morsel by itself;
 * at the morsel's end it waits for its turn and hands its groups over to the stretch at hand. Whose
 * morsel is the first behind a mark takes the stretch before along and, the turn given up, lets its
 * groups leave. So workers group while others let leave, and nobody stops at a mark. */
#include "exec/dense.h"
#include "exec/group_taking.h"

/* Its number: how many marks are at or before a row. */
static uint32_t stretch_of(const op_group *o, int64_t row)
{
    const key_marks *m = o->spec.marks;
    uint32_t low = 0, high = m->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (m->at[mid].row <= row)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void begin_morsel(op_group *o, group_worker *w, const batch *b)
{
    w->begun = true;
    w->turn = false;
    w->stretch = stretch_of(o, b->first_row);
    w->mixed = atomic_load_explicit(&o->mixed_hint, memory_order_relaxed) == w->stretch + 1;
}

/* The turn, and the stretch that w's rows belong to. */
static nrw_status take_turn(op_group *o, group_worker *w, const batch *b, nrw_error *err)
{
    group_stretch next;
    nrw_status st;

    if (w->turn)
        return NRW_OK;
    TRY(turn_wait(&o->turn, b->morsel - o->first_morsel));
    w->turn = true;
    if (o->current.number == w->stretch)
        return NRW_OK;
    group_stretch_init(o, &next, w->stretch);
    st = group_stretch_follow(o, &o->current, &next, err);
    if (st < 0) {
        group_stretch_free(o, &next);
        return st;
    }
    w->leaving = (group_leaving){.s = o->current};
    w->leaves = true;
    o->current = next;
    return NRW_OK;
}

nrw_status group_marked_send(op_group *o, group_worker *w, const batch *b, nrw_error *err)
{
    TRY(group_check_marks(o, w, err));
    TRY(take_turn(o, w, b, err));
    return group_hand_over(o, w, err);
}

/* The next groups that leave as a batch; n_cols 0 where there are none. */
static nrw_status make_batch(op_group *o, group_worker *w, const batch *like, uint8_t **rows,
                             batch *out, bool *more, nrw_error *err)
{
    uint32_t n;

    TRY(group_leaving_next(o, w, like->m, rows, &n, more, err));
    TRY(dense_new(like, o->source.n_cols, n, out, err));
    return n ? group_leave(o, NULL, out, rows, n, err) : NRW_OK;
}

static nrw_status let_leave(op_group *o, group_worker *w, const batch *b, nrw_error *err)
{
    uint8_t **rows;
    uint32_t offset = 0;
    bool more = true;
    nrw_status st;

    TRY(mem_alloc(b->m, GROUP_LEAVE * sizeof *rows, (void **)&rows, err));
    do {
        batch out = {0};
        st = make_batch(o, w, b, rows, &out, &more, err);
        out.offset = offset;
        out.last = !more;
        offset += out.rows;
        if (st >= 0)
            st = op_pass(&o->base, &out, err);
        if (out.cols)
            dense_free(&out, o->source.n_cols);
    } while (st >= 0 && more);
    mem_free(b->m, rows, GROUP_LEAVE * sizeof *rows);
    group_leaving_free(o, w);
    return st;
}

static nrw_status pass_none(op_group *o, const batch *b, nrw_error *err)
{
    batch none;
    nrw_status st;

    TRY(dense_new(b, o->source.n_cols, 0, &none, err));
    none.offset = 0;
    st = op_pass(&o->base, &none, err);
    dense_free(&none, o->source.n_cols);
    return st;
}

static nrw_status marked_push(op *base, batch *b, nrw_error *err)
{
    op_group *o = (op_group *)base;
    group_worker *w = &o->workers[b->worker];

    if (!w->begun)
        begin_morsel(o, w, b);
    TRY(group_take(o, b, err));
    if (!b->last)
        return NRW_OK;
    for (uint32_t c = 0; c < b->n_cols; c++)
        batch_drop(b, c);
    TRY(group_marked_send(o, w, b, err));
    w->begun = false;
    turn_done(&o->turn, b->morsel - o->first_morsel);
    return w->leaves ? let_leave(o, w, b, err) : pass_none(o, b, err);
}

static void marked_stop(op *base)
{
    turn_stop(&((op_group *)base)->turn);
}

void group_marked_close(op_group *o, group_worker *w)
{
    for (uint32_t k = 0; k < GROUP_ASIDE; k++)
        if (w->aside[k])
            group_drop_states(&o->shape, w->aside[k], o->m);
    group_leaving_free(o, w);
    group_rows_free(o, &w->runs);
}

const op_class group_marked_class = {"group", marked_push, NULL, marked_stop, group_close};

void op_group_stream(op *base, op *next, uint64_t first_morsel)
{
    op_group *o = (op_group *)base;

    base->next = next;
    o->first_morsel = first_morsel;
    turn_init(&o->turn);
}

/* ---- what is left ---- */

static nrw_status rest_next(source *s, batch *b, nrw_error *err)
{
    op_group *o = group_of(s);

    (void)err;
    if (o->rest)
        return NRW_END;
    o->rest = true;
    b->morsel = 0;
    return NRW_OK;
}

static nrw_status rest_fill(source *s, batch *b, nrw_error *err)
{
    op_group *o = group_of(s);
    group_worker *w = &o->workers[b->worker];
    uint8_t **rows;
    uint32_t n = 0;
    bool more = false;
    nrw_status st;

    if (!w->leaves) {
        w->leaving = (group_leaving){.s = o->current};
        w->leaves = true;
        group_stretch_init(o, &o->current, o->current.number);
    }
    TRY(mem_alloc(b->m, GROUP_LEAVE * sizeof *rows, (void **)&rows, err));
    st = group_leaving_next(o, w, b->m, rows, &n, &more, err);
    if (st >= 0 && n)
        st = group_leave(o, NULL, b, rows, n, err);
    mem_free(b->m, rows, GROUP_LEAVE * sizeof *rows);
    b->last = !more;
    if (!more)
        group_leaving_free(o, w);
    return st;
}

const source_class group_rest_class = {"group", rest_next, rest_fill, NULL, NULL, NULL, NULL};
