/* Whole Arrow files and streams: headers, dictionaries, record batches. All columns are read, in
 * two shapes of batches. Rows come or an error with its place does, in bounded memory; what comes
 * are sound vectors, and the same number of rows either way. */
#include "format/arrow/arrow.h"
#include "placed.h"
#include "vectors.h"

enum { MOST_MEMORY = 64 << 20, MOST_COLUMNS = 16, MOST_ROWS = 100000, MOST_SPILL = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static nrw_status read_rows(mem *m, reader *r, uint32_t n, int64_t *rows, nrw_error *err)
{
    batch_column cols[MOST_COLUMNS];
    nrw_status st = NRW_OK;

    for (uint64_t morsel = 0; st == NRW_OK && *rows < MOST_ROWS; morsel++) {
        batch b = {.morsel = morsel, .last = true, .m = m, .cols = cols, .n_cols = n};
        for (uint32_t i = 0; i < n; i++)
            cols[i] = (batch_column){.tag = i};
        st = r->class->next(r, &b, err);
        if (st != NRW_OK)
            break;
        hold(b.rows > 0 && b.first_row == *rows);
        *rows += b.rows;
        st = walk_batch(&b, NULL, NULL, err);
        if (st < 0)
            batch_abandon(&b);
        else
            batch_release(&b);
    }
    return st;
}

static nrw_status read_file(mem *m, span file, const batch_shape *shape, int64_t *rows,
                            nrw_error *err)
{
    const read_options none = {0};
    uint32_t cols[MOST_COLUMNS], n = 0;
    spill *sp = NULL;
    reader *r = NULL;
    mem *grant = NULL;
    nrw_status st;
    io_file *f;
    budget need;

    TRY(file_open_memory(m, "fuzz", file, &f, err));
    TRY(format_arrow.open(m, f, &none, &r, err));
    for (uint32_t i = 0; i < r->class->schema(r)->n_fields && n < MOST_COLUMNS; i++)
        cols[n++] = i;
    TRY_OUT(r->class->budget(r, cols, n, 1, &need, err));
    TRY_OUT(mem_child(m, "reader", need.least, &grant, err));
    TRY_OUT(spill_new(m, NULL, MOST_SPILL, &sp, err));
    TRY_OUT(r->class->start(r, cols, n, shape, grant, sp, err));
    st = read_rows(m, r, n, rows, err);
out:
    r->class->close(r);
    spill_close(sp);
    mem_free_account(grant);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const batch_shape shapes[] = {
        {.max_rows = 7, .column_bytes = 1 << 10, .batch_bytes = 1 << 10, .workers = 1},
        {.max_rows = BATCH_MAX_ROWS, .column_bytes = 1 << 16, .workers = 1}};
    nrw_status st[2];
    int64_t rows[2] = {0};

    for (int i = 0; i < 2; i++) {
        nrw_error err = NRW_ERROR_INIT;
        mem *m;
        if (mem_root(MOST_MEMORY, &m, NULL) < 0)
            return 0;
        st[i] = read_file(m, (span){data, size}, &shapes[i], &rows[i], &err);
        if (st[i] < 0)
            must_be_placed(st[i], &err);
        mem_trim();
        hold(mem_used(m) == 0);
        mem_free_account(m);
    }
    if (st[0] == NRW_END && st[1] == NRW_END)
        hold(rows[0] == rows[1]);
    return 0;
}
