/* Whole files through the reader, as a job reads them: every column (parts of nested ones, too),
 * all rows, and then those that a condition on the first columns wants, so that statistics,
 * indexes, bloom filters and dictionaries of the file are believed. Rows come or an error with its
 * place does, in bounded memory; what comes are sound vectors, and no more rows than the footer
 * says. */
#include "expr/expr.h"
#include "format/parquet/parquet.h"
#include "placed.h"
#include "vectors.h"

#include <stdlib.h>

enum { MOST_MEMORY = 64 << 20, MOST_SPILL = 64 << 20, MOST_COLUMNS = 12, MOST_ROWS = 200000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
    mem *m;
    arena *a;
    span file;
    uint32_t hash;
} input;

static nrw_status read_rows(input *x, reader *r, uint32_t n, nrw_error *err)
{
    batch_column cols[MOST_COLUMNS];
    int64_t most = r->class->rows(r);
    nrw_status st = NRW_OK;
    for (uint64_t morsel = 0; st == NRW_OK; morsel++) {
        batch b = {.morsel = morsel, .last = true, .m = x->m, .cols = cols, .n_cols = n};
        for (uint32_t i = 0; i < n; i++)
            cols[i] = (batch_column){.tag = i};
        st = r->class->next(r, &b, err);
        if (st != NRW_OK)
            break;
        if (b.rows == 0 || b.first_row < 0 || b.first_row + b.rows > most)
            __builtin_trap();
        st = walk_batch(&b, NULL, NULL, err);
        if (st < 0)
            batch_abandon(&b);
        else
            batch_release(&b);
        if (b.first_row > MOST_ROWS)
            break; /* hostile row counts over columns without pages */
    }
    return st;
}

/* A comparison of the first column that can be compared with one of these. */
static const row_filter *condition(input *x, const schema *s)
{
    static const char *const values[] = {"'a'", "7", "'2020-01-01'", "true"};
    char text[100];
    const char *texts[] = {text};
    predicate *p;
    for (uint32_t i = 0; i < s->n_fields && i < 20; i++) {
        const char *name = s->fields[((x->hash >> 4) + i) % s->n_fields].name;
        for (uint32_t k = 0; k < 4 && strlen(name) < 60; k++) {
            snprintf(text, sizeof text, "\"%s\" %s %s", name, x->hash & 1 ? "=" : ">=", values[k]);
            if (predicate_parse(x->a, texts, 1, s, "fuzz", &p, NULL) == NRW_OK)
                return predicate_filter(p);
        }
    }
    return NULL;
}

static nrw_status read_file(input *x, bool filtered, nrw_error *err)
{
    batch_shape shape = {.max_rows = 1 + x->hash % 5000, .column_bytes = 1 << 14, .workers = 1};
    pq_read_options ro = {0};
    uint32_t cols[MOST_COLUMNS], n = 0;
    spill *sp = NULL;
    reader *r = NULL;
    mem *grant = NULL;
    io_file *f;
    budget b;
    TRY(file_open_memory(x->m, "fuzz", x->file, &f, err));
    nrw_status st = parquet_open(x->m, f, &ro, &r, err);
    if (st < 0)
        return st;
    const schema *s = r->class->schema(r);
    for (uint32_t i = 0; i < s->n_fields + s->n_parts && n < MOST_COLUMNS; i++)
        cols[n++] = i;
    if (filtered)
        shape.filter = condition(x, s);
    if (filtered && !shape.filter)
        goto out;
    TRY_OUT(r->class->budget(r, cols, n, 1, &b, err));
    TRY_OUT(mem_child(x->m, "reader", b.least, &grant, err));
    TRY_OUT(spill_new(x->m, NULL, MOST_SPILL, &sp, err));
    TRY_OUT(r->class->start(r, cols, n, &shape, grant, sp, err));
    st = read_rows(x, r, n, err);
out:
    r->class->close(r);
    spill_close(sp);
    mem_free_account(grant);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input x = {.file = {data, size}};
    for (size_t i = 0; i < size; i++)
        x.hash = x.hash * 31 + data[i];
    if (mem_root(MOST_MEMORY, &x.m, NULL) < 0 || arena_new(x.m, &x.a, NULL) < 0)
        return 0;
    for (int filtered = 0; filtered < 2; filtered++) {
        nrw_error err = NRW_ERROR_INIT;
        nrw_status st = read_file(&x, filtered, &err);
        if (st < 0)
            must_be_placed(st, &err);
    }
    arena_free(x.a);
    mem_trim();
    if (mem_used(x.m))
        __builtin_trap();
    mem_free_account(x.m);
    return 0;
}
