/* Ranges of rows out of any vector, and nested vectors put one behind the other. A range of lists
 * is a range of elements, so ranges go down through all levels without an index a row. */
#include "column/vector_part.h"

/* ---- flat and dict ---- */

static void copy_values(uint8_t *dst, const uint8_t *src, const vector_range *r, uint32_t n,
                        uint32_t width)
{
    for (uint32_t i = 0; i < n; i++) {
        size_t bytes = (size_t)r[i].n * width;
        memcpy(dst, src + (size_t)r[i].first * width, bytes);
        dst += bytes;
    }
}

static uint32_t copy_validity(const vector *v, const vector_range *r, uint32_t n, uint8_t *dst)
{
    uint32_t nulls = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < n; at += r[i++].n)
        nulls += part_copy_bits(dst, at, v->validity, r[i].first, r[i].n);
    return nulls;
}

static nrw_status plain_ranges(const vector *v, const vector_range *r, uint32_t n, uint32_t rows,
                               mem *m, vector *out, nrw_error *err)
{
    uint32_t width = part_width(v);
    TRY(part_like(v, rows, m, out, err));
    if (width)
        copy_values(out->data, v->data, r, n, width);
    if (out->validity)
        out->null_count = copy_validity(v, r, n, out->validity);
    out->len = rows;
    part_trim_validity(out);
    return NRW_OK;
}

/* ---- runs ---- */

/* How many runs the ranges touch, counted once a range. */
static uint64_t runs_touched(const vector *v, const vector_range *r, uint32_t n)
{
    uint64_t touched = 0;
    for (uint32_t i = 0; i < n; i++)
        if (r[i].n)
            touched += 1 + vector_run_at(v, r[i].first + r[i].n - 1) - vector_run_at(v, r[i].first);
    return touched;
}

/* Each run, or piece of one, as a range of one value, and where it ends. */
static void list_runs(const vector *v, const vector_range *r, uint32_t n, vector_range *values,
                      uint32_t *ends)
{
    const uint32_t *of = (const uint32_t *)v->data;
    uint32_t k = 0, rows = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = r[i].first, last = at + r[i].n;
        for (uint32_t run = r[i].n ? vector_run_at(v, at) : 0; at < last; run++) {
            uint32_t to = of[run] < last ? of[run] : last;
            values[k] = (vector_range){run, 1};
            rows += to - at;
            ends[k++] = rows;
            at = to;
        }
    }
}

static nrw_status runs_ranges(const vector *v, const vector_range *r, uint32_t n, uint32_t rows,
                              mem *m, vector *out, nrw_error *err)
{
    uint64_t k = runs_touched(v, r, n);
    size_t bytes = (size_t)k * (sizeof(vector_range) + sizeof(uint32_t));
    vector values;
    void *p;
    TRY(mem_alloc(m, bytes, &p, err)); /* k is at most rows */
    vector_range *list = p;
    uint32_t *ends = (uint32_t *)(list + k);
    list_runs(v, r, n, list, ends);
    nrw_status st = vector_take_ranges(v->values, list, (uint32_t)k, m, &values, err);
    if (st >= 0)
        st = vector_runs(m, &values, rows, out, err);
    if (st >= 0) {
        memcpy(out->data, ends, k * sizeof *ends);
        vector_count_nulls(out);
    }
    mem_free(m, p, bytes);
    return st;
}

/* ---- nested ---- */

/* Offsets of the rows, and the ranges of elements that they stand for. */
static void list_elements(const vector *v, const vector_range *r, uint32_t n,
                          vector_range *elements, uint32_t *to)
{
    const uint32_t *from = vector_offsets(v);
    uint32_t at = 0;
    *to++ = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t base = from[r[i].first], last = r[i].first + r[i].n;
        for (uint32_t row = r[i].first; row < last; row++)
            *to++ = at + (from[row + 1] - base);
        elements[i] = (vector_range){base, from[last] - base};
        at += from[last] - base;
    }
}

static nrw_status children_ranges(const vector *v, const vector_range *r, uint32_t n, mem *m,
                                  vector *out, nrw_error *err)
{
    for (uint32_t i = 0; i < v->n_children; i++)
        TRY(vector_take_ranges(&v->children[i], r, n, m, &out->children[i], err));
    return NRW_OK;
}

static nrw_status list_ranges(const vector *v, const vector_range *r, uint32_t n, mem *m,
                              vector *out, nrw_error *err)
{
    size_t bytes = (size_t)n * sizeof(vector_range);
    void *p;
    TRY(mem_alloc(m, bytes + 1, &p, err));
    list_elements(v, r, n, p, (uint32_t *)(void *)out->data);
    nrw_status st = children_ranges(v, p, n, m, out, err);
    mem_free(m, p, bytes + 1);
    return st;
}

