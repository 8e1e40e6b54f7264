#include "column/vector_part.h"

/* ---- runs ---- */

/* Would n_runs runs over `values` take more room than n rows in the form of the values? */
static bool runs_pay(const vector *values, uint32_t n_runs, uint32_t n)
{
    size_t width = part_width(values);
    return (size_t)n_runs * (sizeof(uint32_t) + width) < (size_t)n * width ||
           (width == 0 && n_runs < n);
}

nrw_status vector_expand(const vector *v, mem *m, vector *out, nrw_error *err)
{
    if (v->form != VECTOR_RUNS)
        return vector_share(v, out, err);
    const vector *values = v->values;
    const uint32_t *ends = (const uint32_t *)v->data;
    TRY(part_like(values, v->len, m, out, err));
    uint32_t width = part_width(values), start = 0;
    for (uint32_t i = 0; i < v->n_runs; start = ends[i++]) {
        uint32_t n = ends[i] - start;
        part_fill(out->data + (size_t)start * width, values->data + (size_t)i * width, n, width);
        if (out->validity)
            part_set_bits(out->validity, start, n, bit_get(values->validity, i));
    }
    out->len = v->len;
    out->null_count = v->null_count;
    part_trim_validity(out);
    return NRW_OK;
}

/* A runs vector while it is being made: which run of the source each of its runs comes from. */
typedef struct run_list {
    uint32_t n;
    uint16_t *from; /* of the source */
    uint32_t *ends;
} run_list;

/* Rows [start, end) of the result, of run `run`; a run equal to its neighbour joins it. */
static void run_list_add(run_list *l, const vector *values, uint32_t run, uint32_t end)
{
    if (l->n == 0 || !part_same(values, l->from[l->n - 1], values, run))
        l->from[l->n++] = (uint16_t)run;
    l->ends[l->n - 1] = end;
}

