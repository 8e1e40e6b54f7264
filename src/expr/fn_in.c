/* x IN (constants): where they are many, a hash table of them. */
#include "expr/fn_in.h"

#include "base/hash.h"

#include <math.h>

typedef struct in_set {
    uint32_t mask;    /* slots - 1, a power of two, at least twice the values */
    uint32_t *slots;  /* 1 + number of the value; 0: free */
    uint64_t *hashes; /* of each value */
    span *values;
    uint32_t n;
    bool null; /* is among the constants: what is not found may be there */
} in_set;

/* Types whose equal values have equal bytes, floats but for zeros and NaNs. */
static bool takes(const type *t)
{
    switch (t->id) {
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_UTF8:
    case TYPE_BINARY:
    case TYPE_DECIMAL:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64: return true;
    case TYPE_TIME: return !t->utc;
    default: return type_is_integer(t);
    }
}

/* The bytes of a value, made the same for equal ones; `own` may hold them. */
static span bytes_of(const type *t, span s, double *own)
{
    float f;

    if (t->id == TYPE_FLOAT32) {
        memcpy(&f, s.data, sizeof f);
        *own = isnan(f) ? (double)NAN : (double)f + 0.0;
    } else if (t->id == TYPE_FLOAT64) {
        memcpy(own, s.data, sizeof *own);
        *own = isnan(*own) ? (double)NAN : *own + 0.0; /* -0.0 is 0.0 */
    } else {
        return s;
    }
    return (span){(const uint8_t *)own, sizeof *own};
}

static bool find(const in_set *in, span s, uint64_t hash, uint32_t *slot)
{
    for (*slot = (uint32_t)hash & in->mask; in->slots[*slot]; *slot = (*slot + 1) & in->mask) {
        uint32_t k = in->slots[*slot] - 1;
        if (in->hashes[k] == hash && span_equal(in->values[k], s))
            return true;
    }
    return false;
}

static nrw_status add(arena *a, in_set *in, const expr *e, nrw_error *err)
{
    double own;
    span s = bytes_of(&e->type, flat_span(e->constant, 0), &own);
    uint64_t hash = hash_bytes(s.data, s.len);
    uint32_t slot;
    uint8_t *kept;

    if (find(in, s, hash, &slot))
        return NRW_OK;
    TRY(arena_alloc(a, s.len + 1, (void **)&kept, err));
    if (s.len)
        memcpy(kept, s.data, s.len);
    in->values[in->n] = (span){kept, s.len};
    in->hashes[in->n] = hash;
    in->slots[slot] = ++in->n;
    return NRW_OK;
}

nrw_status in_set_bind(binding *b, const type *t, bool *is, nrw_error *err)
{
    in_set *in;
    uint32_t slots = 16;

    *is = b->n > IN_SET_LEAST && takes(t);
    for (uint32_t i = 1; *is && i < b->n; i++)
        *is = expr_is_constant(b->args[i]);
    if (!*is)
        return NRW_OK;
    while (slots < 2 * b->n)
        slots *= 2;
    TRY(arena_alloc(b->a, sizeof *in, (void **)&in, err));
    TRY(arena_alloc(b->a, slots * sizeof *in->slots, (void **)&in->slots, err));
    TRY(arena_alloc(b->a, b->n * sizeof *in->hashes, (void **)&in->hashes, err));
    TRY(arena_alloc(b->a, b->n * sizeof *in->values, (void **)&in->values, err));
    in->mask = slots - 1;
    for (uint32_t i = 1; i < b->n; i++) {
        TRY(expr_cast(b->a, b->args[i], t, false, &b->written[i], err));
        if (!expr_is_constant(b->written[i]) || b->written[i]->constant->null_count)
            in->null = true;
        else
            TRY(add(b->a, in, b->written[i], err));
    }
    b->n = 1;
    b->want[0] = *t;
    b->eval = in_set_eval;
    b->data = in;
    return NRW_OK;
}

nrw_status in_set_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const in_set *in = e->data;
    const vector *v = args->at[0];

    for (uint32_t i = 0; i < args->rows; i++) {
        double own;
        uint32_t slot;
        if (!row_valid(out, i))
            continue;
        span s = bytes_of(&v->type, flat_span(v, ROW(args, 0, i)), &own);
        out->data[i] = find(in, s, hash_bytes(s.data, s.len), &slot);
        if (!out->data[i] && in->null)
            TRY(row_null(out, i, err));
    }
    return NRW_OK;
}
