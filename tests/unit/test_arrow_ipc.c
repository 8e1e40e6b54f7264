/* Arrow written and read again; with every allocation and every call of the system failing in
 * turn, nothing is leaked and an error comes. */
#include "base/fault.h"
#include "column/note.h"
#include "format/arrow/arrow.h"
#include "temp_folder.h"

enum { ROWS = 700 };

static const field_note dictionary = {
    .dictionary = true, .index_signed = true, .index_bits = 16, .edges = -1, .version = -1};
static const field_note views = {.form = ARROW_VIEW, .edges = -1, .version = -1};

static field element, columns[5];
static schema all = {.n_fields = 5, .fields = columns};

static void make_schema(void)
{
    element = (field){.name = "item", .type = type_of(TYPE_INT32), .nullable = true};
    columns[0] = (field){.name = "id", .type = type_of(TYPE_INT64)};
    columns[1] = (field){.name = "text", .type = type_of(TYPE_UTF8), .nullable = true};
    columns[2] =
        (field){.name = "word", .type = type_of(TYPE_UTF8), .nullable = true, .note = &dictionary};
    columns[3] =
        (field){.name = "view", .type = type_of(TYPE_BINARY), .nullable = true, .note = &views};
    columns[4] = (field){.name = "list", .type = type_nested(TYPE_LIST, &element, 1)};
}

static size_t text_of_row(uint32_t column, uint32_t row, char out[64])
{
    return (size_t)(column == 2 ? snprintf(out, 64, "word %u", row % 7)
                                : snprintf(out, 64, "row %u of column %u", row, column));
}

static nrw_status text_column(mem *m, uint32_t c, vector *v, nrw_error *err)
{
    buffer *heap;
    int32_t index;
    size_t at = 0;
    nrw_status st;

    TRY(buffer_new(m, (size_t)ROWS * 64, &heap, err));
    st = vector_add_heap(v, heap, &index, err);
    for (uint32_t i = 0; st >= 0 && i < ROWS; i++) {
        char text[64];
        size_t n = text_of_row(c, i, text);
        memcpy(heap->data + at, text, n);
        ((view *)(void *)v->data)[i] = view_make(heap->data + at, (int32_t)n, index, (int32_t)at);
        at += n;
    }
    buffer_unref(heap);
    return st;
}

/* Row i of the list holds i % 3 elements. */
static nrw_status list_column(mem *m, vector *v, nrw_error *err)
{
    uint32_t *at = (uint32_t *)(void *)v->data, n = 0;
    vector *e = &v->children[0];

    for (uint32_t i = 0; i < ROWS; n += i++ % 3)
        at[i] = n;
    at[ROWS] = n;
    TRY(vector_flat(m, &element.type, n, e, err));
    e->len = n;
    for (uint32_t i = 0; i < n; i++)
        ((int32_t *)(void *)e->data)[i] = (int32_t)i;
    return NRW_OK;
}

static nrw_status fill(mem *m, uint32_t c, vector *v, nrw_error *err)
{
    nrw_status st;

    TRY(vector_flat(m, &columns[c].type, ROWS, v, err));
    v->len = ROWS;
    for (uint32_t i = 0; c == 0 && i < ROWS; i++)
        ((int64_t *)(void *)v->data)[i] = i;
    st = c == 0 ? NRW_OK : c == 4 ? list_column(m, v, err) : text_column(m, c, v, err);
    if (st < 0)
        vector_release(v);
    return st;
}

static nrw_status hold_columns(mem *m, batch *b, nrw_error *err)
{
    for (uint32_t c = 0; c < b->n_cols; c++) {
        void *p;
        nrw_status st;
        TRY(mem_zalloc(m, sizeof(vector), &p, err));
        st = fill(m, c, p, err);
        if (st < 0) {
            mem_free(m, p, sizeof(vector));
            return st;
        }
        b->cols[c].held = p;
        b->cols[c].state = COLUMN_HELD;
    }
    return NRW_OK;
}

static nrw_status push_rows(mem *m, writer *w, nrw_error *err)
{
    batch_column cols[5] = {0};
    batch b = {.m = m, .cols = cols, .n_cols = 5, .rows = ROWS, .last = true};
    nrw_status st;

    for (uint32_t c = 0; c < 5; c++)
        cols[c].state = COLUMN_TAKEN;
    st = hold_columns(m, &b, err);
    if (st >= 0)
        st = w->class->push(w, &b, err);
    batch_release(&b);
    return st;
}

static nrw_status write_file(mem *m, const char *path, const arrow_write_options *o, bool stream,
                             nrw_error *err)
{
    spill *sp = NULL;
    target *t = NULL;
    writer *w = NULL;
    file_summary sum;
    nrw_status st;

    TRY_OUT(spill_new(m, NULL, 1 << 20, &sp, err));
    TRY_OUT(target_open(m, path, EXISTS_REPLACE, &t, err));
    TRY_OUT(arrow_writer_open(m, sp, t, &all, o, stream, 1, &w, err));
    TRY_OUT(push_rows(m, w, err));
    TRY_OUT(w->class->finish(w, &sum, err));
    st = target_publish(t, err);
out:
    if (w)
        w->class->close(w);
    target_close(t);
    spill_close(sp);
    return st;
}

