/* Keys as they come beside rows that may be theirs: column by column, so that no row is made of a
 * key that is there already. */
#include "exec/rows.h"

#define MATCH(ctype)                                                                               \
    do {                                                                                           \
        const ctype *v = (const ctype *)(const void *)flat->data;                                  \
        for (uint32_t i = 0; i < n; i++) {                                                         \
            ctype have;                                                                            \
            if (!rows[i])                                                                          \
                continue;                                                                          \
            memcpy(&have, rows[i] + at, sizeof have);                                              \
            if (!(v[i] == have))                                                                   \
                rows[i] = NULL;                                                                    \
        }                                                                                          \
    } while (0)

/* Most texts of keys are short. */
static inline bool same_bytes(const uint8_t *p, const uint8_t *q, uint32_t n)
{
    if (n > 16)
        return memcmp(p, q, n) == 0;
    if (n >= 8)
        return load_u64(p) == load_u64(q) && load_u64(p + n - 8) == load_u64(q + n - 8);
    if (n >= 4)
        return load_u32(p) == load_u32(q) && load_u32(p + n - 4) == load_u32(q + n - 4);
    for (; n; n--)
        if (p[n - 1] != q[n - 1])
            return false;
    return true;
}

static void match_text(const row_layout *l, const vector *flat, uint32_t c, uint32_t n,
                       uint8_t **rows)
{
    for (uint32_t i = 0; i < n; i++) {
        span want, have;
        if (!rows[i] || !vector_is_valid(flat, i))
            continue;
        want = view_span(flat, i);
        have = row_value(l, rows[i], c);
        if (want.len != have.len || !same_bytes(want.data, have.data, (uint32_t)want.len))
            rows[i] = NULL;
    }
}

static void match_bytes(const row_layout *l, const vector *flat, uint32_t c, uint32_t n,
                        uint8_t **rows)
{
    const uint32_t at = l->at[c], width = l->types[c].width;

    for (uint32_t i = 0; width && i < n; i++)
        if (rows[i] && vector_is_valid(flat, i) &&
            memcmp(flat->data + (size_t)i * width, rows[i] + at, width) != 0)
            rows[i] = NULL;
}

/* Nulls are alike, whatever lies in their place. */
static void match_nulls(const row_layout *l, const vector *flat, uint32_t c, uint32_t n,
                        uint8_t **rows)
{
    for (uint32_t i = 0; i < n; i++)
        if (rows[i] && row_has(l, rows[i], c) != vector_is_valid(flat, i))
            rows[i] = NULL;
}

static void match_column(const row_layout *l, const vector *flat, uint32_t c, uint32_t n,
                         uint8_t **rows)
{
    const uint32_t at = l->at[c], width = l->types[c].width;

    match_nulls(l, flat, c, n, rows);
    if (type_is_view(&l->types[c]))
        match_text(l, flat, c, n, rows);
    else if (width == 4 && !flat->validity)
        MATCH(uint32_t);
    else if (width == 8 && !flat->validity)
        MATCH(uint64_t);
    else
        match_bytes(l, flat, c, n, rows);
}

nrw_status rows_match(const row_layout *l, const vector *const *cols, uint32_t n, mem *m,
                      uint8_t **rows, nrw_error *err)
{
    for (uint32_t c = 0; c < l->n; c++) {
        vector flat;
        TRY(row_kept(cols[c], m, &flat, err));
        match_column(l, &flat, c, n, rows);
        vector_release(&flat);
    }
    return NRW_OK;
}
