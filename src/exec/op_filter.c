/* Rows for which a condition is true: an operator without order, every thread for itself. What was
 * found of a dictionary is shared. */
#include "exec/op_filter.h"

#define BITS_BYTES (BATCH_MAX_ROWS / 8 + 64)

typedef struct op_filter {
    op base;
    mem *m;
    const predicate *p;
    const uint32_t *places;
    size_t held;
    predicate_cache *cache;
} op_filter;

/* Of the rows alive those whose bit is set. */
static uint32_t choose(const batch *b, const uint8_t *bits, uint16_t *sel)
{
    uint32_t n = 0;

    if (b->sel) {
        for (uint32_t i = 0; i < b->n_sel; i++) {
            sel[n] = b->sel[i];
            n += bit_get(bits, b->sel[i]);
        }
        return n;
    }
    for (uint32_t at = 0; at < b->rows; at += 64) {
        uint64_t word = load_u64(bits + at / 8);
        if (b->rows - at < 64)
            word &= ((uint64_t)1 << (b->rows - at)) - 1;
        for (; word; word &= word - 1)
            sel[n++] = (uint16_t)(at + (uint32_t)__builtin_ctzll(word));
    }
    return n;
}

static nrw_status filter_push(op *base, batch *b, nrw_error *err)
{
    op_filter *o = (op_filter *)base;
    uint32_t alive, n;
    uint8_t *bits;
    uint16_t *sel;
    nrw_status st;

    if (b->rows == 0)
        return op_pass(base, b, err);
    TRY(mem_zalloc(b->m, BITS_BYTES, (void **)&bits, err));
    TRY_OUT(predicate_test(o->p, o->cache, b, o->places, o->held, bits, err));
    alive = batch_alive(b); /* after the test, which may cut the batch short */
    TRY_OUT(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *sel, (void **)&sel, err));
    n = choose(b, bits, sel);
    if (n < alive)
        batch_select(b, sel, n);
    else
        mem_free(b->m, sel, BATCH_MAX_ROWS * sizeof *sel);
    if (batch_counts(b))
        op_count(base, alive, alive - n);
    st = NRW_OK;
out:
    mem_free(b->m, bits, BITS_BYTES);
    return st < 0 ? st : op_pass(base, b, err);
}

static void filter_close(op *base)
{
    op_filter *o = (op_filter *)base;

    predicate_cache_free(o->cache);
    mem_free(o->m, o, sizeof *o);
}

static const op_class filter_class = {
    .name = "filter", .push = filter_push, .close = filter_close, .pure = true};

size_t op_filter_scratch(const predicate *p)
{
    return predicate_scratch(p) + BITS_BYTES + BATCH_MAX_ROWS * sizeof(uint16_t);
}

nrw_status op_filter_new(mem *m, const predicate *p, const uint32_t *places, size_t held,
                         size_t remember, op **out, nrw_error *err)
{
    op_filter *o;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *o, (void **)&o, err));
    o->base.class = &filter_class;
    o->m = m;
    o->p = p;
    o->places = places;
    o->held = held;
    st = predicate_cache_new(m, p, remember, &o->cache, err);
    if (st < 0)
        mem_free(m, o, sizeof *o);
    else
        *out = &o->base;
    return st;
}