static nrw_status nested_ranges(const vector *v, const vector_range *r, uint32_t n, uint32_t rows,
                                mem *m, vector *out, nrw_error *err)
{
    vector w;
    TRY(vector_flat(m, &v->type, rows, &w, err));
    nrw_status st = v->validity ? vector_add_validity(&w, err) : NRW_OK;
    if (st >= 0 && v->type.id == TYPE_STRUCT)
        st = children_ranges(v, r, n, m, &w, err);
    else if (st >= 0)
        st = list_ranges(v, r, n, m, &w, err);
    if (st < 0) {
        vector_release(&w);
        return st;
    }
    if (w.validity)
        w.null_count = copy_validity(v, r, n, w.validity);
    w.len = rows;
    part_trim_validity(&w);
    *out = w;
    return NRW_OK;
}

nrw_status vector_take_ranges(const vector *v, const vector_range *r, uint32_t n, mem *m,
                              vector *out, nrw_error *err)
{
    uint32_t rows = 0;
    *out = (vector){0};
    for (uint32_t i = 0; i < n; i++)
        rows += r[i].n;
    if (n == 1 && rows == v->len)
        return vector_share(v, out, err);
    if (type_is_nested(&v->type))
        return nested_ranges(v, r, n, rows, m, out, err);
    if (v->form == VECTOR_RUNS && rows)
        return runs_ranges(v, r, n, rows, m, out, err);
    return plain_ranges(v->form == VECTOR_RUNS ? v->values : v, r, rows ? n : 0, rows, m, out, err);
}

/* Neighbours in the selection are one range. */
nrw_status part_take_nested(const vector *v, const uint16_t *sel, uint32_t n, mem *m, vector *out,
                            nrw_error *err)
{
    size_t bytes = (size_t)n * sizeof(vector_range);
    uint32_t k = 0;
    void *p;
    TRY(mem_alloc(m, bytes, &p, err));
    vector_range *r = p;
    for (uint32_t i = 0; i < n; i++) {
        if (k && r[k - 1].first + r[k - 1].n == sel[i])
            r[k - 1].n++;
        else
            r[k++] = (vector_range){sel[i], 1};
    }
    nrw_status st = vector_take_ranges(v, r, k, m, out, err);
    mem_free(m, p, bytes);
    return st;
}

/* ---- one behind the other ---- */

/* Child c of all parts; the structs in `list` are borrowed. */
static nrw_status concat_child(const vector *parts, uint32_t n, uint32_t c, vector *list, mem *m,
                               vector *out, nrw_error *err)
{
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++)
        if (parts[i].len || (i + 1 == n && k == 0))
            list[k++] = parts[i].children[c];
    return vector_concat(list, k, m, &out->children[c], err);
}

static void concat_offsets(const vector *parts, uint32_t n, uint32_t *to)
{
    uint32_t base = 0;
    *to++ = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *from = vector_offsets(&parts[i]);
        for (uint32_t row = 0; row < parts[i].len; row++)
            *to++ = base + from[row + 1];
        base += parts[i].len ? from[parts[i].len] : 0;
    }
}

static void concat_validity(const vector *parts, uint32_t n, vector *out)
{
    size_t at = 0;
    for (uint32_t i = 0; i < n; at += parts[i++].len) {
        if (parts[i].validity)
            part_copy_bits(out->validity, at, parts[i].validity, 0, parts[i].len);
        out->null_count += parts[i].null_count;
    }
}

nrw_status part_concat_nested(const vector *parts, uint32_t n, uint32_t rows, mem *m, vector *out,
                              nrw_error *err)
{
    size_t bytes = (size_t)n * sizeof(vector);
    bool nulls = false;
    vector w;
    void *list;
    for (uint32_t i = 0; i < n; i++)
        nulls |= parts[i].null_count > 0;
    TRY(vector_flat(m, &parts[0].type, rows, &w, err));
    nrw_status st = nulls ? vector_add_validity(&w, err) : NRW_OK;
    if (st >= 0)
        st = mem_alloc(m, bytes, &list, err);
    if (st >= 0) {
        for (uint32_t c = 0; st >= 0 && c < w.n_children; c++)
            st = concat_child(parts, n, c, list, m, &w, err);
        mem_free(m, list, bytes);
    }
    if (st < 0) {
        vector_release(&w);
        return st;
    }
    if (w.type.id != TYPE_STRUCT)
        concat_offsets(parts, n, (uint32_t *)(void *)w.data);
    if (nulls)
        concat_validity(parts, n, &w);
    w.len = rows;
    *out = w;
    return NRW_OK;
}
