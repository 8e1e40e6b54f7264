/* Footers: whatever bytes stand there, opening gives metadata or an error, and all that hangs on
 * the metadata (chunks, indexes, key values, text) can be asked for. Bytes that do not end as a
 * Parquet file are taken as a footer alone and wrapped into one. */
#include "format/parquet/inspect.h"
#include "placed.h"

#include <stdlib.h>

enum { MOST_MEMORY = 64 << 20, MOST_ASKED = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_chunk(pq_meta *p, arena *a, const pq_leaf *l, const pq_chunk *c, int64_t rows)
{
    char text[64];
    uint32_t n;
    pq_page_place *places;
    pq_column_index index;
    if (c->start < 4 || c->end < c->start)
        __builtin_trap();
    if (c->stats.has_min)
        pq_value_print(l, c->stats.min, text, sizeof text);
    if (c->stats.has_min && c->stats.has_max)
        pq_value_compare(l, c->stats.min, c->stats.max);
    (void)pq_offset_index(p, c, rows, a, &n, &places, NULL);
    if (pq_column_index_read(p, c, a, &index, NULL) == NRW_OK)
        for (uint32_t i = 0; i < index.n && i < MOST_ASKED; i++)
            pq_value_print(l, index.max[i], text, sizeof text);
}

static nrw_status see_page(void *self, const pq_page_info *i, nrw_error *err)
{
    if (i->offset < 4 || i->page.compressed < 0)
        __builtin_trap();
    /* A hostile chunk may have very many empty pages. */
    return ++*(int *)self > MOST_ASKED * MOST_ASKED ? err_set(err, NRW_E_CANCELLED, "enough")
                                                    : NRW_OK;
}

static nrw_status see_column(void *self, const pq_column_info *c, nrw_error *err)
{
    char text[64];
    (void)self;
    (void)err;
    if (c->has_min)
        pq_value_print(c->column, c->min, text, sizeof text);
    return NRW_OK;
}

static void look_at(mem *m, pq_meta *p, arena *a)
{
    int pages = 0;
    (void)pq_inspect_columns(p, m, see_column, NULL, NULL);
    (void)pq_inspect_pages(p, m, see_page, &pages, NULL);
    uint32_t n;
    pq_key_value *kv;
    pq_sorting *sorting;
    pq_row_group g;
    pq_chunk c;
    bytes text = bytes_init(m, MOST_MEMORY);
    (void)pq_meta_schema_text(p, &text, NULL);
    bytes_release(&text);
    (void)schema_find(pq_meta_schema(p), "a.b");
    (void)pq_meta_key_values(p, a, &n, &kv, NULL);
    for (int32_t rg = 0; rg < pq_meta_row_groups(p) && rg < MOST_ASKED; rg++) {
        if (pq_meta_row_group(p, rg, &g, NULL) < 0 || g.rows < 0)
            __builtin_trap();
        (void)pq_meta_sorting(p, rg, a, &n, &sorting, NULL);
        for (uint32_t i = pq_meta_leaves(p); i-- > 0;)
            if (i < MOST_ASKED && pq_meta_chunk(p, rg, i, a, &c, NULL) == NRW_OK)
                look_at_chunk(p, a, pq_meta_leaf(p, i), &c, g.rows);
    }
}

static void open_bytes(mem *m, span file)
{
    io_file *f;
    pq_meta *p;
    arena *a;
    if (file_open_memory(m, "fuzz", file, &f, NULL) < 0)
        return;
    nrw_error err = NRW_ERROR_INIT;
    nrw_status st = pq_meta_open(m, f, NULL, &p, &err);
    if (st < 0)
        must_be_placed(st, &err);
    if (st >= 0 && arena_new(m, &a, NULL) >= 0) {
        look_at(m, p, a);
        arena_free(a);
    }
    pq_meta_close(p);
    file_close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mem *m;
    if (mem_root(MOST_MEMORY, &m, NULL) < 0)
        return 0;
    if (size >= 4 && !memcmp(data + size - 4, "PAR1", 4)) {
        open_bytes(m, (span){data, size});
    } else {
        uint8_t *file = malloc(size + 12);
        if (file) {
            memcpy(file, "PAR1", 4);
            if (size)
                memcpy(file + 4, data, size);
            store_u32(file + 4 + size, (uint32_t)size);
            memcpy(file + 8 + size, "PAR1", 4);
            open_bytes(m, (span){file, size + 12});
        }
        free(file);
    }
    mem_trim();
    if (mem_used(m))
        __builtin_trap();
    mem_free_account(m);
    return 0;
}
