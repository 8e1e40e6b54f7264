#include "exec/first_own.h"

#include "exec/dense.h"

static nrw_status look(op_first *o, batch *b, picking *p, uint64_t *number, nrw_error *err)
{
    uint32_t before;

    TRY(first_state_begin(&o->state, b, err)); /* which may cut the batch short */
    b->fixed = true; /* not any more: keys of its rows are going to stay */
    *p = (picking){.from = b->sel, .n_from = b->n_sel, .taken = o->late.taken};
    before = batch_alive(b);
    TRY(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *p->out, (void **)&p->out, err));
    TRY(first_state_explain(&o->state, first_state_pick(&o->state, b, p, err), err));
    if (o->state.frozen)
        TRY(first_late_ask(&o->late, b, p, number, err));
    batch_select(b, p->out, p->n);
    p->out = NULL;
    op_count(&o->base, before, before - p->n);
    return NRW_OK;
}

static nrw_status pass_on(op_first *o, batch *b, const picking *p, bool waits, uint64_t number,
                          nrw_error *err)
{
    if (!waits || !b->rows)
        return op_pass(&o->base, b, err);
    TRY(first_late_take(&o->late, b, p->late, number, err));
    return dense_pass_none(&o->base, b, o->spec.n_columns, err);
}

static nrw_status first_push(op *base, batch *b, nrw_error *err)
{
    op_first *o = (op_first *)base;
    picking p = {0};
    uint64_t number = 0;
    nrw_status st;
    bool waits;

    TRY(turn_wait(&o->turn, b->morsel));
    st = b->rows ? look(o, b, &p, &number, err) : NRW_OK;
    waits = o->state.frozen;
    if (b->last || st < 0)
        turn_done(&o->turn, b->morsel);
    if (st >= 0)
        st = pass_on(o, b, &p, waits, number, err);
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

/* What rows that wait take. Whatever comes: counts of a batch's rows, the books of the parts, rows
 * and blocks at hand. Of a worker: a block of rows, the same packed, rows that leave. Of the blocks
 * of keys, at least, and where they are as large as pays. */
#define LATE_FIXED ((uint64_t)1 << 20)
#define LATE_EACH  ((uint64_t)320 << 10)
#define KEYS_MOST  ((uint64_t)2 << 20)

uint64_t first_late_keys(uint64_t late, uint32_t workers)
{
    const uint64_t beside = LATE_FIXED + workers * LATE_EACH;

    return room_at_most(late > beside ? late - beside : 0, KEYS_MOST);
}

uint64_t first_late_marks(uint64_t memory)
{
    return memory / 64;
}

uint64_t first_late_deciding(const first_spec *s)
{
    const uint64_t all = LATE_FIXED + FIRST_KEYS_LEAST;

    return room_at_most(all, s->late) + 3 * first_late_marks(s->memory);
}

uint64_t op_first_late(const room_rows *r, uint32_t workers)
{
    const uint64_t copies = 4; /* of a row, however large */

    return LATE_FIXED + FIRST_KEYS_LEAST +
           room_mul(LATE_EACH + room_mul(r->width, copies), workers);
}

uint64_t op_first_late_share(uint64_t grant, uint64_t state, uint64_t late_least)
{
    const uint64_t left = grant > state ? grant - state : 0;
    const uint64_t some = room_at_least(left, late_least + grant / 8);

    return room_at_most(room_at_most(some, late_least + KEYS_MOST - FIRST_KEYS_LEAST), grant);
}

/* How often keys are dealt out: until the state of a part fits, and of a group that alone does not
 * as often as it is larger. */
static uint64_t dealt(const room_rows *r, uint32_t first, uint64_t state)
{
    uint64_t all = op_first_memory(r->n, first, r->n, r->keys), times = 1;
    const uint64_t group = op_first_memory(1, first, room_at_most(r->n, first), r->keys);

    for (all /= FIRST_PARTS; all > state; all /= FIRST_PARTS)
        times++;
    return times + 2 * (group / (state + 1));
}

uint64_t op_first_spill(const room_rows *r, uint32_t first, uint64_t memory, uint64_t late,
                        uint32_t workers)
{
    /* of the head of a row as it waits, with the answer, and of one of keys, which has its place
     * when it is dealt again; what of a block stands beside its rows */
    const uint64_t mark = 2, place = 4, counted = 1, block = 256;
    const uint64_t key = room_add(r->packed_keys, counted), row = room_add(r->width, 32);
    const uint64_t at_once =
        first_late_keys(late, workers) / FIRST_PARTS / room_add(r->keys, 32) + 1;
    const uint64_t times = dealt(r, first, memory - late);
    /* marks of a part that do not fit as bits */
    const uint64_t marks = r->n / FIRST_PARTS / 8 < first_late_marks(memory) ? 0 : times + 1;
    uint64_t each = room_add(r->packed, mark + marks + block / (ROWS_BLOCK / 2 / row + 1));

    each = room_add(each, room_mul(times, room_add(key, block / at_once)));
    each = room_add(each, room_mul(times - 1, place));
    return room_mul(r->n, each);
}
