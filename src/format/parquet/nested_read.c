#include "format/parquet/nested_read.h"

#include "format/parquet/assemble.h"
#include "format/parquet/nested_leaf.h"

/* Stretches of selected rows that are read at once. */
#define STRETCHES 64
/* A selection of at least one row in so many is taken from the span. */
#define DENSE 8

typedef struct leaf_state {
    pq_leaf_stream stream;
    pq_leaf_rows rows;
    pq_leaf_mark mark; /* where the call began */
} leaf_state;

struct pq_nested {
    mem *m;
    spill *s;
    io_file *f;
    const pq_leaf *all; /* leaves of the file */
    const pq_node *node;
    pq_chunk_options opts;
    int32_t row_group;
    int64_t rows;
    uint32_t widest; /* the leaf that decides how many rows are read */
    uint32_t n;
    leaf_state leaves[];
};

static size_t reader_bytes(uint32_t n)
{
    return sizeof(pq_nested) + n * sizeof(leaf_state);
}

/* ---- opening ---- */

/* The level at which the innermost list around leaf `leaf` has an element. */
static uint8_t list_def(const pq_node *n, uint32_t leaf)
{
    uint8_t def = n->item_rep ? n->item_def : 0;
    for (uint32_t i = 0; i < n->n_children; i++) {
        const pq_node *c = &n->children[i];
        if (leaf >= c->first_leaf && leaf < c->first_leaf + c->n_leaves) {
            uint8_t inner = list_def(c, leaf);
            return inner ? inner : def;
        }
    }
    return def;
}

static double leaf_width(const pq_leaf *l, const pq_chunk *c, int64_t rows)
{
    double slots = rows > 0 ? (double)c->n_values / (double)rows : 0;
    double bytes = rows > 0 ? (double)c->uncompressed / (double)rows : 0;
    if (type_is_view(&l->field.type))
        return bytes + slots * sizeof(view);
    return slots * (l->field.type.width + 1.0);
}

double pq_nested_width(const pq_leaf *leaves, const pq_node *node, const pq_chunk *chunks,
                       int64_t rows)
{
    double sum = sizeof(uint32_t);
    for (uint32_t i = 0; i < node->n_leaves; i++)
        sum += leaf_width(&leaves[node->first_leaf + i], &chunks[i], rows);
    return sum;
}

size_t pq_nested_least(const pq_node *node)
{
    /* the leaf at work; of the others what a park leaves, and levels of rows that wait */
    return pq_chunk_least() + sizeof(level_block) + 2 * CURSOR_WINDOW_MIN + ((size_t)64 << 10) +
           node->n_leaves * (sizeof(leaf_state) + sizeof(pq_chunk_reader) + ((size_t)16 << 10));
}

static void find_widest(pq_nested *r, const pq_chunk *chunks)
{
    double most = -1;
    for (uint32_t i = 0; i < r->n; i++) {
        double w = leaf_width(&r->all[r->node->first_leaf + i], &chunks[i], r->rows);
        if (w > most) {
            most = w;
            r->widest = i;
        }
    }
}

static nrw_status open_leaves(pq_nested *r, const pq_chunk *chunks, nrw_error *err)
{
    for (uint32_t i = 0; i < r->n; i++) {
        leaf_state *l = &r->leaves[i];
        uint32_t leaf = r->node->first_leaf + i;
        l->rows.reps = bytes_init(r->m, SIZE_MAX / 2);
        l->rows.defs = bytes_init(r->m, SIZE_MAX / 2);
        TRY(pq_leaf_open(&l->stream, r->m, r->s, r->f, &r->all[leaf], list_def(r->node, leaf),
                         &chunks[i], r->row_group, r->rows, &r->opts, err));
    }
    return NRW_OK;
}

nrw_status pq_nested_open(mem *m, spill *s, io_file *f, const pq_leaf *leaves, const pq_node *node,
                          const pq_chunk *chunks, int32_t row_group, int64_t rows,
                          const pq_chunk_options *opts, pq_nested **out, nrw_error *err)
{
    void *p;
    *out = NULL;
    TRY(mem_zalloc(m, reader_bytes(node->n_leaves), &p, err));
    pq_nested *r = p;
    *r = (pq_nested){.m = m,
                     .s = s,
                     .f = f,
                     .all = leaves,
                     .node = node,
                     .opts = *opts,
                     .row_group = row_group,
                     .rows = rows,
                     .n = node->n_leaves};
    find_widest(r, chunks);
    nrw_status st = open_leaves(r, chunks, err);
    if (st < 0) {
        pq_nested_close(r);
        return st;
    }
    *out = r;
    return NRW_OK;
}

nrw_status pq_nested_reopen(pq_nested *r, const pq_chunk *chunks, int32_t row_group, int64_t rows,
                            nrw_error *err)
{
    r->row_group = row_group;
    r->rows = rows;
    find_widest(r, chunks);
    for (uint32_t i = 0; i < r->n; i++)
        TRY(pq_leaf_reopen(&r->leaves[i].stream, &chunks[i], row_group, rows, err));
    return NRW_OK;
}

