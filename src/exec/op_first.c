#include "exec/first_own.h"

#include "exec/dense.h"

static nrw_status look(op_first *o, batch *b, picking *p, nrw_error *err)
{
    uint32_t before;

    TRY(first_state_begin(&o->state, b, err));
    *p = (picking){.from = b->sel, .n_from = b->n_sel};
    before = batch_alive(b);
    TRY(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *p->out, (void **)&p->out, err));
    TRY(first_state_pick(&o->state, b, p, err));
    batch_select(b, p->out, p->n);
    p->out = NULL;
    op_count(&o->base, before, before - p->n);
    return NRW_OK;
}

static nrw_status pass_on(op_first *o, batch *b, const picking *p, bool late, nrw_error *err)
{
    if (!late || !b->rows)
        return op_pass(&o->base, b, err);
    TRY(first_late_take(&o->late, b, p->late, err));
    return dense_pass_none(&o->base, b, o->spec.n_columns, err);
}

static nrw_status first_push(op *base, batch *b, nrw_error *err)
{
    op_first *o = (op_first *)base;
    picking p = {0};
    nrw_status st;
    bool late;

    TRY(turn_wait(&o->turn, b->morsel));
    st = b->rows ? look(o, b, &p, err) : NRW_OK;
    late = o->state.frozen;
    if (b->last || st < 0)
        turn_done(&o->turn, b->morsel);
    st = st < 0 ? first_state_explain(&o->state, st, err) : pass_on(o, b, &p, late, err);
    mem_free(b->m, p.out, p.out ? BATCH_MAX_ROWS * sizeof *p.out : 0);
    mem_free(b->m, p.late, p.late ? FIRST_LATE_BYTES : 0);
    return st;
}

static void first_stop(op *base)
{
    turn_stop(&((op_first *)base)->turn);
}

static void first_close(op *base)
{
    op_first *o = (op_first *)base;

    first_late_close(&o->late);
    first_state_close(&o->state);
    mem_free(o->m, o, sizeof *o);
}

static const op_class first_class = {"first", first_push, NULL, first_stop, first_close};

nrw_status op_first_new(arena *a, mem *m, const first_spec *spec, spill *s, op **out,
                        nrw_error *err)
{
    op_first *o;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *o, (void **)&o, err));
    o->base.class = &first_class;
    o->base.cancel = spec->cancel;
    o->m = m;
    o->spec = *spec;
    o->state.spec = &o->spec;
    o->state.freezes = spec->late > 0;
    turn_init(&o->turn);
    TRY_OUT(mem_child(m, "first", spec->memory - spec->late, &o->state.m, err));
    TRY_OUT(first_state_open(&o->state, spec->remember, err));
    TRY_OUT(first_late_open(a, o, s, err));
    *out = &o->base;
    return NRW_OK;
out:
    first_close(&o->base);
    return st;
}

uint64_t op_first_memory(uint64_t groups, uint32_t first, uint64_t ids, uint64_t key_bytes)
{
    uint64_t pairs, keys, sum;

    if (__builtin_mul_overflow(groups, (uint64_t)first, &pairs))
        return UINT64_MAX;
    /* growing by doubling holds the old and the new table for a moment: three halves of twice */
    if (ids > pairs)
        ids = pairs;
    if (__builtin_add_overflow(groups, ids, &keys) ||
        __builtin_mul_overflow(keys, key_bytes + sizeof(uint64_t) * 12, &sum) ||
        __builtin_mul_overflow(pairs, (uint64_t)64, &pairs) ||
        __builtin_add_overflow(sum, pairs, &sum) || __builtin_add_overflow(sum, groups * 24, &sum))
        return UINT64_MAX;
    return sum;
}

/* Two sorts have seven parts of sixteen each, the state of a group what is left. */
enum { PARTS = 16, SORT_PARTS = 7 };

uint64_t first_late_sort(uint64_t late)
{
    return late / PARTS * SORT_PARTS;
}

/* Rows as they wait, and a mark for each. */
static room_rows placed(const room_rows *r)
{
    const uint64_t place = 8, key = 9;

    return (room_rows){.n = r->n,
                       .width = room_add(r->width, place),
                       .keys = key,
                       .packed = room_add(r->packed, place),
                       .packed_keys = key};
}

static room_rows grouped(const room_rows *r)
{
    const uint64_t place = 8, key = 9;

    return (room_rows){.n = r->n,
                       .width = room_add(r->keys, place),
                       .keys = room_add(r->keys, key),
                       .packed = room_add(r->packed_keys, place),
                       .packed_keys = room_add(r->packed_keys, key)};
}

uint64_t op_first_late(const room_rows *r, uint32_t workers)
{
    const room_rows p = placed(r), g = grouped(r);
    const uint64_t least = room_at_least(room_of_sort(&p, UINT64_MAX, workers).least,
                                         room_of_sort(&g, UINT64_MAX, workers).least);

    return room_mul(least / SORT_PARTS + 1, PARTS);
}

uint64_t op_first_spill(const room_rows *r, uint64_t late, uint32_t workers)
{
    const uint64_t memory = first_late_sort(late);
    const room_rows g = grouped(r);
    room_rows p = placed(r);
    uint64_t marks = room_sort_spill(
        &(room_rows){.n = r->n, .width = 8, .keys = 9, .packed = 8, .packed_keys = 9}, memory,
        workers);

    return room_add(room_sort_spill(&p, memory, workers),
                    room_add(room_sort_spill(&g, memory, workers), marks));
}

uint64_t op_first_late_share(uint64_t grant, uint64_t state, uint64_t late_least)
{
    uint64_t late = grant > state ? grant - state : 0;

    return room_at_most(room_at_least(room_at_most(late, grant / 2), late_least), grant);
}
