/* For tests of the Parquet writer: tables of made-up values, a source that hands their columns out
 * lazily in pieces, and runs of the writer over them in any cut, by any number of threads. */
#ifndef WRITE_TABLE_H
#define WRITE_TABLE_H

#include "temp_folder.h"

#include "base/hash.h"
#include "base/power.h"
#include "column/batch.h"
#include "format/parquet/parquet.h"

#include <pthread.h>

typedef enum fill { FILL_SERIAL, FILL_FEW, FILL_RANDOM, FILL_CONST } fill;

typedef struct table_column {
    type type;
    fill fill;
    int nulls;    /* in a hundred; -1: not nullable */
    uint32_t len; /* of texts */
} table_column;

typedef struct table {
    mem *m;
    arena *a;
    schema s;
    uint32_t rows;
    vector *cols;
    size_t *row_bytes; /* about, of each column */
    fill *fills;
    bool forms;    /* few values come as dictionaries, one as runs */
    vector *coded; /* with dictionaries; empty for other columns */
} table;

static inline uint64_t table_number(const table_column *c, uint32_t col, uint32_t row)
{
    uint64_t h = hash_u64(row * UINT64_C(977) + col);
    switch (c->fill) {
    case FILL_SERIAL: return row;
    case FILL_FEW: return h % 50;
    case FILL_CONST: return 7;
    case FILL_RANDOM: break;
    }
    return h;
}

static inline void table_value(const type *t, uint64_t x, uint8_t *out)
{
    int64_t v = (int64_t)x;
    double d = (double)(int32_t)x / 8;
    float f = (float)(int16_t)x / 8;

    memset(out, 0, t->width);
    switch (t->id) {
    case TYPE_BOOL: v &= 1; break;
    case TYPE_DECIMAL:
        v %= (int64_t)powers_of_ten[t->precision < 18 ? t->precision : 18];
        memset(out, v < 0 ? 0xff : 0, t->width);
        break;
    case TYPE_DATE: v %= 30000; break;
    case TYPE_TIME: v = (int64_t)(x % 86400); break;
    case TYPE_TIMESTAMP: v %= 1000000000; break;
    case TYPE_FLOAT64: memcpy(&v, &d, 8); break;
    case TYPE_FLOAT32: memcpy(&v, &f, 4); break;
    case TYPE_FLOAT16: v = (int64_t)(x % 0x7bff); break;
    default: break;
    }
    for (uint32_t i = 0; i < t->width; i += 8)
        if (i == 0)
            memcpy(out, &v, t->width < 8 ? t->width : 8);
}

static inline uint32_t table_text(const table_column *c, uint64_t x, uint8_t *out)
{
    uint32_t len = c->len ? c->len : (uint32_t)(x % 40);
    uint64_t h = x;
    for (uint32_t i = 0; i < len; i++) {
        if (i % 8 == 0)
            h = hash_u64(x + i);
        out[i] = (uint8_t)("abcdefghijklmnopqrstuvwxyz012345"[h >> (i % 8 * 8) & 31]);
    }
    return len;
}

static inline void table_fill(table *t, const table_column *c, uint32_t col)
{
    nrw_error err = NRW_ERROR_INIT;
    vector *v = &t->cols[col];
    bool text = type_is_view(&c->type);
    buffer *heap = NULL;
    int32_t index = 0;

    assert_ok(vector_flat(t->m, &c->type, t->rows, v, &err), &err);
    v->len = t->rows;
    if (c->nulls > 0)
        assert_ok(vector_add_validity(v, &err), &err);
    if (text) {
        size_t each = c->len ? c->len : 40;
        assert_ok(buffer_new(t->m, each * t->rows + 64, &heap, &err), &err);
        assert_ok(vector_add_heap(v, heap, &index, &err), &err);
    }
    for (uint32_t r = 0; r < t->rows; r++) {
        uint64_t x = table_number(c, col, r);
        bool null = c->nulls > 0 && (int)(hash_u64(r + 31 * col) % 100) < c->nulls;
        if (null) {
            bit_clear(v->validity, r);
            v->null_count++;
        }
        if (text) {
            uint32_t len = null ? 0 : table_text(c, x, heap->data + heap->len);
            ((view *)v->data)[r] =
                view_make(heap->data + heap->len, (int32_t)len, index, (int32_t)heap->len);
            heap->len += len;
        } else if (null) {
            memset(v->data + (size_t)r * c->type.width, 0, c->type.width);
        } else if (c->type.width) {
            table_value(&c->type, x, v->data + (size_t)r * c->type.width);
        }
    }
    buffer_unref(heap);
}

