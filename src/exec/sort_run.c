#include "exec/sort_run.h"

sort_entry sort_entry_of(const row_layout *l, uint8_t *row)
{
    span key = row_value(l, row, 0);
    uint8_t head[24] = {0};
    uint64_t a, b;

    memcpy(head, key.data, size_min(key.len, 17));
    a = __builtin_bswap64(load_u64(head));
    b = __builtin_bswap64(load_u64(head + 8));
    return (sort_entry){a << 6 | b >> 58, b << 6 | head[16] >> 2, row};
}

int sort_compare(const row_layout *l, const sort_entry *a, const sort_entry *b)
{
    if (a->high != b->high)
        return a->high < b->high ? -1 : 1;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    return span_compare(row_value(l, a->row, 0), row_value(l, b->row, 0));
}

/* ---- spilled runs ---- */

#define LIST_BLOCKS 64
#define LIST_BYTES  (LIST_BLOCKS * sizeof(run_block))

run_writer run_writer_of(const row_layout *l, bool again, mem *m, spill *s)
{
    return (run_writer){.layout = l,
                        .again = again,
                        .m = m,
                        .spill = s,
                        .rows = bytes_init(m, UINT32_MAX),
                        .packed = bytes_init(m, UINT32_MAX)};
}

void run_writer_release(run_writer *w)
{
    bytes_release(&w->rows);
    bytes_release(&w->packed);
}

static nrw_status list_room(sort_run *r, mem *m, nrw_error *err)
{
    return r->blocks ? NRW_OK : mem_alloc(m, LIST_BYTES, (void **)&r->blocks, err);
}

/* The list at hand goes to the spill file. */
static nrw_status put_list(sort_run *r, mem *m, spill *s, nrw_error *err)
{
    span list = {(const uint8_t *)r->blocks, r->n_blocks * sizeof *r->blocks};
    spill_block b;
    nrw_status st;

    TRY(spill_write(s, list, false, &b, err));
    st = spill_list_add(m, &r->lists, &r->n_lists, &r->cap_lists, &b, err);
    if (st < 0)
        spill_free(s, &b);
    else
        r->n_blocks = 0;
    return st;
}

/* The next list comes to hand, whose blocks are all to come. */
static nrw_status take_list(sort_run *r, mem *m, spill *s, nrw_error *err)
{
    const spill_block *b = &r->lists[r->next_list];

    TRY(list_room(r, m, err));
    TRY(spill_read(s, b, r->blocks, err));
    spill_free(s, b);
    r->next_list++;
    r->n_blocks = (uint32_t)(b->len / sizeof *r->blocks);
    r->next_block = 0;
    return NRW_OK;
}

/* A row that is larger than blocks are is not held twice. */
static nrw_status put_rows(sort_run *r, run_writer *w, run_block *b, nrw_error *err)
{
    span rows = {w->rows.data, w->rows.len};

    *b = (run_block){0};
    if (rows.len > r->block)
        return spill_write(w->spill, rows, true, &b->at, err);
    w->packed.len = 0;
    TRY(rows_pack(w->layout, rows, &w->packed, err));
    b->rows = rows.len;
    return spill_write(w->spill, (span){w->packed.data, w->packed.len}, w->again, &b->at, err);
}

static nrw_status put_block(sort_run *r, run_writer *w, nrw_error *err)
{
    if (w->rows.len == 0)
        return NRW_OK;
    TRY(list_room(r, w->m, err));
    if (r->n_blocks == LIST_BLOCKS)
        TRY(put_list(r, w->m, w->spill, err));
    TRY(put_rows(r, w, &r->blocks[r->n_blocks], err));
    r->n_blocks++;
    w->rows.len = 0;
    return NRW_OK;
}

nrw_status sort_run_end(sort_run *r, run_writer *w, nrw_error *err)
{
    TRY(put_block(r, w, err));
    if (r->n_blocks)
        TRY(put_list(r, w->m, w->spill, err));
    mem_free(w->m, r->blocks, r->blocks ? LIST_BYTES : 0);
    r->blocks = NULL;
    return NRW_OK;
}

nrw_status sort_run_put(sort_run *r, run_writer *w, const uint8_t *row, nrw_error *err)
{
    if (w->rows.len && w->rows.len + row_bytes(row) > r->block)
        TRY(put_block(r, w, err));
    return bytes_append(&w->rows, row, row_bytes(row), err);
}

