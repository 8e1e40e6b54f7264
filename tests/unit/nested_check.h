/* For tests that write nested columns: whether what a file holds prints as the table it is from. */
#ifndef NESTED_CHECK_H
#define NESTED_CHECK_H

#include "nested_rows.h"

#include "column/json_value.h"

enum { CHECK_COLUMNS = 64 };

static inline void same_rows(mem *m, const vector *want, uint32_t first, const vector *got)
{
    nrw_error err = NRW_ERROR_INIT;
    bytes a = bytes_init(m, SIZE_MAX / 4), b = a;
    json_sink to_a = {.out = &a}, to_b = {.out = &b};
    for (uint32_t i = 0; i < got->len; i++) {
        bytes_clear(&a);
        bytes_clear(&b);
        assert_ok(json_value(&to_a, want, first + i, &err), &err);
        assert_ok(json_value(&to_b, got, i, &err), &err);
        if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0)
            fail_msg("row %u is %.*s, not %.*s", first + i, (int)b.len, (char *)b.data, (int)a.len,
                     (char *)a.data);
    }
    bytes_release(&a);
    bytes_release(&b);
}

static inline void check_batch(mem *m, const table *t, batch *b)
{
    nrw_error err = NRW_ERROR_INIT;

    for (uint32_t c = 0; c < b->n_cols; c++) {
        column_walk walk = batch_walk(b, c);
        uint32_t row = (uint32_t)b->first_row;
        vector v;
        nrw_status st;
        while ((st = column_next(&walk, 8192, &v, &err)) == NRW_OK) {
            assert_ok(vector_validate(&v, &err), &err);
            same_rows(m, &t->cols[c], row, &v);
            row += v.len;
            vector_release(&v);
        }
        assert_status(NRW_END, st, &err);
        assert_int_equal(row, b->first_row + b->rows);
    }
}

static inline void check_nested_file(mem *m, const char *path, const table *t)
{
    nrw_error err = NRW_ERROR_INIT;
    io_file *f;
    reader *r;
    spill *sp;
    pq_read_options ro = {0};
    uint32_t cols[CHECK_COLUMNS], n = t->s.n_fields, rows = 0;
    batch_column bc[CHECK_COLUMNS];
    batch_shape shape = {.max_rows = 700, .column_bytes = 1 << 20, .workers = 1};
    nrw_status st;

    assert_ok(spill_new(m, "/tmp", UINT64_MAX, &sp, &err), &err);
    assert_ok(file_open(m, path, NULL, &f, &err), &err);
    assert_ok(parquet_open(m, f, &ro, &r, &err), &err);
    assert_int_equal(r->class->rows(r), t->rows);
    for (uint32_t i = 0; i < n; i++) {
        const field *want = &t->s.fields[i], *got = &r->class->schema(r)->fields[i];
        assert_true(type_equal(&want->type, &got->type));
        assert_string_equal(want->name, got->name);
        assert_int_equal(want->nullable, got->nullable);
        assert_int_equal(want->field_id, got->field_id);
        cols[i] = i;
    }
    assert_ok(r->class->start(r, cols, n, &shape, m, sp, &err), &err);
    for (uint64_t morsel = 0;; morsel++) {
        batch b = {.morsel = morsel, .last = true, .m = m, .cols = bc, .n_cols = n};
        for (uint32_t i = 0; i < n; i++)
            bc[i] = (batch_column){.tag = i};
        st = r->class->next(r, &b, &err);
        if (st != NRW_OK)
            break;
        rows += b.rows;
        check_batch(m, t, &b);
        batch_release(&b);
    }
    assert_status(NRW_END, st, &err);
    assert_int_equal(rows, t->rows);
    r->class->close(r);
    spill_close(sp);
}

#endif
