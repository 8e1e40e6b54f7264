/* Parquet as a row among the formats: what its metadata tell the layers above. */
#include "column/compare.h"
#include "format/parquet/meta_priv.h"
#include "format/parquet/page_walk.h"
#include "format/parquet/parquet.h"
#include "format/parquet/prune.h"
#include "format/parquet/verify.h"

#include <stdio.h>

static bool group_bounds(pq_meta *p, mem *m, int32_t rg, uint32_t leaf, int64_t *min, int64_t *max)
{
    const pq_leaf *l = pq_meta_leaf(p, leaf);
    size_t width = l->physical == PQ_INT32 ? 4 : 8;
    pq_row_group group;
    pq_chunk c;
    arena *a;
    bool found = false;

    if (pq_meta_row_group(p, rg, &group, NULL) < 0)
        return false;
    *min = INT64_MAX;
    *max = INT64_MIN;
    if (group.rows == 0)
        return true;
    if ((l->physical != PQ_INT32 && l->physical != PQ_INT64) || arena_new(m, &a, NULL) < 0)
        return false;
    if (pq_meta_chunk(p, rg, leaf, a, &c, NULL) >= 0 && c.stats.has_min && c.stats.has_max &&
        c.stats.min.len == width && c.stats.max.len == width) {
        found = true;
        *min =
            width == 8 ? (int64_t)load_u64(c.stats.min.data) : (int32_t)load_u32(c.stats.min.data);
        *max =
            width == 8 ? (int64_t)load_u64(c.stats.max.data) : (int32_t)load_u32(c.stats.max.data);
    }
    arena_free(a);
    return found;
}

/* A column that is one leaf; -1: it is nested. */
static int32_t leaf_of(const pq_meta *p, uint32_t column)
{
    const pq_node *n = pq_meta_column(p, column);

    return n->n_children ? -1 : (int32_t)n->first_leaf;
}

bool parquet_bounds(reader *r, mem *m, uint32_t column, int64_t *least, int64_t *greatest)
{
    pq_meta *p = parquet_reader_meta(r);
    int32_t leaf = leaf_of(p, column);

    *least = INT64_MAX;
    *greatest = INT64_MIN;
    for (int32_t rg = 0; rg < pq_meta_row_groups(p); rg++) {
        int64_t lo, hi;
        if (leaf < 0 || !group_bounds(p, m, rg, (uint32_t)leaf, &lo, &hi))
            return false;
        *least = lo < *least ? lo : *least;
        *greatest = hi > *greatest ? hi : *greatest;
    }
    return true;
}

static nrw_status group_range(pq_meta *p, mem *m, int32_t rg, int32_t leaf, range_found found,
                              void *self, nrw_error *err)
{
    pq_row_group group;
    value_facts f;
    uint8_t room[64];
    pq_chunk c;
    arena *a;
    nrw_status st;

    TRY(pq_meta_row_group(p, rg, &group, err));
    f = (value_facts){.rows = group.rows, .nulls = -1};
    if (leaf < 0 || group.rows == 0)
        return found(self, group.first_row, &f, err);
    TRY(arena_new(m, &a, err));
    st = pq_meta_chunk(p, rg, (uint32_t)leaf, a, &c, err);
    if (st >= 0) {
        f = pq_chunk_facts(p, (uint32_t)leaf, &c, group.rows, room);
        st = found(self, group.first_row, &f, err);
    }
    arena_free(a);
    return st;
}

/* By row groups. */
nrw_status parquet_ranges(reader *r, mem *m, uint32_t column, range_found found, void *self,
                          nrw_error *err)
{
    pq_meta *p = parquet_reader_meta(r);
    int32_t leaf = leaf_of(p, column);
    nrw_status st = NRW_OK;

    for (int32_t rg = 0; rg < pq_meta_row_groups(p) && st == NRW_OK; rg++)
        st = group_range(p, m, rg, leaf, found, self, err);
    return st == NRW_END ? NRW_OK : st;
}

