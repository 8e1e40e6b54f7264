/* A lazy source made by hand, its batches carried as exec/pipeline.c carries them, and checks of
 * the values that come. */
#ifndef BATCH_MADE_H
#define BATCH_MADE_H

#include "column/batch.h"
#include "testing.h"

static nrw_error err = NRW_ERROR_INIT;

#define COLUMNS  7
#define ROWS     2000
#define FIRST_ID 1000000

/* Columns 0 and 3 are int64, the others text. A value begins with the number of its row, in eight
 * bytes, and has as many as `width` says. A row of a column must be read once at most. */
typedef struct fake {
    column_source class;
    uint32_t rows;
    uint32_t piece; /* rows that a read gives at most */
    uint16_t width[COLUMNS][ROWS];
    uint32_t next[COLUMNS]; /* rows in front of it were read, or passed over */
    uint32_t begins, done[COLUMNS];
    size_t most[COLUMNS];         /* a read of more bytes fails; 0: none does */
    uint32_t short_from[COLUMNS]; /* reads from this row of the morsel on fail once each */
    bool tears;
    uint32_t failed; /* reads */
} fake;

static inline bool is_text(uint32_t c)
{
    return c != 0 && c != 3;
}

static inline uint32_t width_of(const fake *f, uint32_t c, uint32_t row)
{
    return is_text(c) ? f->width[c][row] : 8;
}

static inline void put_value(uint8_t *to, uint32_t c, uint32_t row, uint32_t n)
{
    char head[9];
    snprintf(head, sizeof head, "%08u", row);
    memcpy(to, head, 8);
    memset(to + 8, 'a' + (int)c, n - 8);
}

/* The rows that a read gives: how many, and the bytes of them. */
static inline uint32_t rows_of_read(const fake *f, const batch *b, uint32_t c, uint32_t first,
                                    uint32_t last, size_t max_bytes, const uint16_t *sel,
                                    uint32_t n_sel, size_t *bytes)
{
    uint32_t n = 0;
    *bytes = 0;
    for (; n < f->piece && *bytes < max_bytes && (sel ? n < n_sel : first + n < last); n++) {
        uint32_t at = sel ? sel[n] : first + n;
        if (at >= last)
            break;
        uint32_t row = b->offset + at;
        if (f->short_from[c] && row >= f->short_from[c])
            break;
        *bytes += width_of(f, c, row) + (is_text(c) ? sizeof(view) : 0);
    }
    return n;
}

