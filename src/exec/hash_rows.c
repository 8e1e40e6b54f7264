#include "exec/hash_rows.h"

#include "base/hash.h"
#include "column/compare.h"

#include <math.h>

static uint64_t hash_flat(const vector *v, uint32_t i)
{
    uint64_t x = 0;
    span s;

    if (!vector_is_valid(v, i))
        return HASH_OF_NULL;
    if (type_is_view(&v->type)) {
        s = view_span(v, i);
        return hash_bytes(s.data, s.len);
    }
    if (v->type.width > 8)
        return hash_bytes(v->data + (size_t)i * v->type.width, v->type.width);
    memcpy(&x, v->data + (size_t)i * v->type.width, v->type.width);
    return hash_u64(x);
}

bool hash_tells(const type *types, uint32_t n)
{
    return n == 1 && !type_is_view(&types[0]) && !type_is_nested(&types[0]) &&
           types[0].width <= sizeof(uint64_t);
}

nrw_status hash_row_layout(arena *a, row_layout *l, const uint32_t *columns, uint32_t n,
                           nrw_error *err)
{
    uint32_t *hashed;

    l->hash_tells = !columns && hash_tells(l->nested ? l->nested : l->types, n);
    TRY(arena_alloc(a, n * sizeof *hashed + 1, (void **)&hashed, err));
    for (uint32_t k = 0; k < n; k++) {
        hashed[k] = columns ? columns[k] : k;
        if (type_is_view(&l->types[hashed[k]])) /* nested values are kept as such */
            return NRW_OK;
    }
    l->hashed = hashed;
    l->n_hashed = n;
    return NRW_OK;
}

static uint64_t hash_value(const row_layout *l, const uint8_t *row, uint32_t c)
{
    const uint32_t width = l->types[c].width;
    uint64_t x = 0;

    if (!row_has(l, row, c))
        return HASH_OF_NULL;
    if (width > 8)
        return hash_bytes(row + l->at[c], width);
    memcpy(&x, row + l->at[c], width);
    return hash_u64(x);
}

uint64_t hash_row(const row_layout *l, const uint8_t *row)
{
    uint64_t hash = hash_value(l, row, l->hashed[0]);

    for (uint32_t k = 1; k < l->n_hashed; k++)
        hash = hash_combine(hash, hash_value(l, row, l->hashed[k]));
    return hash;
}

static inline void put(uint64_t *hashes, uint32_t i, bool more, uint64_t h)
{
    hashes[i] = more ? hash_combine(hashes[i], h) : h;
}

static void hash_words(const vector *v, uint32_t rows, bool more, uint64_t *hashes)
{
    const uint64_t *x = (const uint64_t *)(const void *)v->data;
    const uint32_t *y = (const uint32_t *)(const void *)v->data;

    if (v->type.width == 8)
        for (uint32_t i = 0; i < rows; i++)
            put(hashes, i, more, vector_is_valid(v, i) ? hash_u64(x[i]) : HASH_OF_NULL);
    else
        for (uint32_t i = 0; i < rows; i++)
            put(hashes, i, more, vector_is_valid(v, i) ? hash_u64(y[i]) : HASH_OF_NULL);
}

#define ENTRIES 512u /* of a small dictionary */

/* Each entry once, where they are fewer than the rows. */
static void hash_dict(const vector *v, uint32_t rows, bool more, uint64_t *hashes)
{
    const uint32_t *index = (const uint32_t *)(const void *)v->data;
    const vector *values = &v->dict->values;
    uint64_t of[ENTRIES];
    bool small = values->len <= ENTRIES && values->len <= rows;

    for (uint32_t k = 0; small && k < values->len; k++)
        of[k] = hash_flat(values, k);
    for (uint32_t i = 0; i < rows; i++)
        put(hashes, i, more,
            !vector_is_valid(v, i) ? HASH_OF_NULL
            : small                ? of[index[i]]
                                   : hash_flat(values, index[i]));
}

void hash_vector(const vector *v, uint32_t rows, bool more, uint64_t *hashes)
{
    const uint32_t *index = (const uint32_t *)(const void *)v->data;

    if (v->form == VECTOR_RUNS) {
        for (uint32_t run = 0, i = 0; run < v->n_runs; run++) {
            uint64_t h;
            hash_vector(
                &(vector){.type = v->type,
                          .form = v->values->form,
                          .len = 1,
                          .data =
                              v->values->data +
                              (size_t)run * (v->values->form == VECTOR_FLAT ? v->type.width : 4),
                          .validity = vector_is_valid(v->values, run) ? NULL : (uint8_t[8]){0},
                          .heaps = v->values->heaps,
                          .dict = v->values->dict},
                1, false, &h);
            for (; i < index[run]; i++)
                put(hashes, i, more, h);
        }
    } else if (v->form == VECTOR_DICT) {
        hash_dict(v, rows, more, hashes);
    } else if (!type_is_view(&v->type) && (v->type.width == 8 || v->type.width == 4)) {
        hash_words(v, rows, more, hashes);
    } else {
        for (uint32_t i = 0; i < rows; i++)
            put(hashes, i, more, hash_flat(v, i));
    }
}

/* ---- one spelling a value ---- */

static void canonical_floats(vector *v)
{
    double *d = (double *)(void *)v->data;
    float *f = (float *)(void *)v->data;
    uint16_t *h = (uint16_t *)(void *)v->data;

    if (v->type.id == TYPE_FLOAT64)
        for (uint32_t i = 0; i < v->len; i++)
            d[i] = isnan(d[i]) ? (double)NAN : d[i] == 0 ? 0.0 : d[i];
    else if (v->type.id == TYPE_FLOAT32)
        for (uint32_t i = 0; i < v->len; i++)
            f[i] = isnan(f[i]) ? NAN : f[i] == 0 ? 0.0f : f[i];
    else
        for (uint32_t i = 0; i < v->len; i++)
            h[i] = (h[i] & 0x7fff) > 0x7c00 ? 0x7e00 : (h[i] & 0x7fff) == 0 ? 0 : h[i];
}

bool key_is_canonical(const type *t)
{
    return t->id != TYPE_FLOAT64 && t->id != TYPE_FLOAT32 && t->id != TYPE_FLOAT16;
}

nrw_status key_canonical(const vector *v, mem *m, vector *out, nrw_error *err)
{
    vector flat;
    nrw_status st;

    if (key_is_canonical(&v->type))
        return vector_share(v, out, err);
    TRY(vector_flatten(v, m, &flat, err));
    st = vector_slice(&flat, 0, flat.len, m, out, err); /* a copy: nothing shared is written */
    vector_release(&flat);
    if (st >= 0)
        canonical_floats(out);
    return st;
}