/* The column again, as indices into its distinct values. */
static inline void table_code(table *t, uint32_t col)
{
    nrw_error err = NRW_ERROR_INIT;
    const vector *v = &t->cols[col];
    uint16_t first[64];
    uint32_t n = 0;
    vector values, *out = &t->coded[col];
    dict *d;
    uint32_t *index = NULL;
    void *p;

    assert_ok(mem_alloc(t->m, (t->rows + 1) * sizeof(uint32_t), &p, &err), &err);
    index = p;
    for (uint32_t r = 0; r < t->rows; r++) {
        bool null, other;
        span a = vector_value(v, r, &null), b;
        uint32_t k = 0;
        for (; k < n && !null; k++) {
            b = vector_value(v, first[k], &other);
            if (a.len == b.len && memcmp(a.data, b.data, a.len) == 0)
                break;
        }
        if (!null && k == n) {
            if (n == 64 || r > UINT16_MAX)
                goto none;
            first[n++] = (uint16_t)r;
        }
        index[r] = null ? 0 : k;
    }
    if (!n)
        goto none;
    vector head, flat;
    assert_ok(vector_slice(v, 0, first[n - 1] + 1u, t->m, &head, &err), &err);
    assert_ok(vector_take(&head, first, n, t->m, &values, &err), &err);
    assert_ok(vector_flatten(&values, t->m, &flat, &err), &err);
    vector_release(&values);
    vector_release(&head);
    if (flat.validity) { /* a dictionary's values have none */
        buffer_unref(flat.validity_buf);
        flat.validity = NULL;
        flat.validity_buf = NULL;
    }
    assert_ok(dict_new(t->m, &flat, &d, &err), &err);
    assert_ok(vector_dict(t->m, &v->type, d, t->rows, out, &err), &err);
    dict_unref(d);
    out->len = t->rows;
    memcpy(out->data, index, t->rows * sizeof(uint32_t));
    if (v->validity) {
        assert_ok(vector_add_validity(out, &err), &err);
        for (uint32_t r = 0; r < t->rows; r++)
            if (!bit_get(v->validity, r))
                bit_clear(out->validity, r);
        out->null_count = v->null_count;
    }
none:
    mem_free(t->m, index, (t->rows + 1) * sizeof(uint32_t));
}

static inline table table_make(mem *m, const table_column *cols, uint32_t n, uint32_t rows)
{
    nrw_error err = NRW_ERROR_INIT;
    table t = {.m = m, .rows = rows};
    void *p;

    assert_ok(arena_new(m, &t.a, &err), &err);
    assert_ok(schema_new(t.a, n, &t.s, &err), &err);
    assert_ok(mem_zalloc(m, n * sizeof(vector), &p, &err), &err);
    t.cols = p;
    assert_ok(mem_zalloc(m, n * sizeof(size_t), &p, &err), &err);
    t.row_bytes = p;
    assert_ok(mem_zalloc(m, n * sizeof(fill), &p, &err), &err);
    t.fills = p;
    assert_ok(mem_zalloc(m, n * sizeof(vector), &p, &err), &err);
    t.coded = p;
    for (uint32_t c = 0; c < n; c++) {
        char name[32], *kept;
        snprintf(name, sizeof name, "c%u", c);
        assert_ok(arena_strndup(t.a, name, strlen(name), &kept, &err), &err);
        t.s.fields[c] = (field){kept, cols[c].type, cols[c].nulls >= 0, c % 3 ? (int32_t)c : -1};
        table_fill(&t, &cols[c], c);
        t.fills[c] = cols[c].fill;
        if (cols[c].fill == FILL_FEW)
            table_code(&t, c);
        t.row_bytes[c] = vector_bytes(&t.cols[c]) / (rows ? rows : 1) + 1;
    }
    return t;
}

