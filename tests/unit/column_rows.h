/* Columns of test rows, and vectors of them in every form. For tests and the fuzz target. */
#ifndef COLUMN_ROWS_H
#define COLUMN_ROWS_H

#include "column/vector.h"

#include <stdlib.h>

typedef struct rows {
    field f;
    uint32_t n;
    int32_t *vid; /* which value a row holds; -1: null */
    uint32_t n_vids;
    uint8_t **value; /* as in vectors; text without a view */
    uint32_t *len;
} rows;

static uint64_t rows_seed = 88172645463325252u;
static inline uint64_t rows_random(void)
{
    rows_seed ^= rows_seed << 13;
    rows_seed ^= rows_seed >> 7;
    rows_seed ^= rows_seed << 17;
    return rows_seed;
}

/* A value that fits type t; number k of its column. */
static inline void rows_value(const type *t, uint32_t k, uint8_t *out, uint32_t *len)
{
    uint64_t r = rows_random();
    int64_t v = (int64_t)r;

    *len = t->width;
    for (uint32_t i = 0; i < t->width; i += 8)
        memcpy(out + i, &r, size_min(8, t->width - i));
    switch (t->id) {
    case TYPE_BOOL: out[0] = r & 1; break;
    case TYPE_FLOAT64: {
        double special[] = {0.0, -0.0, __builtin_nan(""), 1e300, -1e-300, __builtin_inf()};
        double d = k < 6 ? special[k] : (double)(int32_t)r / 7;
        memcpy(out, &d, 8);
        break;
    }
    case TYPE_FLOAT32: {
        float special[] = {0.0f, -0.0f, __builtin_nanf(""), 1e30f, -1e-30f, -__builtin_inff()};
        float d = k < 6 ? special[k] : (float)(int32_t)r / 7;
        memcpy(out, &d, 4);
        break;
    }
    case TYPE_FLOAT16: {
        uint16_t special[] = {0x8000, 0, 0x7e00, 0xfe01, 0x3c00, 0xbc00}, h = (uint16_t)r;
        h = k < 6 ? special[k] : h;
        memcpy(out, &h, 2);
        break;
    }
    case TYPE_DECIMAL:
        if (t->width == 4)
            v = v % 99999;
        if (t->width == 8)
            v = v % 999999999999999;
        memset(out, v < 0 ? 0xff : 0, t->width);
        memcpy(out, &v, size_min(8, t->width));
        break;
    case TYPE_TIME:
        v = t->unit == UNIT_S ? (int64_t)(r % 86400) : (int64_t)(r % 86400000);
        memcpy(out, &v, 8);
        break;
    case TYPE_TIMESTAMP:
        v = v / 4096;
        memcpy(out, &v, 8);
        break;
    default: break;
    }
    if (type_is_view(t)) {
        *len = k == 0 ? 0 : k == 9 ? 150 : (uint32_t)(r % (k % 5 == 0 ? 40 : 14));
        for (uint32_t i = 0; i < *len; i++)
            out[i] = i < 3 ? "abc"[r >> (8 + i) & 1] : (uint8_t)(rows_random() % 256);
        if (k == 11 && *len > 0)
            memset(out, 0xff, *len);
    }
}

/* n rows of n_vids different values (about), nulls in per mille, runs of about `run` rows. */
static inline rows rows_make(field f, uint32_t n, uint32_t n_vids, uint32_t nulls, uint32_t run)
{
    rows r = {.f = f, .n = n, .n_vids = n_vids};
    int32_t vid = 0;

    r.vid = malloc((n + 1) * sizeof *r.vid);
    r.value = malloc(n_vids * sizeof *r.value);
    r.len = malloc(n_vids * sizeof *r.len);
    for (uint32_t k = 0; k < n_vids; k++) {
        r.value[k] = calloc(1, 256);
        rows_value(&f.type, k, r.value[k], &r.len[k]);
    }
    for (uint32_t i = 0, left = 0; i < n; i++, left--) {
        if (!left) {
            left = 1 + (uint32_t)(run > 1 ? rows_random() % (2 * run) : 0);
            vid = n_vids >= n ? (int32_t)i : (int32_t)(rows_random() % n_vids);
            if (f.nullable && rows_random() % 1000 < nulls)
                vid = -1;
        }
        r.vid[i] = f.type.id == TYPE_NULL ? -1 : vid;
    }
    return r;
}

static inline void rows_free(rows *r)
{
    for (uint32_t k = 0; k < r->n_vids; k++)
        free(r->value[k]);
    free(r->value);
    free(r->len);
    free(r->vid);
}

/* A flat vector of values; vid -1: null. */
static inline nrw_status rows_flat(const rows *r, mem *m, const int32_t *vid, uint32_t n,
                                   vector *out, nrw_error *err)
{
    const type *t = &r->f.type;
    bool views = type_is_view(t);
    size_t heap = 0;
    int32_t at = 0, index = 0;
    buffer *b = NULL;

    if (t->id == TYPE_NULL)
        return vector_nulls(m, t, n, out, err);
    TRY(vector_flat(m, t, n, out, err));
    nrw_status st = NRW_OK;
    for (uint32_t i = 0; i < n; i++) {
        out->null_count += vid[i] < 0;
        heap += vid[i] < 0 ? 0 : r->len[vid[i]];
    }
    if (out->null_count)
        TRY_OUT(vector_add_validity(out, err));
    if (views) {
        TRY_OUT(buffer_new(m, heap, &b, err));
        b->len = heap;
        TRY_OUT(vector_add_heap(out, b, &index, err));
    }
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *dst = out->data + (size_t)i * t->width;
        if (vid[i] < 0) {
            memset(dst, 0, t->width);
            bit_clear(out->validity, i);
        } else if (views) {
            memcpy(b->data + at, r->value[vid[i]], r->len[vid[i]]);
            view w = view_make(b->data + at, (int32_t)r->len[vid[i]], index, at);
            memcpy(dst, &w, sizeof w);
            at += (int32_t)r->len[vid[i]];
        } else {
            memcpy(dst, r->value[vid[i]], t->width);
        }
    }
    out->len = n;