static void check_row(const vector *v, uint32_t c, uint32_t row, uint32_t at)
{
    char text[64];
    bool null;
    span got;

    if (c == 4) {
        assert_int_equal(vector_offsets(v)[at + 1] - vector_offsets(v)[at], row % 3);
        return;
    }
    got = vector_value(v, at, &null);
    assert_false(null);
    if (c == 0)
        assert_int_equal(load_u64(got.data), row);
    else
        assert_true(span_equal(got, (span){(uint8_t *)text, text_of_row(c, row, text)}));
}

static nrw_status walk(batch *b, uint32_t from, nrw_error *err)
{
    for (uint32_t c = 0; c < b->n_cols; c++) {
        column_walk walk = batch_walk(b, c);
        uint32_t at = 0;
        nrw_status st;
        vector v;
        while ((st = column_next(&walk, 2000, &v, err)) == NRW_OK) {
            for (uint32_t i = 0; i < v.len; i++)
                check_row(&v, c, from + at + i, i);
            at += v.len;
            vector_release(&v);
        }
        TRY(st);
        assert_int_equal(at, b->rows);
    }
    return NRW_OK;
}

static nrw_status read_batches(mem *m, reader *r, uint32_t *rows, nrw_error *err)
{
    nrw_status st;

    for (uint64_t k = 0;; k++) {
        batch_column cols[5];
        batch b = {.m = m, .cols = cols, .n_cols = 5, .last = true, .morsel = k};
        for (uint32_t c = 0; c < 5; c++)
            cols[c] = (batch_column){.tag = c};
        TRY(st = r->class->next(r, &b, err));
        if (st == NRW_END)
            return NRW_OK;
        st = walk(&b, *rows, err);
        *rows += b.rows;
        if (st < 0)
            batch_abandon(&b);
        else
            batch_release(&b);
        TRY(st);
    }
}

static nrw_status read_file(mem *m, const char *path, uint32_t *rows, nrw_error *err)
{
    const batch_shape shape = {.max_rows = 100, .column_bytes = 4096, .workers = 1};
    static const uint32_t cols[] = {0, 1, 2, 3, 4};
    const read_options none = {0};
    spill *sp = NULL;
    reader *r = NULL;
    nrw_status st;
    io_file *f;

    *rows = 0;
    TRY(file_open(m, path, NULL, &f, err));
    TRY(format_arrow.open(m, f, &none, &r, err));
    TRY_OUT(spill_new(m, NULL, 1 << 20, &sp, err));
    TRY_OUT(r->class->start(r, cols, 5, &shape, m, sp, err));
    st = read_batches(m, r, rows, err);
out:
    r->class->close(r);
    spill_close(sp);
    return st;
}

typedef struct form {
    bool stream;
    const char *codec;
    uint32_t batch_rows;
} form;

static const form forms[] = {
    {false, NULL, 65536}, {true, NULL, 64}, {false, "zstd", 300}, {true, "lz4", 1000}};

static nrw_status both(temp_folder *t, const form *f, nrw_error *err)
{
    const codec *c = f->codec ? arrow_codec(f->codec) : NULL;
    const arrow_write_options o = {
        .codec = c, .level = c ? c->default_level : 0, .batch_rows = f->batch_rows};
    const char *path = temp_path(t, "out.arrow");
    mem *m = test_mem_open(64 << 20);
    uint32_t rows = 0;
    nrw_status st = write_file(m, path, &o, f->stream, err);

    if (st >= 0)
        st = read_file(m, path, &rows, err);
    if (st >= 0)
        assert_int_equal(rows, ROWS);
    test_mem_close(m);
    return st;
}

static void round_trip(void **state)
{
    temp_folder t;

    (void)state;
    temp_folder_make(&t);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        nrw_error err = NRW_ERROR_INIT;
        assert_ok(both(&t, &forms[i], &err), &err);
    }
    temp_folder_remove(&t);
}

#ifdef NARROWS_FAULTS
static void faults(void **state)
{
    temp_folder t;

    (void)state;
    temp_folder_make(&t);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        for (int kind = FAULT_ALLOC; kind <= FAULT_IO; kind++) {
            nrw_error err = NRW_ERROR_INIT;
            uint64_t n;
            fault_arm(kind, 0);
            assert_ok(both(&t, &forms[i], &err), &err);
            n = fault_count(kind);
            for (uint64_t k = 1; k <= n; k++) {
                nrw_status st;
                err = (nrw_error)NRW_ERROR_INIT;
                fault_arm(kind, k);
                st = both(&t, &forms[i], &err);
                fault_arm(kind, 0);
                if (st < 0)
                    assert_true(err.message[0] != '\0');
            }
        }
    temp_folder_remove(&t);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(faults),
#endif
    };

    make_schema();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