static inline nrw_status fill_read(const fake *f, const batch *b, uint32_t c, uint32_t first,
                                   uint32_t n, size_t bytes, const uint16_t *sel, mem *m,
                                   vector *out, nrw_error *e)
{
    type t = type_of(is_text(c) ? TYPE_UTF8 : TYPE_INT64);
    buffer *heap = NULL;
    int32_t at = 0, number = 0;
    TRY(vector_flat(m, &t, n, out, e));
    if (is_text(c)) {
        nrw_status st = buffer_new(m, bytes, &heap, e);
        if (st >= 0)
            st = vector_add_heap(out, heap, &number, e);
        buffer_unref(heap);
        if (st < 0) {
            vector_release(out);
            return st;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = b->offset + (sel ? sel[i] : first + i), len = width_of(f, c, row);
        if (!is_text(c)) {
            ((int64_t *)(void *)out->data)[i] = row;
            continue;
        }
        put_value(heap->data + at, c, row, len);
        ((view *)(void *)out->data)[i] = view_make(heap->data + at, (int32_t)len, number, at);
        at += (int32_t)len;
    }
    out->len = n;
    return NRW_OK;
}

static inline nrw_status fake_begin(void *self, batch *b, nrw_error *e)
{
    (void)b;
    (void)e;
    ((fake *)self)->begins++;
    return NRW_OK;
}

static inline nrw_status fake_read(void *self, batch *b, uint32_t column, uint32_t first,
                                   uint32_t max_rows, size_t max_bytes, const uint16_t *sel,
                                   uint32_t n_sel, mem *m, vector *out, nrw_error *e)
{
    fake *f = self;
    size_t bytes;
    uint32_t n, last = first + max_rows;
    assert_true(last <= b->rows);
    assert_true(b->offset + b->rows <= f->rows);
    assert_true(b->offset + (sel ? sel[0] : first) >= f->next[column]);
    n = rows_of_read(f, b, column, first, last, max_bytes, sel, n_sel, &bytes);
    if (n == 0)
        f->short_from[column] = 0; /* there is memory the next time */
    if (n == 0 || (f->most[column] && bytes > f->most[column])) {
        b->torn = f->tears;
        f->failed++;
        return err_set(e, NRW_E_MEMLIMIT, "no room");
    }
    TRY(fill_read(f, b, column, first, n, bytes, sel, m, out, e));
    f->next[column] = b->offset + (sel ? sel[n - 1] : first + n - 1) + 1;
    return NRW_OK;
}

static inline void fake_done(void *self, batch *b, uint32_t column)
{
    fake *f = self;
    assert_true(b->last);
    f->done[column]++;
}

static inline fake *fake_new(uint32_t rows, uint32_t width)
{
    fake *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->class = (column_source){.begin = fake_begin, .read = fake_read, .done = fake_done};
    f->rows = rows;
    f->piece = 64;
    for (uint32_t c = 0; c < COLUMNS; c++)
        for (uint32_t i = 0; i < rows; i++)
            f->width[c][i] = (uint16_t)width;
    return f;
}

static inline void widen(fake *f, uint32_t c, uint32_t from, uint32_t to, uint32_t width)
{
    for (uint32_t i = from; i < to; i++)
        f->width[c][i] = (uint16_t)width;
}

/* ---- carrying: what exec/pipeline.c does with a lazy source ---- */

typedef struct carried {
    fake *f;
    mem *m;
    batch b;
    batch_column cols[COLUMNS];
    bool begun;
    uint32_t batches;
} carried;

static inline void carry_open(carried *k, fake *f, mem *m)
{
    *k = (carried){.f = f, .m = m};
    for (uint32_t c = 0; c < COLUMNS; c++)
        k->cols[c] = (batch_column){.state = COLUMN_LAZY, .tag = c, .varies = is_text(c)};
    k->b = (batch){.last = true,
                   .rows = f->rows,
                   .first_row = FIRST_ID,
                   .n_cols = COLUMNS,
                   .cols = k->cols,
                   .source = &f->class,
                   .source_self = f,
                   .m = m};
}

static inline void carry_begin(carried *k)
{
    if (!k->begun)
        assert_ok(k->f->class.begin(k->f, &k->b, &err), &err);
    k->batches++;
}

/* Ends a batch: whether another one of the morsel is there then. */
static inline bool carry_on(carried *k)
{
    batch *b = &k->b;
    const bool last = b->last;
    uint32_t offset = b->offset + b->rows;
    assert_true(b->rows > 0);
    batch_release(b);
    for (uint32_t c = 0; c < COLUMNS; c++)
        assert_int_equal(k->f->done[c], last);
    assert_int_equal(last, offset == k->f->rows);
    if (last)
        return false;
    k->begun = batch_move_on(b, k->f->rows - offset);
    assert_int_equal(b->offset, offset);
    assert_int_equal(b->first_row, FIRST_ID + offset);
    return true;
}

static inline void carry_close(carried *k)
{
    batch_forget_ahead(&k->b);
    for (uint32_t c = 0; c < COLUMNS; c++) {
        assert_int_equal(k->f->done[c], 1);
        assert_null(k->cols[c].ahead);
        assert_null(k->cols[c].held);
    }
    assert_int_equal(mem_used(k->m), 0);
    free(k->f);
}

/* ---- values ---- */

static inline uint32_t row_in(const vector *v, uint32_t c, uint32_t i)
{
    bool null;
    span s = vector_value(v, i, &null);
    char head[9] = {0};
    int64_t x;
    assert_false(null);
    if (is_text(c)) {
        memcpy(head, s.data, 8);
        return (uint32_t)strtoul(head, NULL, 10);
    }
    memcpy(&x, s.data, 8);
    return (uint32_t)x;
}

static inline void check_value(const fake *f, const vector *v, uint32_t c, uint32_t i, uint32_t row)
{
    uint8_t want[UINT16_MAX];
    bool null;
    span s = vector_value(v, i, &null);
    assert_int_equal(row_in(v, c, i), row);
    if (!is_text(c))
        return;
    assert_int_equal(s.len, f->width[c][row]);
    put_value(want, c, row, f->width[c][row]);
    assert_memory_equal(s.data, want, s.len);
}

static inline void check_all(const batch *b, const fake *f, const vector *v, uint32_t c)
{
    assert_int_equal(v->len, b->rows);
    for (uint32_t i = 0; i < v->len; i++)
        check_value(f, v, c, i, b->offset + i);
}

/* Those alive, as the selection has them. */
static inline void check_alive(const batch *b, const fake *f, const vector *v, uint32_t c)
{
    assert_ok(vector_validate(v, &err), &err);
    assert_int_equal(v->len, batch_alive(b));
    for (uint32_t i = 0; i < v->len; i++)
        check_value(f, v, c, i, b->offset + (b->sel ? b->sel[i] : i));
}

static inline const vector *hold(carried *k, uint32_t c, size_t max_bytes)
{
    const vector *v;
    assert_ok(batch_hold(&k->b, c, max_bytes, &v, &err), &err);
    assert_ok(vector_validate(v, &err), &err);
    check_all(&k->b, k->f, v, c);
    return v;
}

/* ---- which rows a filter keeps ---- */

typedef bool (*keeps)(uint32_t row, uint64_t how);

/* As op_where has it: rows of column c that are held decide; all alive: no selection. */
static inline nrw_status narrow(carried *k, uint32_t c, keeps keep, uint64_t how)
{
    batch *b = &k->b;
    const vector *v = k->cols[c].held;
    const uint32_t alive = batch_alive(b);
    uint32_t n = 0;
    void *p;
    TRY(mem_alloc(k->m, BATCH_MAX_ROWS * sizeof(uint16_t), &p, &err));
    for (uint32_t i = 0; i < alive; i++) {
        uint32_t at = b->sel ? b->sel[i] : i;
        if (keep(row_in(v, c, at), how))
            ((uint16_t *)p)[n++] = (uint16_t)at;
    }
    if (n < alive)
        batch_select(b, p, n);
    else
        mem_free(k->m, p, BATCH_MAX_ROWS * sizeof(uint16_t));
    return NRW_OK;
}

static inline void select_by(carried *k, uint32_t c, keeps keep, uint64_t how)
{
    assert_ok(narrow(k, c, keep, how), &err);
}

static inline void take(carried *k, const uint32_t *cols, uint32_t n, size_t max_bytes)
{
    vector out[COLUMNS];
    assert_ok(batch_take(&k->b, cols, n, max_bytes, out, &err), &err);
    for (uint32_t i = 0; i < n; i++) {
        check_alive(&k->b, k->f, &out[i], cols ? cols[i] : i);
        vector_release(&out[i]);
    }
    for (uint32_t c = 0; c < COLUMNS; c++)
        assert_int_equal(k->cols[c].state, COLUMN_TAKEN);
}

#endif