static inline void table_free(table *t)
{
    for (uint32_t c = 0; c < t->s.n_fields; c++) {
        vector_release(&t->cols[c]);
        vector_release(&t->coded[c]);
    }
    mem_free(t->m, t->fills, t->s.n_fields * sizeof(fill));
    mem_free(t->m, t->coded, t->s.n_fields * sizeof(vector));
    mem_free(t->m, t->cols, t->s.n_fields * sizeof(vector));
    mem_free(t->m, t->row_bytes, t->s.n_fields * sizeof(size_t));
    arena_free(t->a);
}

/* ---- its columns as a source ---- */

/* n rows that are all alike, as one run. */
static inline nrw_status table_run_of(const vector *v, uint32_t row, uint32_t n, mem *m,
                                      vector *out, nrw_error *err)
{
    vector one;
    TRY(vector_slice(v, row, 1, m, &one, err));
    nrw_status st = vector_runs(m, &one, n, out, err);
    if (st < 0) {
        vector_release(&one);
        return st;
    }
    store_u32(out->data, n);
    out->n_runs = 1;
    out->len = n;
    return NRW_OK;
}

static inline nrw_status table_read(void *self, batch *b, uint32_t column, uint32_t first,
                                    uint32_t max_rows, size_t max_bytes, const uint16_t *sel,
                                    uint32_t n_sel, mem *m, vector *out, nrw_error *err)
{
    table *t = self;
    const vector *v = &t->cols[column];
    size_t n = max_bytes / t->row_bytes[column];

    n = n < 1 ? 1 : n > max_rows ? max_rows : n;
    if (t->forms && !sel && t->fills[column] == FILL_CONST && !v->null_count)
        return table_run_of(v, (uint32_t)b->first_row + first, max_rows, m, out, err);
    if (t->forms && t->coded[column].len)
        v = &t->coded[column];
    if (sel) {
        uint16_t near[64];
        vector piece;
        n = n < n_sel ? n : n_sel;
        n = n < 64 ? n : 64;
        for (size_t i = 0; i < n; i++)
            near[i] = (uint16_t)(sel[i] - first);
        nrw_status st =
            vector_slice(v, (uint32_t)b->first_row + first, near[n - 1] + 1u, m, &piece, err);
        if (st < 0)
            return st;
        st = vector_take(&piece, near, (uint32_t)n, m, out, err);
        vector_release(&piece);
        return st;
    }
    return vector_slice(v, (uint32_t)b->first_row + first, (uint32_t)n, m, out, err);
}

static inline void table_done(void *self, batch *b, uint32_t column)
{
    (void)self;
    (void)b;
    (void)column;
}

static const column_source table_source = {.read = table_read, .done = table_done};

/* ---- writing ---- */

typedef struct table_run {
    const table *t;
    writer *w;
    mem *m;
    uint32_t cut;  /* rows of a batch */
    uint32_t keep; /* a selection of every keep-th row; 0: all rows */
    pthread_mutex_t lock;
    uint64_t next;
    nrw_status st;
    nrw_error err;
} table_run;

static inline nrw_status table_push(table_run *r, uint64_t morsel, nrw_error *err)
{
    uint32_t first = (uint32_t)morsel * r->cut, n = r->t->s.n_fields;
    batch b = {.morsel = morsel, .last = true, .first_row = first, .n_cols = n, .m = r->m};
    void *cols = NULL, *sel = NULL;

    b.rows = r->t->rows - first < r->cut ? r->t->rows - first : r->cut;
    b.source = &table_source;
    b.source_self = (void *)(uintptr_t)r->t;
    TRY(mem_zalloc(r->m, n * sizeof(batch_column), &cols, err));
    b.cols = cols;
    for (uint32_t c = 0; c < n; c++)
        b.cols[c].tag = c;
    nrw_status st = NRW_OK;
    if (r->keep) {
        st = mem_alloc(r->m, BATCH_MAX_ROWS * sizeof(uint16_t), &sel, err);
        uint32_t k = 0;
        for (uint32_t i = 0; st == NRW_OK && i < b.rows; i++)
            if ((first + i) % r->keep == 0)
                ((uint16_t *)sel)[k++] = (uint16_t)i;
        if (st == NRW_OK)
            batch_select(&b, sel, k);
    }
    if (st == NRW_OK)
        st = r->w->class->push(r->w, &b, err);
    batch_release(&b);
    mem_free(r->m, cols, n * sizeof(batch_column));
    return st;
}

