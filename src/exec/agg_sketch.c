/* approx_count_distinct(x): the hashes themselves while they are few, in order; else HyperLogLog
 * (Flajolet et al. 2007) of 4096 registers, a standard error of 1.6 %. Either is a function of the
 * set of the values alone. */
#include "base/hash.h"
#include "column/key.h"
#include "exec/agg_gather.h"

#include <math.h>

#define FEW       256u
#define BITS      12u
#define REGISTERS (1u << BITS)
#define AS_SKETCH UINT64_MAX /* in n */

static nrw_status sketch_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    TRY(agg_any(a, &args[0], err));
    if (type_is_nested(&args[0]->type))
        return agg_refuse(out, "of nested values is not supported", NULL, err);
    out->result = type_of(TYPE_INT64);
    out->state_bytes = sizeof(gather_state);
    return NRW_OK;
}

static uint64_t hash_at(const gather_state *s, uint64_t i)
{
    return load_u64(s->data.data + i * 8);
}

static void put_register(uint8_t *registers, uint64_t hash)
{
    uint8_t *r = registers + (hash >> (64 - BITS));
    uint8_t rank = (uint8_t)(__builtin_clzll(hash << BITS | 1u << (BITS - 1)) + 1);

    if (rank > *r)
        *r = rank;
}

/* What is there as a sketch. */
static nrw_status widen(gather_state *s, nrw_error *err)
{
    uint64_t few[FEW], n = s->n;

    memcpy(few, s->data.data, n * 8);
    TRY(bytes_reserve(&s->data, REGISTERS - s->data.len, err));
    memset(s->data.data, 0, REGISTERS);
    s->data.len = REGISTERS;
    s->n = AS_SKETCH;
    for (uint64_t i = 0; i < n; i++)
        put_register(s->data.data, few[i]);
    return NRW_OK;
}

static nrw_status put_hash(gather_state *s, uint64_t hash, mem *m, nrw_error *err)
{
    uint64_t from = 0, to = s->n;

    if (s->n != AS_SKETCH) {
        while (from < to) {
            uint64_t middle = (from + to) / 2;
            if (hash_at(s, middle) < hash)
                from = middle + 1;
            else
                to = middle;
        }
        if (from < s->n && hash_at(s, from) == hash)
            return NRW_OK;
        if (s->n == FEW)
            TRY(widen(s, err));
    }
    if (s->n == AS_SKETCH) {
        put_register(s->data.data, hash);
        return NRW_OK;
    }
    TRY(gather_put_bare(s, (span){(const uint8_t *)&hash, 8}, m, err));
    memmove(s->data.data + (from + 1) * 8, s->data.data + from * 8, (s->n - 1 - from) * 8);
    store_u64(s->data.data + from * 8, hash);
    return NRW_OK;
}

static nrw_status sketch_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    bytes key = bytes_init(r->m, UINT32_MAX);
    vector v;
    nrw_status st = NRW_OK;

    (void)g;
    TRY(vector_expand(r->args[0], r->scratch, &v, err));
    for (uint32_t i = 0; st >= 0 && i < r->n; i++) {
        if (!vector_is_valid(&v, i))
            continue;
        key.len = 0;
        st = key_append(&key, &v, i, err);
        if (st >= 0)
            st = put_hash(gather_of(agg_state(r, i)), hash_bytes(key.data, key.len), r->m, err);
    }
    vector_release(&v);
    bytes_release(&key);
    return st;
}

static nrw_status sketch_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                               nrw_error *err)
{
    gather_state *s = gather_of(into), *x = gather_of(from);

    if (s->n == 0)
        return gather_merge(g, into, from, m, err);
    for (uint64_t i = 0; x->n != AS_SKETCH && i < x->n; i++)
        TRY(put_hash(s, hash_at(x, i), m, err));
    if (x->n != AS_SKETCH)
        return NRW_OK;
    if (s->n != AS_SKETCH)
        TRY(widen(s, err));
    for (uint32_t i = 0; i < REGISTERS; i++)
        if (x->data.data[i] > s->data.data[i])
            s->data.data[i] = x->data.data[i];
    return NRW_OK;
}

static int64_t estimate(const gather_state *s)
{
    const double m = REGISTERS;
    double sum = 0, value;
    uint32_t zeros = 0;

    if (s->n != AS_SKETCH)
        return (int64_t)s->n;
    for (uint32_t i = 0; i < REGISTERS; i++) {
        sum += ldexp(1, -s->data.data[i]);
        zeros += s->data.data[i] == 0;
    }
    value = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (value <= 2.5 * m && zeros)
        value = m * log(m / zeros);
    return llround(value);
}

static nrw_status sketch_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                                nrw_error *err)
{
    (void)g;
    (void)err;
    for (uint32_t i = 0; i < n; i++)
        ((int64_t *)(void *)out->data)[i] = estimate(gather_of(states[i]));
    return NRW_OK;
}

static const aggregate_class classes[] = {
    {" approx_count_distinct ", 1, 1, 0, sketch_bind, sketch_add, sketch_merge, sketch_finish,
     gather_drop, gather_save, gather_load},
};

const aggregate_table agg_sketch_table = {classes, sizeof classes / sizeof *classes};