typedef struct chunk_bounds {
    pq_chunk chunk;
    value_facts facts;
    uint8_t room[64];
} chunk_bounds;

static bool find_bounds(pq_meta *p, arena *a, int32_t rg, uint32_t leaf, chunk_bounds *out)
{
    pq_row_group group;

    if (pq_meta_row_group(p, rg, &group, NULL) < 0 ||
        pq_meta_chunk(p, rg, leaf, a, &out->chunk, NULL) < 0)
        return false;
    out->facts = pq_chunk_facts(p, leaf, &out->chunk, group.rows, out->room);
    return out->facts.has_min && out->facts.has_max;
}

static bool overlap(const type *t, const value_facts *x, const value_facts *y)
{
    return value_compare(t, x->min, y->max) <= 0 && value_compare(t, y->min, x->max) <= 0;
}

/* Whether the first row group's values, which are many fewer than its rows, are those of the
 * others, too: so the bounds of the middle one and of the last one look. */
static bool come_again(pq_meta *p, mem *m, uint32_t leaf, const pq_chunk *c, uint64_t values)
{
    const int32_t groups = pq_meta_row_groups(p);
    const type *t = &pq_meta_leaf(p, leaf)->field.type;
    chunk_bounds first, middle, last;
    arena *a;
    bool again;

    if (groups < 2 || values > (uint64_t)c->n_values / 4 || arena_new(m, &a, NULL) < 0)
        return false;
    again = find_bounds(p, a, 0, leaf, &first) && find_bounds(p, a, groups / 2, leaf, &middle) &&
            find_bounds(p, a, groups - 1, leaf, &last) && overlap(t, &first.facts, &middle.facts) &&
            overlap(t, &first.facts, &last.facts);
    arena_free(a);
    return again;
}

/* The dictionary of the chunk, where all its pages use it: as many values may be in each of the row
 * groups, or the same ones, and a few more. Other texts are as long as the chunk says. */
static nrw_status chunk_values(pq_meta *p, mem *m, uint32_t leaf, const pq_chunk *c,
                               column_values *out, nrw_error *err)
{
    uint64_t groups = (uint64_t)pq_meta_row_groups(p), values;
    pq_page_walk walk;
    pq_page_at at;
    nrw_status st;

    if (c->n_values > 0 && c->uncompressed >= 0)
        out->bytes = (uint64_t)c->uncompressed / (uint64_t)c->n_values + 1;
    if (c->dictionary_page_offset < 0)
        return NRW_OK;
    TRY(pq_page_walk_open(m, p->f, c, &walk, err));
    st = pq_page_walk_next(&walk, &at, err);
    pq_page_walk_close(&walk);
    if (st != NRW_OK || at.page.type != PQ_DICTIONARY_PAGE || at.page.n_values <= 0)
        return st;
    if (out->bytes < (uint64_t)at.page.uncompressed / (uint64_t)at.page.n_values)
        out->bytes = (uint64_t)at.page.uncompressed / (uint64_t)at.page.n_values;
    values = (uint64_t)at.page.n_values + 1; /* null is one */
    if (c->dictionary_only)
        out->distinct = values * (come_again(p, m, leaf, c, values) ? 2 : groups);
    return NRW_OK;
}

/* By the first row group. */
void parquet_values(reader *r, mem *m, uint32_t column, column_values *out)
{
    pq_meta *p = parquet_reader_meta(r);
    int32_t leaf = leaf_of(p, column);
    nrw_error ignored = NRW_ERROR_INIT;
    pq_chunk c;
    arena *a;

    if (leaf < 0 || pq_meta_row_groups(p) == 0 || arena_new(m, &a, &ignored) < 0)
        return;
    if (pq_meta_chunk(p, 0, (uint32_t)leaf, a, &c, &ignored) < 0 ||
        chunk_values(p, m, (uint32_t)leaf, &c, out, &ignored) < 0)
        *out = (column_values){UINT64_MAX, UINT64_MAX};
    arena_free(a);
}

