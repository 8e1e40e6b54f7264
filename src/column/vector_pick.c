#include "column/vector_part.h"

static nrw_status pick_nested(const vector *v, const uint32_t *at, uint32_t n, mem *m, vector *out,
                              nrw_error *err)
{
    uint16_t *sel;
    nrw_status st;

    TRY(mem_alloc(m, n * sizeof *sel + 1, (void **)&sel, err));
    for (uint32_t i = 0; i < n; i++)
        sel[i] = (uint16_t)at[i];
    st = part_take_nested(v, sel, n, m, out, err);
    mem_free(m, sel, n * sizeof *sel + 1);
    return st;
}

nrw_status vector_pick(const vector *v, const uint32_t *at, uint32_t n, mem *m, vector *out,
                       nrw_error *err)
{
    uint32_t nulls = 0;

    if (v->form == VECTOR_RUNS) {
        vector expanded;
        nrw_status st;
        TRY(vector_expand(v, m, &expanded, err));
        st = vector_pick(&expanded, at, n, m, out, err);
        vector_release(&expanded);
        return st;
    }
    if (type_is_nested(&v->type))
        return pick_nested(v, at, n, m, out, err);
    TRY(part_like(v, n, m, out, err));
    part_gather32(out->data, v->data, at, n, part_width(v));
    for (uint32_t i = 0; v->validity && i < n; i++) {
        bool there = bit_get(v->validity, at[i]);
        if (there)
            bit_set(out->validity, i);
        else
            bit_clear(out->validity, i);
        nulls += !there;
    }
    out->len = n;
    out->null_count = nulls;
    part_trim_validity(out);
    return NRW_OK;
}
