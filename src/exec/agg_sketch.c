/* approx_count_distinct(x): the hashes themselves while they are few, in order; else HyperLogLog
 * (Flajolet et al. 2007) of 4096 registers, a standard error of 1.6 %. Either is a function of the
 * set of the values alone. */
#include "base/hash.h"
#include "base/piece.h"
#include "column/key.h"
#include "exec/aggregate_own.h"

#include <math.h>

#define FEW       256u
#define BITS      12u
#define REGISTERS (1u << BITS)
#define RANK_BITS 6u
#define RANKS     ((size_t)REGISTERS * RANK_BITS / 8) /* bytes of all registers */
#define AS_SKETCH UINT64_MAX                          /* in n */

typedef struct sketch {
    uint16_t place;  /* base/piece.h's */
    uint64_t data[]; /* hashes, rising; or registers */
} sketch;

#define SKETCH (sizeof(sketch) + RANKS + 1)

typedef struct sketch_state {
    sketch *at; /* NULL: nothing came */
    uint64_t n; /* hashes, or AS_SKETCH */
} sketch_state;

static sketch_state *sketch_of(uint8_t *state)
{
    return (sketch_state *)(void *)state;
}

static nrw_status sketch_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    TRY(agg_any(a, &args[0], err));
    if (type_is_nested(&args[0]->type))
        return agg_refuse(out, "of nested values is not supported", NULL, err);
    out->result = type_of(TYPE_INT64);
    out->state_bytes = sizeof(sketch_state);
    return NRW_OK;
}

static size_t few_bytes(uint64_t n)
{
    return sizeof(sketch) + n * sizeof(uint64_t);
}

/* What data takes. */
static size_t data_bytes(const sketch_state *s)
{
    return s->n == AS_SKETCH ? RANKS : s->n * sizeof(uint64_t);
}

/* A byte of slack lies behind them. */
static uint8_t *registers_of(const sketch_state *s)
{
    return (uint8_t *)s->at->data;
}

static uint32_t rank_at(const uint8_t *registers, uint32_t i)
{
    const uint8_t *p = registers + i * RANK_BITS / 8;

    return (uint32_t)(p[0] | p[1] << 8) >> i * RANK_BITS % 8 & ((1u << RANK_BITS) - 1);
}

static void raise_rank(uint8_t *registers, uint32_t i, uint32_t rank)
{
    uint8_t *p = registers + i * RANK_BITS / 8;
    uint32_t have = rank_at(registers, i), change;

    if (rank <= have)
        return;
    change = (have ^ rank) << i * RANK_BITS % 8;
    p[0] ^= (uint8_t)change;
    p[1] ^= (uint8_t)(change >> 8);
}

static void put_register(uint8_t *registers, uint64_t hash)
{
    uint32_t rank = (uint32_t)__builtin_clzll(hash << BITS | 1u << (BITS - 1)) + 1;

    raise_rank(registers, (uint32_t)(hash >> (64 - BITS)), rank);
}

/* What is there as a sketch. */
static nrw_status widen(sketch_state *s, mem *m, nrw_error *err)
{
    uint64_t few[FEW], n = s->n;
    void *p = s->at;

    if (n)
        memcpy(few, s->at->data, n * sizeof *few);
    TRY(piece_resize(m, &p, few_bytes(n), SKETCH, err));
    s->at = p;
    memset(s->at->data, 0, RANKS + 1);
    s->n = AS_SKETCH;
    for (uint64_t i = 0; i < n; i++)
        put_register(registers_of(s), few[i]);
    return NRW_OK;
}

/* One hash more, before the one at `i`. */
static nrw_status insert(sketch_state *s, uint64_t i, uint64_t hash, mem *m, nrw_error *err)
{
    void *p = s->at;

    TRY(piece_resize(m, &p, few_bytes(s->n), few_bytes(s->n + 1), err));
    s->at = p;
    memmove(s->at->data + i + 1, s->at->data + i, (s->n - i) * sizeof hash);
    s->at->data[i] = hash;
    s->n++;
    return NRW_OK;
}