out:
    buffer_unref(b);
    if (st < 0)
        vector_release(out);
    return st;
}

/* All values of the column, each twice or three times, and in no order. */
static inline nrw_status rows_dict(const rows *r, mem *m, dict **out, nrw_error *err)
{
    uint32_t n = r->n_vids * 2;
    int32_t *vid = malloc((n + 1) * sizeof *vid);
    vector values = {0};
    nrw_status st;

    for (uint32_t i = 0; i < n; i++)
        vid[i] = (int32_t)(((uint64_t)i * 7919 + 13) % r->n_vids);
    for (uint32_t i = 0; i < r->n_vids; i++)
        vid[i] = (int32_t)(r->n_vids - 1 - i); /* so that none is missing */
    st = rows_flat(r, m, vid, n, &values, err);
    free(vid);
    if (st < 0)
        return st;
    st = dict_new(m, &values, out, err);
    if (st < 0)
        vector_release(&values);
    return st;
}

/* A dict vector; `d` is of rows_dict. */
static inline nrw_status rows_indexed(const rows *r, mem *m, dict *d, const int32_t *vid,
                                      uint32_t n, vector *out, nrw_error *err)
{
    TRY(vector_dict(m, &r->f.type, d, n, out, err));
    for (uint32_t i = 0; i < n; i++)
        out->null_count += vid[i] < 0;
    if (out->null_count) {
        nrw_status st = vector_add_validity(out, err);
        if (st < 0) {
            vector_release(out);
            return st;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t e = vid[i] < 0 ? 0 : r->n_vids - 1 - (uint32_t)vid[i];
        /* some rows name a second entry of the same value */
        if (vid[i] >= 0 && rows_random() % 3 == 0)
            for (uint32_t k = 0; k < 4; k++) {
                uint32_t other = r->n_vids + (uint32_t)(rows_random() % r->n_vids);
                if (((uint64_t)other * 7919 + 13) % r->n_vids == (uint32_t)vid[i])
                    e = other;
            }
        if (vid[i] < 0)
            bit_clear(out->validity, i);
        ((uint32_t *)out->data)[i] = e;
    }
    out->len = n;
    return NRW_OK;
}

/* Runs over flat or dict values; now and then a run is cut in two. */
static inline nrw_status rows_runs(const rows *r, mem *m, dict *d, const int32_t *vid, uint32_t n,
                                   vector *out, nrw_error *err)
{
    int32_t *run = malloc((n + 1) * sizeof *run);
    uint32_t *end = malloc((n + 1) * sizeof *end), k = 0;
    vector values = {0};
    nrw_status st;

    for (uint32_t i = 0; i < n; i++) {
        if (k && run[k - 1] == vid[i] && rows_random() % 16) {
            end[k - 1] = i + 1;
        } else {
            run[k] = vid[i];
            end[k++] = i + 1;
        }
    }
    st = d ? rows_indexed(r, m, d, run, k, &values, err) : rows_flat(r, m, run, k, &values, err);
    if (st == NRW_OK) {
        st = vector_runs(m, &values, n, out, err);
        if (st < 0)
            vector_release(&values);
    }
    if (st == NRW_OK) {
        memcpy(out->data, end, k * sizeof *end);
        out->n_runs = k;
        out->len = n;
        out->null_count = 0;
        for (uint32_t i = 0; i < n; i++)
            out->null_count += vid[i] < 0;
    }
    free(run);
    free(end);
    return st;
}

typedef enum rows_form {
    ROWS_FLAT,
    ROWS_DICT,
    ROWS_DICTS,
    ROWS_RUNS,
    ROWS_DICT_RUNS,
    ROWS_MIXED
} rows_form;
#define ROWS_FORMS 6

/* Rows [first, first + n) as a vector of that form. *d: the dictionary of the column, made when
 * first needed; ROWS_DICTS makes one a vector. */
static inline nrw_status rows_vector(const rows *r, mem *m, dict **d, rows_form form,
                                     uint32_t first, uint32_t n, vector *out, nrw_error *err)
{
    const int32_t *vid = r->vid + first;

    if (form == ROWS_MIXED)
        form = (rows_form)(rows_random() % 5);
    if (form == ROWS_FLAT || r->f.type.id == TYPE_NULL)
        return rows_flat(r, m, vid, n, out, err);
    if (form == ROWS_RUNS)
        return rows_runs(r, m, NULL, vid, n, out, err);
    if (form == ROWS_DICTS && *d) {
        dict_unref(*d);
        *d = NULL;
    }
    if (!*d)
        TRY(rows_dict(r, m, d, err));
    if (form == ROWS_DICT_RUNS)
        return rows_runs(r, m, *d, vid, n, out, err);
    return rows_indexed(r, m, *d, vid, n, out, err);
}

#endif