/* First i in [from, n) with sel[i] >= limit: doubling steps, then halving. */
static uint32_t sel_bound(const uint16_t *sel, uint32_t from, uint32_t n, uint32_t limit)
{
    uint32_t step = 1, lo = from;
    if (from == n || sel[from] >= limit)
        return from;
    while (lo + step < n && sel[lo + step] < limit) {
        lo += step;
        step *= 2;
    }
    uint32_t hi = lo + step < n ? lo + step : n; /* sel[lo] < limit, sel[hi] >= limit or hi == n */
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (sel[mid] < limit)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

static void select_runs(const vector *v, const uint16_t *sel, uint32_t n, run_list *l)
{
    const uint32_t *ends = (const uint32_t *)v->data;
    uint32_t run = 0;
    for (uint32_t i = 0; i < n;) {
        if (ends[run] <= sel[i]) {
            run++; /* most often the next one holds it */
            if (ends[run] <= sel[i])
                run = vector_run_at(v, sel[i]);
        }
        i = sel_bound(sel, i, n, ends[run]);
        run_list_add(l, v->values, run, i);
    }
}

static void slice_runs(const vector *v, uint32_t first, uint32_t n, run_list *l)
{
    const uint32_t *ends = (const uint32_t *)v->data;
    uint32_t last = first + n;
    for (uint32_t run = vector_run_at(v, first); run < v->n_runs; run++) {
        uint32_t end = ends[run] < last ? ends[run] : last;
        run_list_add(l, v->values, run, end - first);
        if (end == last)
            break;
    }
}

/* The runs of the list as a vector of its own, or expanded where that is smaller. */
static nrw_status runs_from_list(const vector *v, const run_list *l, uint32_t n, mem *m,
                                 vector *out, nrw_error *err)
{
    vector values, runs;
    TRY(vector_take(v->values, l->from, l->n, m, &values, err));
    bool keep = runs_pay(&values, l->n, n);
    TRY(vector_runs(m, &values, n, &runs, err));
    memcpy(runs.data, l->ends, l->n * sizeof(uint32_t));
    vector_count_nulls(&runs);
    if (keep) {
        *out = runs;
        return NRW_OK;
    }
    nrw_status st = vector_expand(&runs, m, out, err);
    vector_release(&runs);
    return st;
}

static nrw_status runs_part(const vector *v, const uint16_t *sel, uint32_t first, uint32_t n,
                            mem *m, vector *out, nrw_error *err)
{
    run_list l = {0};
    uint32_t most = n < v->n_runs ? n : v->n_runs;
    size_t bytes = most * (sizeof(uint32_t) + sizeof(uint16_t));
    void *p;
    TRY(mem_alloc(m, bytes, &p, err));
    l.ends = p;
    l.from = (uint16_t *)(l.ends + most);
    if (sel)
        select_runs(v, sel, n, &l);
    else
        slice_runs(v, first, n, &l);
    nrw_status st = runs_from_list(v, &l, n, m, out, err);
    mem_free(m, p, bytes);
    return st;
}

/* ---- all forms ---- */

static nrw_status empty_like(const vector *v, mem *m, vector *out, nrw_error *err)
{
    if (type_is_nested(&v->type))
        return vector_nulls(m, &v->type, 0, out, err);
    const vector *base = v->form == VECTOR_RUNS ? v->values : v;
    TRY(part_like(base, 0, m, out, err));
    part_trim_validity(out);
    return NRW_OK;
}

nrw_status vector_slice(const vector *v, uint32_t first, uint32_t n, mem *m, vector *out,
                        nrw_error *err)
{
    *out = (vector){0};
    if (n == 0)
        return empty_like(v, m, out, err);
    if (first == 0 && n == v->len)
        return vector_share(v, out, err);
    if (v->form == VECTOR_RUNS && v->n_runs <= BATCH_MAX_ROWS)
        return runs_part(v, NULL, first, n, m, out, err);
    if (v->form == VECTOR_RUNS || type_is_nested(&v->type)) {
        const vector_range r = {first, n};
        return vector_take_ranges(v, &r, 1, m, out, err);
    }
    TRY(part_like(v, n, m, out, err));
    uint32_t width = part_width(v);
    if (width)
        memcpy(out->data, v->data + (size_t)first * width, (size_t)n * width);
    if (out->validity)
        out->null_count = part_copy_bits(out->validity, 0, v->validity, first, n);
    out->len = n;
    part_trim_validity(out);
    return NRW_OK;
}

static uint32_t take_bits(uint8_t *dst, const uint8_t *src, const uint16_t *sel, uint32_t n)
{
    uint32_t ones = 0, i = 0;
    for (; i + 8 <= n; i += 8) {
        uint8_t byte = 0;
        for (uint32_t k = 0; k < 8; k++)
            byte |= (uint8_t)(bit_get(src, sel[i + k]) << k);
        dst[i >> 3] = byte;
        ones += (uint32_t)__builtin_popcount(byte);
    }
    for (; i < n; i++) {
        bool on = bit_get(src, sel[i]);
        ones += on;
        if (on)
            bit_set(dst, i);
        else
            bit_clear(dst, i);
    }
    return n - ones;
}

nrw_status vector_take(const vector *v, const uint16_t *sel, uint32_t n, mem *m, vector *out,
                       nrw_error *err)
{
    *out = (vector){0};
    if (n == 0)
        return empty_like(v, m, out, err);
    if ((uint32_t)sel[n - 1] - sel[0] + 1 == n)
        return vector_slice(v, sel[0], n, m, out, err);
    if (v->form == VECTOR_RUNS)
        return runs_part(v, sel, 0, n, m, out, err);
    if (type_is_nested(&v->type))
        return part_take_nested(v, sel, n, m, out, err);
    return vector_permute(v, sel, n, m, out, err);
}

nrw_status vector_permute(const vector *v, const uint16_t *order, uint32_t n, mem *m, vector *out,
                          nrw_error *err)
{
    TRY(part_like(v, n, m, out, err));
    part_gather16(out->data, v->data, order, n, part_width(v));
    if (out->validity)
        out->null_count = take_bits(out->validity, v->validity, order, n);
    out->len = n;
    part_trim_validity(out);
    return NRW_OK;
}

nrw_status vector_window(const vector *v, uint32_t first, uint32_t n, mem *m, vector *out,
                         nrw_error *err)
{
    buffer *bits = NULL;
    *out = (vector){0};
    if (v->validity)
        TRY(buffer_new(m, ((size_t)n + 7) / 8, &bits, err));
    nrw_status st = vector_share(v, out, err);
    if (st < 0) {
        buffer_unref(bits);
        return st;
    }
    out->data += (size_t)first * part_width(v);
    out->len = n;
    if (!bits)
        return NRW_OK;
    buffer_unref(out->validity_buf);
    out->validity_buf = bits;
    out->validity = bits->data;
    out->null_count = part_copy_bits(bits->data, 0, v->validity, first, n);
    part_trim_validity(out);
    return NRW_OK;
}

/* Values of a dictionary (under nulls: zero). */
static nrw_status flatten_dict(const vector *v, mem *m, vector *out, nrw_error *err)
{
    const vector *values = &v->dict->values;
    uint32_t width = values->type.width;
    TRY(vector_flat(m, &v->type, v->len, out, err));
    if (values->heaps.n)
        vector_share_heaps(values, out);
    out->len = v->len;
    out->null_count = v->null_count;
    if (v->null_count == v->len)
        memset(out->data, 0, (size_t)v->len * width);
    else
        part_gather32(out->data, values->data, (const uint32_t *)v->data, v->len, width);
    if (!v->null_count)
        return NRW_OK;
    nrw_status st = vector_add_validity(out, err);
    if (st < 0) {
        vector_release(out);
        return st;
    }
    memcpy(out->validity, v->validity, ((size_t)v->len + 7) / 8);
    if (v->null_count < v->len)
        part_clear_nulls(out->data, v->validity, v->len, width);
    return NRW_OK;
}

nrw_status vector_flatten(const vector *v, mem *m, vector *out, nrw_error *err)
{
    *out = (vector){0};
    if (v->form == VECTOR_FLAT)
        return vector_share(v, out, err);
    if (v->form == VECTOR_DICT)
        return flatten_dict(v, m, out, err);
    if (v->values->form == VECTOR_FLAT)
        return vector_expand(v, m, out, err);
    /* The values first: each entry is looked up once a run. */
    vector runs = *v, values;
    TRY(flatten_dict(v->values, m, &values, err));
    runs.values = &values;
    nrw_status st = vector_expand(&runs, m, out, err);
    vector_release(&values);
    return st;
}