/* The column or part that is this leaf; -1: none is, it lies in a list. */
static int32_t column_of(const pq_meta *p, int32_t leaf)
{
    const schema *s = pq_meta_schema(p);

    for (uint32_t c = 0; c < s->n_fields + s->n_parts; c++)
        if (leaf_of(p, c) == leaf)
            return (int32_t)c;
    return -1;
}

/* Rows are sorted where they are in the one row group there is. */
nrw_status parquet_carries(reader *r, arena *a, carried *out, nrw_error *err)
{
    pq_meta *p = parquet_reader_meta(r);

    *out = (carried){0};
    TRY(pq_meta_key_values(p, a, &out->n_key_values, &out->key_values, err));
    if (pq_meta_row_groups(p) != 1)
        return NRW_OK;
    TRY(pq_meta_sorting(p, 0, a, &out->n_sorted, &out->sorted, err));
    for (uint32_t i = 0; i < out->n_sorted; i++) {
        out->sorted[i].column = column_of(p, out->sorted[i].column);
        if (out->sorted[i].column < 0)
            out->n_sorted = i;
    }
    return NRW_OK;
}

void parquet_describe(const reader *r, char *out, size_t cap)
{
    snprintf(out, cap, "%d row groups", pq_meta_row_groups(parquet_reader_meta((reader *)r)));
}

nrw_status parquet_estimate(reader *r, mem *m, const row_filter *f, char *text, size_t cap,
                            int64_t *rows, nrw_error *err)
{
    int32_t groups;

    TRY(pq_prune_estimate(parquet_reader_meta(r), m, f, &groups, rows, err));
    snprintf(text, cap, "%d of them may match by statistics", groups);
    return NRW_OK;
}

nrw_status parquet_verify(reader *r, spill *sp, mem *m, fault_found fault, void *self,
                          verify_counts *out, nrw_error *err)
{
    pq_verify_counts n = {0};

    TRY(pq_verify(parquet_reader_meta(r), r->file, sp, m, true, fault, self, &n, err));
    *out = (verify_counts){.n = 4,
                           .at = {{"chunks", n.chunks, true},
                                  {"pages", n.pages, false},
                                  {"checksums", n.crcs, false},
                                  {"values", n.values, false}},
                           .bytes = n.bytes};
    return NRW_OK;
}

void parquet_spelled(const reader *r, uint32_t column, const char **physical, const char **logical)
{
    const pq_meta *p = parquet_reader_meta((reader *)r);
    const pq_node *n = pq_meta_column(p, column);
    const pq_leaf *leaf;

    *physical = *logical = NULL;
    if (n->n_children || n->no_leaf)
        return;
    leaf = pq_meta_leaf(p, n->first_leaf);
    *physical = pq_physical_name((int)leaf->physical);
    *logical = *leaf->logical ? leaf->logical : NULL;
}

static nrw_status open_file(mem *m, io_file *f, const read_options *opts, reader **out,
                            nrw_error *err)
{
    pq_read_options o = {0};

    for (size_t i = 0; i < opts->n; i++) {
        if (strcmp(opts->at[i], "int96=us") == 0) {
            o.int96_us = true;
        } else if (strcmp(opts->at[i], "int96=ns") == 0) {
            o.int96_us = false;
        } else {
            *out = NULL;
            file_close(f);
            return err_set(err, NRW_E_ARG,
                           "--read: there is no reading option %s of Parquet; it has int96=us",
                           opts->at[i]);
        }
    }
    return parquet_open(m, f, &o, out, err);
}

static bool is_parquet(span head)
{
    return head.len >= 4 && memcmp(head.data, "PAR", 3) == 0 &&
           (head.data[3] == '1' || head.data[3] == 'E');
}

const format format_parquet = {
    .name = "parquet", .extensions = {".parquet", ".pq"}, .matches = is_parquet, .open = open_file};