static nrw_status put_hash(sketch_state *s, uint64_t hash, mem *m, nrw_error *err)
{
    uint64_t from = 0, to = s->n;

    if (s->n != AS_SKETCH) {
        while (from < to) {
            uint64_t middle = (from + to) / 2;
            if (s->at->data[middle] < hash)
                from = middle + 1;
            else
                to = middle;
        }
        if (from < s->n && s->at->data[from] == hash)
            return NRW_OK;
        if (s->n == FEW)
            TRY(widen(s, m, err));
    }
    if (s->n != AS_SKETCH)
        return insert(s, from, hash, m, err);
    put_register(registers_of(s), hash);
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
            st = put_hash(sketch_of(agg_state(r, i)), hash_bytes(key.data, key.len), r->m, err);
    }
    vector_release(&v);
    bytes_release(&key);
    return st;
}

static nrw_status sketch_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                               nrw_error *err)
{
    sketch_state *s = sketch_of(into), *x = sketch_of(from);

    (void)g;
    if (s->n == 0 && !s->at) {
        *s = *x;
        *x = (sketch_state){0};
        return NRW_OK;
    }
    for (uint64_t i = 0; x->n != AS_SKETCH && i < x->n; i++)
        TRY(put_hash(s, x->at->data[i], m, err));
    if (x->n != AS_SKETCH)
        return NRW_OK;
    if (s->n != AS_SKETCH)
        TRY(widen(s, m, err));
    for (uint32_t i = 0; i < REGISTERS; i++)
        raise_rank(registers_of(s), i, rank_at(registers_of(x), i));
    return NRW_OK;
}

static void sketch_drop(const aggregate *g, uint8_t *state, mem *m)
{
    (void)g;
    (void)m;
    piece_free(sketch_of(state)->at);
}

static nrw_status sketch_save(const aggregate *g, uint8_t *state, size_t most, bytes *out,
                              bool *more, nrw_error *err)
{
    const sketch_state *s = sketch_of(state);

    (void)g;
    (void)most;
    *more = false;
    TRY(bytes_append(out, &s->n, sizeof s->n, err));
    return s->at ? bytes_append(out, s->at->data, data_bytes(s), err) : NRW_OK;
}

static nrw_status sketch_load(const aggregate *g, span saved, uint8_t *state, mem *m,
                              nrw_error *err)
{
    sketch_state x = {.n = saved.len < sizeof x.n ? 0 : load_u64(saved.data)};

    (void)g;
    if (saved.len < sizeof x.n || (x.n != AS_SKETCH && x.n > FEW) ||
        data_bytes(&x) != saved.len - sizeof x.n)
        return err_set(err, NRW_E_IO, "a state in the spill file is cut short");
    if (x.n == 0)
        return NRW_OK;
    TRY(piece_new(m, x.n == AS_SKETCH ? SKETCH : few_bytes(x.n), (void **)&x.at, err));
    registers_of(&x)[data_bytes(&x) - (x.n == AS_SKETCH ? 0 : 1)] = 0;
    memcpy(x.at->data, saved.data + sizeof x.n, data_bytes(&x));
    *sketch_of(state) = x;
    return NRW_OK;
}

static int64_t estimate(const sketch_state *s)
{
    const double m = REGISTERS;
    double sum = 0, value;
    uint32_t zeros = 0;

    if (s->n != AS_SKETCH)
        return (int64_t)s->n;
    for (uint32_t i = 0; i < REGISTERS; i++) {
        sum += ldexp(1, -(int)rank_at(registers_of(s), i));
        zeros += rank_at(registers_of(s), i) == 0;
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
        ((int64_t *)(void *)out->data)[i] = estimate(sketch_of(states[i]));
    return NRW_OK;
}

static const aggregate_class classes[] = {
    {" approx_count_distinct ", 1, 1, AGG_COPIES, sketch_bind, sketch_add, sketch_merge,
     sketch_finish, sketch_drop, sketch_save, sketch_load},
};

const aggregate_table agg_sketch_table = {classes, sizeof classes / sizeof *classes};