void pq_nested_park(pq_nested *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        pq_leaf_park(&r->leaves[i].stream);
        pq_leaf_rows_release(&r->leaves[i].rows, r->m);
    }
}

void pq_nested_rest(pq_nested *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        pq_leaf_rest(&r->leaves[i].stream);
}

void pq_nested_close(pq_nested *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->n; i++) {
        pq_leaf_close(&r->leaves[i].stream);
        pq_leaf_rows_release(&r->leaves[i].rows, r->m);
    }
    mem_free(r->m, r, reader_bytes(r->n));
}

void pq_nested_count_rest(pq_nested *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (r->leaves[i].stream.row < r->rows)
            pq_chunk_count_rest(r->leaves[i].stream.r);
}

void pq_nested_counts(const pq_nested *r, reader_counts *out)
{
    *out = (reader_counts){0};
    for (uint32_t i = 0; i < r->n; i++) {
        reader_counts n;
        pq_chunk_counts(r->leaves[i].stream.r, &n);
        out->pages_decompressed += n.pages_decompressed;
        out->pages_skipped += n.pages_skipped;
        out->bytes_decompressed += n.bytes_decompressed;
    }
}

/* ---- one read ---- */

/* The rows that are wanted: ranges that rise, of the row group. */
typedef struct want {
    int64_t first[STRETCHES];
    uint32_t rows[STRETCHES];
    uint32_t n, all;
    size_t max_bytes;
    mem *m;
} want;

/* Leaves that are not at work let go of their pages where there is no room for the one that is. */
static void make_room(pq_nested *r, uint32_t at_work)
{
    if (mem_room(r->m) >= r->opts.headroom)
        return;
    for (uint32_t i = 0; i < r->n; i++)
        if (i != at_work)
            pq_leaf_park(&r->leaves[i].stream);
}

/* The first rows of the wanted ones, at most *rows, which becomes how many it was. */
static nrw_status read_leaf(pq_nested *r, uint32_t i, const want *w, uint32_t *rows, nrw_error *err)
{
    leaf_state *l = &r->leaves[i];
    uint32_t most = *rows;
    make_room(r, i);
    for (uint32_t k = 0; k < w->n && l->rows.rows < most; k++) {
        uint32_t had = l->rows.rows, n = most - had < w->rows[k] ? most - had : w->rows[k];
        nrw_status st = pq_leaf_read(&l->stream, w->first[k], n, w->max_bytes, w->m, &l->rows, err);
        if (st < 0) {
            pq_leaf_place(&l->stream, err);
            return st;
        }
        if (l->rows.rows < had + n)
            break;
    }
    *rows = l->rows.rows;
    return NRW_OK;
}

static void go_back(pq_nested *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        pq_leaf_back(&r->leaves[i].stream, &r->leaves[i].mark);
        pq_leaf_rows_clear(&r->leaves[i].rows, r->m);
    }
}

/* All leaves over the same rows. A leaf that comes to max_bytes before the widest one did has all
 * begin again with fewer rows. */
static nrw_status read_leaves(pq_nested *r, const want *w, uint32_t *rows, nrw_error *err)
{
    for (;;) {
        bool shorter = false;
        TRY(read_leaf(r, r->widest, w, rows, err));
        for (uint32_t i = 0; i < r->n && !shorter; i++) {
            uint32_t n = *rows;
            if (i == r->widest)
                continue;
            TRY(read_leaf(r, i, w, &n, err));
            shorter = n < *rows;
            *rows = n;
        }
        if (!shorter)
            return NRW_OK;
        go_back(r);
    }
}

static nrw_status join(pq_nested *r, pq_leaf_part *parts, mem *m, nrw_error *err)
{
    for (uint32_t i = 0; i < r->n; i++) {
        pq_leaf_rows *l = &r->leaves[i].rows;
        const pq_leaf *leaf = &r->all[r->node->first_leaf + i];
        parts[i] = (pq_leaf_part){.reps = leaf->max_rep ? l->reps.data : NULL,
                                  .defs = leaf->max_def ? l->defs.data : NULL,
                                  .slots = l->slots,
                                  .max_rep = leaf->max_rep};
        if (l->n_parts == 0)
            TRY(vector_nulls(m, &leaf->field.type, 0, &parts[i].values, err));
        else if (l->n_parts > 1)
            TRY(vector_concat(l->parts, l->n_parts, m, &parts[i].values, err));
        else
            parts[i].values = l->parts[0];
        if (l->n_parts == 1)
            l->n_parts = 0;
        for (uint32_t k = 0; k < l->n_parts; k++)
            vector_release(&l->parts[k]);
        l->n_parts = 0;
    }
    return NRW_OK;
}

static nrw_status put_together(pq_nested *r, uint32_t rows, mem *m, vector *out, nrw_error *err)
{
    size_t bytes = r->n * sizeof(pq_leaf_part);
    uint32_t bad;
    void *p;
    TRY(mem_zalloc(r->m, bytes, &p, err));
    pq_leaf_part *parts = p;
    nrw_status st = join(r, parts, m, err);
    if (st >= 0) {
        st = pq_assemble(r->node, parts, rows, m, out, &bad, err);
        if (st < 0)
            pq_leaf_place(&r->leaves[bad - r->node->first_leaf].stream, err);
    }
    for (uint32_t i = 0; i < r->n; i++)
        vector_release(&parts[i].values);
    mem_free(r->m, parts, bytes);
    return st;
}