static inline void *table_thread(void *self)
{
    table_run *r = self;
    for (;;) {
        nrw_error err = NRW_ERROR_INIT;
        pthread_mutex_lock(&r->lock);
        uint64_t morsel = r->next;
        bool go = r->st == NRW_OK && morsel * r->cut < r->t->rows;
        r->next += go;
        pthread_mutex_unlock(&r->lock);
        if (!go)
            return NULL;
        nrw_status st = table_push(r, morsel, &err);
        if (st == NRW_OK)
            continue;
        pthread_mutex_lock(&r->lock);
        if (r->st == NRW_OK || r->st == NRW_E_CANCELLED) {
            r->st = st;
            r->err = err;
        }
        pthread_mutex_unlock(&r->lock);
        r->w->class->stop(r->w);
        return NULL;
    }
}

typedef struct table_job {
    const pq_write_options *opts;
    uint32_t cut, threads, keep;
    uint64_t grant; /* 0: no limit */
    const char *path;
    uint64_t peak; /* out: of the grant */
    uint64_t spilled;
} table_job;

static inline nrw_status table_run_threads(table_run *r, uint32_t threads, nrw_error *err)
{
    pthread_t ids[16];
    if (threads == 1) {
        table_thread(r);
    } else {
        for (uint32_t i = 0; i < threads; i++)
            assert_int_equal(pthread_create(&ids[i], NULL, table_thread, r), 0);
        for (uint32_t i = 0; i < threads; i++)
            pthread_join(ids[i], NULL);
    }
    *err = r->err;
    return r->st;
}

static inline nrw_status table_write(mem *m, const table *t, table_job *j, file_summary *out,
                                     nrw_error *err)
{
    spill *sp = NULL;
    target *to = NULL;
    mem *grant = NULL;
    table_run r = {.t = t, .m = m, .cut = j->cut, .keep = j->keep, .st = NRW_OK};

    r.err = (nrw_error)NRW_ERROR_INIT;
    pthread_mutex_init(&r.lock, NULL);
    nrw_status st = mem_child(m, "writer", j->grant ? j->grant : MEM_NO_LIMIT, &grant, err);
    if (st == NRW_OK)
        st = spill_new(m, "/tmp", UINT64_MAX, &sp, err);
    if (st == NRW_OK)
        st = target_open(m, j->path, EXISTS_REPLACE, &to, err);
    if (st == NRW_OK)
        st = parquet_writer_open(grant, sp, to, &t->s, j->opts, j->threads, &r.w, err);
    if (st == NRW_OK)
        st = table_run_threads(&r, j->threads, err);
    if (st == NRW_OK)
        st = r.w->class->finish(r.w, out, err);
    if (r.w)
        r.w->class->close(r.w);
    if (st == NRW_OK)
        st = target_publish(to, err);
    j->spilled = sp ? spill_written(sp) : 0;
    target_close(to);
    spill_close(sp);
    if (grant) {
        j->peak = mem_peak(grant);
        assert_int_equal(mem_used(grant), 0);
    }
    mem_free_account(grant);
    pthread_mutex_destroy(&r.lock);
    return st;
}

/* Whole file in memory of m. */
static inline span table_file(mem *m, const char *path)
{
    struct stat s;
    void *p;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &s), 0);
    assert_ok(mem_alloc(m, (size_t)s.st_size, &p, NULL), NULL);
    assert_int_equal(read(fd, p, (size_t)s.st_size), s.st_size);
    close(fd);
    return (span){p, (size_t)s.st_size};
}

static inline uint64_t table_file_hash(mem *m, const char *path)
{
    span s = table_file(m, path);
    uint64_t h = hash_bytes(s.data, s.len);
    mem_free(m, (void *)(uintptr_t)s.data, s.len);
    return h;
}

#endif
