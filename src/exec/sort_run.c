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

run_writer run_writer_of(const row_layout *l, bool again, size_t block, mem *m, spill *s)
{
    return (run_writer){.layout = l,
                        .again = again,
                        .block = block,
                        .m = m,
                        .spill = s,
                        .rows = bytes_init(m, UINT32_MAX),
                        .scratch = bytes_init(m, UINT32_MAX)};
}

void run_writer_release(run_writer *w)
{
    spill_chain_free(&w->blocks, w->spill);
    bytes_release(&w->rows);
    bytes_release(&w->scratch);
}

static nrw_status put_block(run_writer *w, nrw_error *err)
{
    if (w->rows.len == 0)
        return NRW_OK;
    TRY(rows_spill_to(w->layout, (span){w->rows.data, w->rows.len}, w->again, w->spill, &w->scratch,
                      &w->blocks, err));
    w->rows.len = 0;
    return NRW_OK;
}

nrw_status run_writer_put(run_writer *w, const uint8_t *row, nrw_error *err)
{
    if (w->rows.len && w->rows.len + row_bytes(row) > w->block)
        TRY(put_block(w, err));
    return bytes_append(&w->rows, row, row_bytes(row), err);
}

nrw_status run_writer_end(run_writer *w, sort_run *out, nrw_error *err)
{
    *out = (sort_run){0};
    TRY(put_block(w, err));
    TRY(spill_chain_turn(&w->blocks, w->spill, err));
    return spill_chain_fold(&w->blocks, w->spill, &out->blocks, err);
}

void sort_run_free(sort_run *r, spill *s)
{
    spill_chain c = spill_chain_of(&r->blocks);

    spill_chain_free(&c, s);
    *r = (sort_run){0};
}

/* ---- merging ---- */

struct run_reader {
    sort_entry *entries;
    uint64_t n;
    uint64_t at;        /* next entry, or byte in `data` */
    spill_chain blocks; /* those that are to come */
    uint8_t *data;      /* the open block */
    size_t len, cap;
    sort_entry head; /* the next row; row NULL: at the end */
};

static nrw_status load_block(sort_merge *g, run_reader *r, const spill_block *b, nrw_error *err)
{
    uint32_t len;

    TRY(rows_fetch(g->spill, b, &g->scratch, &len, err));
    if (len > r->cap) {
        mem_free(g->m, r->data, r->cap);
        r->data = NULL;
        r->cap = 0;
        TRY(mem_alloc(g->m, len, (void **)&r->data, err));
        r->cap = len;
    }
    TRY(rows_place(g->layout, g->spill, b, &g->scratch, r->data, err));
    r->len = len;
    r->at = 0;
    return NRW_OK;
}

/* The next block; none: r->len stays where r->at is. */
static nrw_status open_block(sort_merge *g, run_reader *r, nrw_error *err)
{
    spill_block b;
    nrw_status st = spill_chain_take(&r->blocks, g->spill, &b, err);

    if (st != NRW_OK)
        return st < 0 ? st : NRW_OK;
    st = load_block(g, r, &b, err);
    spill_free(g->spill, &b);
    return st;
}

/* Moves r's head on. */
static nrw_status advance(sort_merge *g, run_reader *r, nrw_error *err)
{
    if (r->entries) {
        r->head = r->at < r->n ? r->entries[r->at++] : (sort_entry){0};
        return NRW_OK;
    }
    r->head = (sort_entry){0};
    if (r->at == r->len)
        TRY(open_block(g, r, err));
    if (r->at == r->len)
        return NRW_OK;
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
    *g = (sort_merge){.layout = l, .m = m, .spill = s, .n = n};
    g->scratch = bytes_init(m, UINT32_MAX);
    TRY(mem_alloc(m, (n + 1) * sizeof *g->tree, (void **)&g->tree, err));
    TRY(mem_zalloc(m, n * sizeof *g->runs + 1, (void **)&g->runs, err));
    for (uint32_t i = 0; i <= n; i++)
        g->tree[i] = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        g->runs[i].entries = runs[i].entries;
        g->runs[i].n = runs[i].n;
        g->runs[i].blocks = spill_chain_of(&runs[i].blocks);
        runs[i] = (sort_run){0};
    }
    for (uint32_t i = 0; i < n; i++)
        TRY(advance(g, &g->runs[i], err));
    for (uint32_t i = 0; i < n; i++)
        play(g, i);
    return NRW_OK;
}

nrw_status sort_merge_next(sort_merge *g, uint8_t **row, nrw_error *err)
{
    run_reader *r;

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
    for (uint32_t i = 0; g->runs && i < g->n; i++) {
        spill_chain_free(&g->runs[i].blocks, g->spill);
        mem_free(g->m, g->runs[i].data, g->runs[i].cap);
    }
    mem_free(g->m, g->runs, g->runs ? g->n * sizeof *g->runs + 1 : 0);
    g->runs = NULL;
    mem_free(g->m, g->tree, g->tree ? (g->n + 1) * sizeof *g->tree : 0);
    g->tree = NULL;
    bytes_release(&g->scratch);
}