static nrw_status read_once(pq_nested *r, const want *w, uint32_t *rows, vector *out,
                            nrw_error *err)
{
    for (uint32_t i = 0; i < r->n; i++)
        r->leaves[i].mark = pq_leaf_at(&r->leaves[i].stream);
    nrw_status st = read_leaves(r, w, rows, err);
    if (st >= 0)
        st = put_together(r, *rows, w->m, out, err);
    if (st < 0)
        go_back(r);
    for (uint32_t i = 0; i < r->n; i++)
        pq_leaf_rows_clear(&r->leaves[i].rows, r->m);
    return st;
}

/* One row does not fit. */
static nrw_status too_large(const pq_nested *r, int64_t row, const nrw_error *why, nrw_error *err)
{
    err_at_object(err, r->f->name);
    err_at_row_group(err, r->row_group);
    err_at_column(err, r->node->field.name);
    err_at_row(err, row);
    err_next(err, "give --memory more");
    return err_set(err, NRW_E_MEMLIMIT, "a row is larger than what reading has room for: %s",
                   why->message);
}

/* As many of the wanted rows as there is room for. */
static nrw_status read_some(pq_nested *r, want *w, vector *out, nrw_error *err)
{
    uint32_t most = w->all;
    for (;;) {
        nrw_error why = NRW_ERROR_INIT;
        uint32_t rows = most;
        nrw_status st = read_once(r, w, &rows, out, &why);
        if (st >= 0)
            return NRW_OK;
        if (st != NRW_E_MEMLIMIT) {
            if (err)
                *err = why;
            return st;
        }
        for (uint32_t i = 0; i < r->n; i++)
            pq_leaf_park(&r->leaves[i].stream);
        if (most == 1)
            return too_large(r, w->first[0], &why, err);
        most = most > 8 ? most / 8 : 1;
        w->max_bytes = w->max_bytes / 2 + 1;
    }
}

/* ---- selections ---- */

static void want_sel(want *w, int64_t row, const uint16_t *sel, uint32_t n, uint32_t base)
{
    for (uint32_t i = 0; i < n; i++) {
        int64_t at = row + ((int64_t)sel[i] - base);
        if (w->n && w->first[w->n - 1] + w->rows[w->n - 1] == at) {
            w->rows[w->n - 1]++;
        } else if (w->n < STRETCHES) {
            w->first[w->n] = at;
            w->rows[w->n++] = 1;
        } else {
            break;
        }
        w->all++;
    }
}

/* The span from the first selected row to the last is read, then they are taken. */
static nrw_status read_span(pq_nested *r, int64_t row, const uint16_t *sel, uint32_t n,
                            uint32_t base, want *w, vector *out, nrw_error *err)
{
    vector whole;
    uint32_t k = 0, span = (uint32_t)(sel[n - 1] - sel[0]) + 1;
    void *local;
    w->first[0] = row + ((int64_t)sel[0] - base);
    w->rows[0] = w->all = span;
    w->n = 1;
    TRY(read_some(r, w, &whole, err));
    nrw_status st = mem_alloc(r->m, n * sizeof *sel, &local, err);
    if (st >= 0) {
        for (; k < n && (uint32_t)(sel[k] - sel[0]) < whole.len; k++)
            ((uint16_t *)local)[k] = (uint16_t)(sel[k] - sel[0]);
        st = vector_take(&whole, local, k, w->m, out, err);
        mem_free(r->m, local, n * sizeof *sel);
    }
    vector_release(&whole);
    return st;
}

nrw_status pq_nested_read(pq_nested *r, int64_t row, uint32_t max_rows, size_t max_bytes,
                          const uint16_t *sel, uint32_t n_sel, uint32_t sel_base, mem *m,
                          vector *out, nrw_error *err)
{
    want w = {.max_bytes = max_bytes, .m = m};
    uint32_t n = sel && n_sel < max_rows ? n_sel : max_rows;
    *out = (vector){0};
    if (n > BATCH_MAX_ROWS)
        n = BATCH_MAX_ROWS;
    if (!sel && r->rows - row < n)
        n = row < r->rows ? (uint32_t)(r->rows - row) : 0;
    if (n == 0)
        return err_set(err, NRW_E_ARG, "rows from %lld of a row group of %lld", (long long)row,
                       (long long)r->rows);
    if (!sel) {
        w.first[0] = row;
        w.rows[0] = w.all = n;
        w.n = 1;
        return read_some(r, &w, out, err);
    }
    if ((uint32_t)(sel[n - 1] - sel[0]) / DENSE < n && n > 1)
        return read_span(r, row, sel, n, sel_base, &w, out, err);
    want_sel(&w, row, sel, n, sel_base);
    return read_some(r, &w, out, err);
}