void sort_run_free(sort_run *r, mem *m, spill *s)
{
    do {
        for (uint32_t i = r->next_block; i < r->n_blocks; i++)
            spill_free(s, &r->blocks[i].at);
        r->next_block = r->n_blocks = 0;
    } while (r->next_list < r->n_lists && take_list(r, m, s, NULL) == NRW_OK);
    mem_free(m, r->blocks, r->blocks ? LIST_BYTES : 0);
    mem_free(m, r->lists, r->cap_lists * sizeof *r->lists);
    mem_free(m, r->data, r->cap);
    *r = (sort_run){.block = r->block};
}

/* ---- merging ---- */

static nrw_status load_block(sort_merge *g, sort_run *r, const run_block *b, nrw_error *err)
{
    if (!b->rows)
        return spill_read(g->spill, &b->at, r->data, err);
    g->packed.len = 0;
    TRY(bytes_reserve(&g->packed, b->at.len + PACK_SLACK, err));
    TRY(spill_read(g->spill, &b->at, g->packed.data, err));
    rows_unpack(g->layout, g->packed.data, r->data);
    return NRW_OK;
}

static nrw_status open_block(sort_merge *g, sort_run *r, nrw_error *err)
{
    const run_block *b;
    uint64_t len;

    if (r->next_block == r->n_blocks)
        TRY(take_list(r, g->m, g->spill, err));
    b = &r->blocks[r->next_block];
    len = b->rows ? b->rows : b->at.len;
    if (len > r->cap) {
        mem_free(g->m, r->data, r->cap);
        r->data = NULL;
        r->cap = 0;
        TRY(mem_alloc(g->m, len, (void **)&r->data, err));
        r->cap = len;
    }
    TRY(load_block(g, r, b, err));
    spill_free(g->spill, &b->at);
    r->next_block++;
    r->len = len;
    r->at = 0;
    return NRW_OK;
}

/* Moves r's head on. */
static nrw_status advance(sort_merge *g, sort_run *r, nrw_error *err)
{
    if (r->entries) {
        r->head = r->at < r->n ? r->entries[r->at++] : (sort_entry){0};
        return NRW_OK;
    }
    if (r->at == r->len) {
        r->head = (sort_entry){0};
        if (r->next_block == r->n_blocks && r->next_list == r->n_lists)
            return NRW_OK;
        TRY(open_block(g, r, err));
    }
    r->head = sort_entry_of(g->layout, r->data + r->at);
    r->at += row_bytes(r->head.row);
    return NRW_OK;
}

/* Does run x leave before run y? Keys are never equal but at the end. */
static bool before(const sort_merge *g, uint32_t x, uint32_t y)
{
    const sort_entry *a = &g->runs[x].head, *b = &g->runs[y].head;

    if (!a->row || !b->row)
        return a->row != NULL;
    return sort_compare(g->layout, a, b) < 0;
}

/* Plays run `i` up from its leaf. In the first games, who meets an empty place waits there. */
static void play(sort_merge *g, uint32_t i)
{
    uint32_t winner = i;

    for (uint32_t at = (g->n + i) / 2; at > 0; at /= 2) {
        if (g->tree[at] == UINT32_MAX) {
            g->tree[at] = winner;
            return;
        }
        if (before(g, g->tree[at], winner)) {
            uint32_t other = g->tree[at];
            g->tree[at] = winner;
            winner = other;
        }
    }
    g->tree[0] = winner;
}

nrw_status sort_merge_open(sort_merge *g, const row_layout *l, mem *m, spill *s, sort_run *runs,
                           uint32_t n, nrw_error *err)
{
    *g = (sort_merge){.layout = l, .m = m, .spill = s, .runs = runs, .n = n};
    g->packed = bytes_init(m, UINT32_MAX);
    TRY(mem_alloc(m, (n + 1) * sizeof *g->tree, (void **)&g->tree, err));
    for (uint32_t i = 0; i <= n; i++)
        g->tree[i] = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        runs[i].at = runs[i].len = 0;
        runs[i].next_block = 0;
        TRY(advance(g, &runs[i], err));
    }
    for (uint32_t i = 0; i < n; i++)
        play(g, i);
    return NRW_OK;
}

nrw_status sort_merge_next(sort_merge *g, uint8_t **row, nrw_error *err)
{
    sort_run *r;

    if (*row) { /* the row given last is done with */
        r = &g->runs[g->tree[0]];
        TRY(advance(g, r, err));
        play(g, g->tree[0]);
    }
    *row = g->n ? g->runs[g->tree[0]].head.row : NULL;
    return *row ? NRW_OK : NRW_END;
}

void sort_merge_close(sort_merge *g)
{
    mem_free(g->m, g->tree, g->tree ? (g->n + 1) * sizeof *g->tree : 0);
    g->tree = NULL;
    bytes_release(&g->packed);
}
