/* An ordered operator that counts: which rows stay depends on how many came before. */
#include "exec/op_limit.h"

#include "base/turn.h"

typedef struct op_limit {
    op base;
    mem *m;
    turn turn;
    uint64_t skip, take; /* still to go; under the turn */
    _Atomic uint32_t reached;
} op_limit;

/* Keeps of the alive rows those from `first` on, n of them. */
static nrw_status keep(batch *b, uint32_t first, uint32_t n, nrw_error *err)
{
    uint16_t *sel;

    TRY(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *sel, (void **)&sel, err));
    for (uint32_t i = 0; i < n; i++)
        sel[i] = b->sel ? b->sel[first + i] : (uint16_t)(first + i);
    batch_select(b, sel, n);
    return NRW_OK;
}

static nrw_status count(op_limit *o, batch *b, nrw_error *err)
{
    uint32_t alive = batch_alive(b);
    uint32_t skip = o->skip < alive ? (uint32_t)o->skip : alive;
    uint32_t n = o->take < alive - skip ? (uint32_t)o->take : alive - skip;

    if (n < alive)
        TRY(keep(b, skip, n, err));
    o->skip -= skip;
    o->take -= n;
    if (o->take == 0)
        atomic_store_explicit(&o->reached, 1, memory_order_relaxed);
    op_count(&o->base, alive, alive - n);
    return NRW_OK;
}

static nrw_status limit_push(op *base, batch *b, nrw_error *err)
{
    op_limit *o = (op_limit *)base;
    nrw_status st;

    TRY(turn_wait(&o->turn, b->morsel));
    st = count(o, b, err);
    if (b->last || st < 0)
        turn_done(&o->turn, b->morsel);
    return st < 0 ? st : op_pass(base, b, err);
}

static void limit_stop(op *base)
{
    turn_stop(&((op_limit *)base)->turn);
}

static void limit_close(op *base)
{
    op_limit *o = (op_limit *)base;

    mem_free(o->m, o, sizeof *o);
}

static const op_class limit_class = {"limit", limit_push, NULL, limit_stop, limit_close, true};

const _Atomic uint32_t *op_limit_reached(const op *o)
{
    return &((const op_limit *)o)->reached;
}

nrw_status op_limit_new(mem *m, uint64_t skip, uint64_t take, op **out, nrw_error *err)
{
    op_limit *o;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *o, (void **)&o, err));
    o->base.class = &limit_class;
    o->m = m;
    o->skip = skip;
    o->take = take;
    atomic_init(&o->reached, take == 0);
    turn_init(&o->turn);
    *out = &o->base;
    return NRW_OK;
}
