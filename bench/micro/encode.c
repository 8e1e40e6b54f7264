/* What the column writer costs a row, by type and form of its input.
 *
 *     cc -O2 -std=c17 -D_GNU_SOURCE -Iinclude -Isrc bench/micro/encode.c build/libnarrows.a -l...
 * && ./a.out [NAME]
 *
 * Each case feeds the same 64 Ki-row vectors until 16 Mi rows went through (row groups of 1 Mi),
 * and prints nanoseconds a row and encoded bytes a row, the best of three. */
#include "format/parquet/column_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROWS    4096 /* of a vector: what a reader hands over while it is in the cache */
#define VECTORS 16
#define APPENDS 256 /* a row group */
#define GROUPS  16

static uint64_t seed = 88172645463325252u;
static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void need(nrw_status st, const nrw_error *err)
{
    char text[1200];

    if (st >= 0)
        return;
    nrw_error_print(err, text, sizeof text);
    fprintf(stderr, "encode: %s\n", text);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- input ---- */

typedef vector (*maker)(mem *m, uint32_t number, uint64_t param);

static vector flat_of(mem *m, type t, uint32_t rows)
{
    nrw_error err = NRW_ERROR_INIT;
    vector v;

    need(vector_flat(m, &t, rows, &v, &err), &err);
    v.len = rows;
    return v;
}

/* param: bits of the random part */
static vector int64_flat(mem *m, uint32_t number, uint64_t param)
{
    vector v = flat_of(m, type_of(TYPE_INT64), ROWS);

    for (uint32_t i = 0; i < ROWS; i++)
        ((int64_t *)v.data)[i] =
            (int64_t)(((uint64_t)number * ROWS + i) * 3 + (next_random() & ((1ull << param) - 1)));
    return v;
}

static vector int64_few(mem *m, uint32_t number, uint64_t param)
{
    vector v = flat_of(m, type_of(TYPE_INT64), ROWS);

    (void)number;
    for (uint32_t i = 0; i < ROWS; i++)
        ((int64_t *)v.data)[i] = (int64_t)(next_random() % param * 1000003);
    return v;
}

/* param: per mille of nulls */
static vector int64_nulls(mem *m, uint32_t number, uint64_t param)
{
    nrw_error err = NRW_ERROR_INIT;
    vector v = int64_flat(m, number, 40);

    need(vector_add_validity(&v, &err), &err);
    for (uint32_t i = 0; i < ROWS; i++)
        if (next_random() % 1000 < param) {
            bit_clear(v.validity, i);
            ((int64_t *)v.data)[i] = 0;
            v.null_count++;
        }
    return v;
}

static vector double_flat(mem *m, uint32_t number, uint64_t param)
{
    vector v = flat_of(m, type_of(TYPE_FLOAT64), ROWS);

    (void)number;
    (void)param;
    for (uint32_t i = 0; i < ROWS; i++)
        ((double *)v.data)[i] = (double)(next_random() % 100000000) / 100;
    return v;
}

/* Texts of about `param` bytes, or `entries` different ones. */
static vector text_flat_of(mem *m, uint32_t rows, uint32_t entries, uint64_t param)
{
    nrw_error err = NRW_ERROR_INIT;
    vector v = flat_of(m, type_of(TYPE_UTF8), rows);
    uint64_t base = next_random();
    int32_t index, at = 0;
    buffer *b;

    need(buffer_new(m, rows * (2 * param + 64), &b, &err), &err);
    for (uint32_t i = 0; i < rows; i++) {
        uint64_t k = entries ? i % entries : base + i;
        uint64_t r = k * 0x9e3779b97f4a7c15u;
        int32_t len =
            snprintf((char *)b->data + at, (size_t)64, "%016llx%016llx%016llx",
                     (unsigned long long)r, (unsigned long long)(r * 31), (unsigned long long)k);
        int32_t want = (int32_t)(param / 2 + (r >> 40) % (param + 1));
        len = want < len ? want : len;
        b->len = (size_t)at + (size_t)len;
        if (i == 0)
            need(vector_add_heap(&v, b, &index, &err), &err);
        ((view *)v.data)[i] = view_make(b->data + at, len, index, at);
        at += len;
    }
    buffer_unref(b);
    return v;
}

static vector text_flat(mem *m, uint32_t number, uint64_t param)
{
    (void)number;
    return text_flat_of(m, ROWS, 0, param);
}

static vector indexed(mem *m, dict *d)
{
    nrw_error err = NRW_ERROR_INIT;
    vector v;

    need(vector_dict(m, &d->values.type, d, ROWS, &v, &err), &err);
    v.len = ROWS;
    for (uint32_t i = 0; i < ROWS; i++)
        ((uint32_t *)v.data)[i] = (uint32_t)(next_random() % d->values.len);
    return v;
}

/* One dictionary for all vectors of a case; param: entries. */
static dict *shared;

static vector int64_dict(mem *m, uint32_t number, uint64_t param)
{
    nrw_error err = NRW_ERROR_INIT;

    if (number == 0) {
        vector values = flat_of(m, type_of(TYPE_INT64), (uint32_t)param);
        for (uint32_t i = 0; i < param; i++)
            ((int64_t *)values.data)[i] = (int64_t)i * 1000003;
        need(dict_new(m, &values, &shared, &err), &err);
    }
    return indexed(m, shared);
}

static vector text_dict(mem *m, uint32_t number, uint64_t param)
{
    nrw_error err = NRW_ERROR_INIT;

    if (number == 0) {
        vector values = text_flat_of(m, (uint32_t)param, (uint32_t)param, 12);
        need(dict_new(m, &values, &shared, &err), &err);
    }
    return indexed(m, shared);
}

/* param: rows of a run */
static vector int64_runs(mem *m, uint32_t number, uint64_t param)
{
    nrw_error err = NRW_ERROR_INIT;
    uint32_t n = (uint32_t)((ROWS + param - 1) / param);
    vector values = flat_of(m, type_of(TYPE_INT64), n), v;

    for (uint32_t i = 0; i < n; i++)
        ((int64_t *)values.data)[i] = ((int64_t)number * n + i) % 1000;
    need(vector_runs(m, &values, ROWS, &v, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        ((uint32_t *)v.data)[i] = i + 1 == n ? ROWS : (uint32_t)((i + 1) * param);
    v.len = ROWS;
    return v;
}

/* ---- cases ---- */

static const struct {
    const char *name;
    maker make;
    uint64_t param;
    int version;
    int32_t encoding;
    bool dictionary, nullable;
} cases[] = {
    {"int64 plain flat", int64_flat, 40, 1, -1, false, false},
    {"int64 plain flat, nullable", int64_flat, 40, 1, -1, false, true},
    {"int64 plain flat, 5 % nulls", int64_nulls, 50, 1, -1, false, true},
    {"int64 plain, dictionary given up", int64_flat, 40, 1, -1, true, false},
    {"int64 delta, narrow", int64_flat, 4, 2, -1, false, false},
    {"int64 delta, 40 bits", int64_flat, 40, 2, -1, false, false},
    {"int64 dict in, 10", int64_dict, 10, 1, -1, true, false},
    {"int64 dict in, 1,000", int64_dict, 1000, 1, -1, true, true},
    {"int64 dict in, 5,000", int64_dict, 5000, 1, -1, true, false},
    {"int64 flat to dict, 1,000", int64_few, 1000, 1, -1, true, false},
    {"int64 flat to dict, 8,000", int64_few, 8000, 1, -1, true, false},
    {"int64 runs of 1,000", int64_runs, 1000, 1, -1, true, true},
    {"int64 runs of 10", int64_runs, 10, 1, -1, true, true},
    {"text flat plain, 12 bytes", text_flat, 12, 1, -1, false, false},
    {"text flat plain, 30 bytes", text_flat, 30, 1, -1, false, false},
    {"text flat delta length, 30 bytes", text_flat, 30, 2, -1, false, false},
    {"text dict in, 10", text_dict, 10, 1, -1, true, false},
    {"text dict in, 1,000", text_dict, 1000, 1, -1, true, true},
    {"text dict in, 3,000", text_dict, 3000, 1, -1, true, false},
    {"double split", double_flat, 0, 1, PQ_BYTE_STREAM_SPLIT, false, false},
    {"double plain", double_flat, 0, 1, -1, false, false},
};

static double run_case(size_t c, mem *m, vector *v, uint64_t *bytes)
{
    nrw_error err = NRW_ERROR_INIT;
    pq_write_options opts = {.page_bytes = 128 << 10,
                             .page_rows = 20000,
                             .dictionary_bytes = 1 << 20,
                             .version = cases[c].version,
                             .statistics_truncate = 64};
    pq_column_options col = {
        .encoding = cases[c].encoding, .dictionary = cases[c].dictionary, .statistics = true};
    field f = {.name = "c", .type = v[0].type, .nullable = cases[c].nullable};
    pq_wleaf leaf = pq_flat_leaf(&f);
    pq_column_writer *w;
    double start = now();

    *bytes = 0;
    need(pq_column_writer_new(m, &leaf, &opts, &col, &w, &err), &err);
    for (int g = 0; g < GROUPS; g++) {
        pq_page_list out = {.m = m};
        pq_chunk_stats stats;
        for (int i = 0; i < APPENDS; i++) {
            need(pq_column_append(w, &v[i % VECTORS], 0, v[i % VECTORS].len, &out, &err), &err);
            for (uint32_t p = 0; p < out.n; p++)
                *bytes += out.at[p].body->len;
            pq_page_list_release(&out); /* as if compressed and gone */
        }
        need(pq_column_finish(w, &out, &stats, &err), &err);
        for (uint32_t p = 0; p < out.n; p++)
            *bytes += out.at[p].body->len;
        pq_page_list_release(&out);
        bytes_release(&stats.min);
        bytes_release(&stats.max);
    }
    pq_column_writer_free(w);
    return now() - start;
}

int main(int argc, char **argv)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m;

    need(mem_root(MEM_NO_LIMIT, &m, &err), &err);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        vector v[VECTORS];
        double best = 1e9;
        uint64_t bytes = 0;
        if (argc > 1 && !strstr(cases[c].name, argv[1]))
            continue;
        for (uint32_t i = 0; i < VECTORS; i++)
            v[i] = cases[c].make(m, i, cases[c].param);
        for (int r = 0; r < 3; r++) {
            double t = run_case(c, m, v, &bytes);
            best = t < best ? t : best;
        }
        printf("%-36s %7.3f ns/row %8.3f bytes/row\n", cases[c].name,
               best * 1e9 / ((double)ROWS * APPENDS * GROUPS),
               (double)bytes / ((double)ROWS * APPENDS * GROUPS));
        for (uint32_t i = 0; i < VECTORS; i++)
            vector_release(&v[i]);
        dict_unref(shared);
        shared = NULL;
    }
    mem_free_account(m);
    return 0;
}
