/* The filter's tree, walked with what the file says: with the facts of whole chunks; where these do
 * not rule the row group out, with what bloom filters and dictionaries add; and then with sets of
 * rows from the page indexes, intersected at AND and united at OR. */
#include "format/parquet/prune.h"

#include "column/vector.h"
#include "format/parquet/parquet.h"

/* More values than this are not looked up in a bloom filter: each may read a block. */
#define BLOOM_VALUES 32

/* A column that tests look at, in the row group at hand. */
typedef struct prune_column {
    uint32_t leaf;
    pq_chunk *chunk;
    bool has_pages, tried;
    bool dict_tried;
    dict *dict; /* where all of its pages use a small one */
    uint32_t n_pages;
    pq_page_place *places;
    pq_column_index index;
} prune_column;

struct pq_prune {
    mem *m; /* own account */
    pq_meta *meta;
    const row_filter *filter;
    uint32_t n;
    uint32_t *leaves; /* rising, each once */
    prune_column *columns;
    pq_chunk *chunks;
    pq_row_set *stack;
    bool *answers;
    bool no_nulls_said; /* null counts of the writer are not believed */
    bool no_bounds_said;

    arena *a; /* of the row group at hand */
    int64_t rows;
    pq_row_set found;
    prune_counts counts;
};

/* ---- set-up ---- */

/* The leaf that a column of the schema is; UINT32_MAX where it is a nested one. */
static uint32_t leaf_of(const pq_prune *p, uint32_t column)
{
    const pq_node *n = pq_meta_column(p->meta, column);
    return pq_node_is_leaf(n) ? n->first_leaf : UINT32_MAX;
}

static bool is_known(const pq_prune *p, uint32_t leaf)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->leaves[i] == leaf)
            return true;
    return false;
}

static void add_leaf(pq_prune *p, uint32_t leaf)
{
    uint32_t at = p->n++;

    for (; at > 0 && p->leaves[at - 1] > leaf; at--)
        p->leaves[at] = p->leaves[at - 1];
    p->leaves[at] = leaf;
}

static nrw_status make_room(pq_prune *p, nrw_error *err)
{
    const row_filter *f = p->filter;

    TRY(mem_zalloc(p->m, f->n_steps * sizeof *p->leaves, (void **)&p->leaves, err));
    for (uint32_t i = 0; i < f->n_steps; i++) {
        uint32_t leaf =
            f->steps[i].kind == ROW_FILTER_TEST ? leaf_of(p, f->steps[i].column) : UINT32_MAX;
        if (leaf != UINT32_MAX && !is_known(p, leaf))
            add_leaf(p, leaf);
    }
    TRY(mem_zalloc(p->m, p->n * sizeof *p->columns + 1, (void **)&p->columns, err));
    TRY(mem_zalloc(p->m, p->n * sizeof *p->chunks + 1, (void **)&p->chunks, err));
    TRY(mem_zalloc(p->m, f->depth * sizeof *p->stack, (void **)&p->stack, err));
    return mem_zalloc(p->m, f->depth * sizeof *p->answers, (void **)&p->answers, err);
}

nrw_status pq_prune_new(mem *m, pq_meta *meta, const row_filter *f, uint64_t room, pq_prune **out,
                        nrw_error *err)
{
    mem *own;
    nrw_status st;

    *out = NULL;
    TRY(mem_child(m, "indexes", room, &own, err));
    st = mem_zalloc(own, sizeof **out, (void **)out, err);
    if (st < 0) {
        mem_free_account(own);
        return st;
    }
    (*out)->m = own;
    (*out)->meta = meta;
    (*out)->filter = f;
    (*out)->no_nulls_said = pq_meta_wrong_nulls(meta);
    (*out)->no_bounds_said = pq_meta_wrong_bounds(meta);
    st = make_room(*out, err);
    if (st < 0) {
        pq_prune_free(*out);
        *out = NULL;
    }
    return st;
}

/* The row group at hand is done with. */
static void leave(pq_prune *p)
{
    for (uint32_t i = 0; p->columns && i < p->n; i++) {
        dict_unref(p->columns[i].dict);
        p->columns[i].dict = NULL;
    }
    arena_free(p->a);
    p->a = NULL;
}

void pq_prune_free(pq_prune *p)
{
    mem *own;

    if (!p)
        return;
    own = p->m;
    leave(p);
    mem_free(own, p->leaves, p->leaves ? p->filter->n_steps * sizeof *p->leaves : 0);
    mem_free(own, p->columns, p->columns ? p->n * sizeof *p->columns + 1 : 0);
    mem_free(own, p->chunks, p->chunks ? p->n * sizeof *p->chunks + 1 : 0);
    mem_free(own, p->stack, p->stack ? p->filter->depth * sizeof *p->stack : 0);
    mem_free(own, p->answers, p->answers ? p->filter->depth * sizeof *p->answers : 0);
    mem_free(own, p, sizeof *p);
    mem_free_account(own);
}

void pq_prune_counts(const pq_prune *p, prune_counts *out)
{
    *out = p->counts;
}

/* NULL where nothing is known of the column. */
static prune_column *column_of(pq_prune *p, uint32_t column)
{
    uint32_t leaf = leaf_of(p, column), i = 0;

    while (i < p->n && p->leaves[i] != leaf)
        i++;
    return i < p->n ? &p->columns[i] : NULL;
}

/* ---- facts of whole chunks ---- */

/* Whether the chunk's bloom filter, if there is one, lets one of the test's values be there. */
static bool bloom_may(pq_prune *p, uint32_t test, const prune_column *c)
{
    const pq_leaf *l = pq_meta_leaf(p->meta, c->leaf);
    uint32_t n = p->filter->n_values(p->filter, test);
    uint8_t value_room[32], plain_room[32];
    pq_bloom b;

    if (n == 0 || n > BLOOM_VALUES || c->chunk->bloom_at < 0 ||
        pq_bloom_open(p->meta, c->chunk, &b, NULL) < 0)
        return true;
    for (uint32_t i = 0; i < n; i++) {
        bool may;
        span value, plain;
        if (!p->filter->value(p->filter, test, i, value_room, &value))
            continue;
        if (!pq_plain_value(l, value, plain_room, &plain) ||
            pq_bloom_may_have(p->meta, &b, plain, &may, NULL) < 0 || may)
            return true;
    }
    return false;
}

/* Whether the dictionary, if all of the chunk's values are of one, has a value that passes. */
static bool dictionary_may(pq_prune *p, uint32_t test, prune_column *c)
{
    const pq_leaf *l = pq_meta_leaf(p->meta, c->leaf);

    if (!c->dict_tried && pq_prune_dictionary(p->m, p->meta, l, c->chunk, &c->dict, NULL) < 0)
        c->dict = NULL; /* reading the column will tell */
    c->dict_tried = true;
    return !c->dict || p->filter->any_passes(p->filter, test, &c->dict->values);
}

static bool chunk_may(pq_prune *p, const row_filter_step *s, bool look_up)
{
    prune_column *c = column_of(p, s->column);
    uint8_t room[64];
    value_facts f;

    if (!c) {
        f = (value_facts){.rows = p->rows, .nulls = -1};
        return p->filter->may_match(p->filter, s->test, &f);
    }
    f = pq_chunk_facts(p->meta, c->leaf, c->chunk, p->rows, room);
    return p->filter->may_match(p->filter, s->test, &f) &&
           (!look_up || (bloom_may(p, s->test, c) && dictionary_may(p, s->test, c)));
}

static bool group_may(pq_prune *p, bool look_up)
{
    const row_filter *f = p->filter;
    uint32_t top = 0;

    for (uint32_t i = 0; i < f->n_steps; i++) {
        const row_filter_step *s = &f->steps[i];
        if (s->kind == ROW_FILTER_TEST) {
            p->answers[top++] = chunk_may(p, s, look_up);
            continue;
        }
        top--;
        if (s->kind == ROW_FILTER_AND)
            p->answers[top - 1] &= p->answers[top];
        else
            p->answers[top - 1] |= p->answers[top];
    }
    return p->answers[0];
}

/* ---- sets of rows ---- */

static nrw_status whole(pq_prune *p, bool any, pq_row_set *out, nrw_error *err)
{
    *out = (pq_row_set){.n = any && p->rows > 0};
    TRY(arena_alloc(p->a, sizeof *out->at, (void **)&out->at, err));
    out->at[0] = (pq_rows){0, p->rows};
    return NRW_OK;
}

static void append(pq_row_set *s, int64_t from, int64_t to)
{
    if (from >= to)
        return;
    if (s->n && s->at[s->n - 1].to >= from)
        s->at[s->n - 1].to = to > s->at[s->n - 1].to ? to : s->at[s->n - 1].to;
    else
        s->at[s->n++] = (pq_rows){from, to};
}

static nrw_status join_sets(pq_prune *p, bool both, const pq_row_set *x, const pq_row_set *y,
                            pq_row_set *out, nrw_error *err)
{
    pq_row_set r = {0};
    uint32_t i = 0, j = 0;

    TRY(arena_alloc(p->a, (x->n + y->n + 1) * sizeof *r.at, (void **)&r.at, err));
    while (both && i < x->n && j < y->n) {
        int64_t from = x->at[i].from > y->at[j].from ? x->at[i].from : y->at[j].from;
        int64_t to = x->at[i].to < y->at[j].to ? x->at[i].to : y->at[j].to;
        append(&r, from, to);
        if (x->at[i].to < y->at[j].to)
            i++;
        else
            j++;
    }
    while (!both && (i < x->n || j < y->n)) {
        bool first = j == y->n || (i < x->n && x->at[i].from <= y->at[j].from);
        const pq_rows *next = first ? &x->at[i++] : &y->at[j++];
        append(&r, next->from, next->to);
    }
    *out = r;
    return NRW_OK;
}

/* ---- pages ---- */

/* Both indexes of a column, where they are there and agree; else the column has no pages. */
static void load_pages(pq_prune *p, prune_column *c)
{
    const pq_chunk *k = c->chunk;

    if (c->tried)
        return;
    c->tried = true;
    if (k->column_index_at < 0 || k->offset_index_at < 0 || p->no_bounds_said ||
        mem_room(p->m) / 4 < (uint64_t)k->column_index_len + (uint64_t)k->offset_index_len)
        return;
    if (pq_offset_index(p->meta, k, p->rows, p->a, &c->n_pages, &c->places, NULL) < 0 ||
        pq_column_index_read(p->meta, k, p->a, &c->index, NULL) < 0)
        return;
    c->has_pages = c->n_pages > 0 && c->index.n == c->n_pages;
}

static value_facts page_facts(const pq_prune *p, const prune_column *c, uint32_t page, int64_t rows,
                              uint8_t room[64])
{
    const pq_leaf *l = pq_meta_leaf(p->meta, c->leaf);
    const pq_column_index *x = &c->index;
    value_facts f = {.rows = rows, .nulls = -1};

    if (l->max_def == 0)
        f.nulls = 0;
    else if (x->has_null_counts && x->null_counts[page] >= 0 && x->null_counts[page] <= rows &&
             !p->no_nulls_said)
        f.nulls = x->null_counts[page];
    if (x->null_page[page]) {
        /* of pages without statistics, too, says a writer, with a count of -1 */
        bool all = x->has_null_counts
                       ? x->null_counts[page] == rows
                       : !c->chunk->stats.has_null_count || c->chunk->stats.null_count >= rows;
        f.nulls = all && l->max_def > 0 ? rows : f.nulls;
    } else if (pq_meta_ordered(p->meta, c->leaf))
        pq_facts_bound(l, &x->min[page], &x->max[page], room, &f);
    return f;
}

static nrw_status page_rows(pq_prune *p, const row_filter_step *s, const prune_column *c,
                            pq_row_set *out, nrw_error *err)
{
    pq_row_set r = {0};

    TRY(arena_alloc(p->a, (c->n_pages + 1) * sizeof *r.at, (void **)&r.at, err));
    for (uint32_t i = 0; i < c->n_pages; i++) {
        int64_t from = c->places[i].first_row;
        int64_t to = i + 1 < c->n_pages ? c->places[i + 1].first_row : p->rows;
        uint8_t room[64];
        value_facts f = page_facts(p, c, i, to - from, room);
        if (p->filter->may_match(p->filter, s->test, &f))
            append(&r, from, to);
        else
            p->counts.pages++;
    }
    *out = r;
    return NRW_OK;
}

static nrw_status test_rows(pq_prune *p, const row_filter_step *s, pq_row_set *out, nrw_error *err)
{
    prune_column *c = column_of(p, s->column);

    if (!chunk_may(p, s, false))
        return whole(p, false, out, err);
    if (c)
        load_pages(p, c);
    if (!c || !c->has_pages)
        return whole(p, true, out, err);
    return page_rows(p, s, c, out, err);
}

static nrw_status group_rows(pq_prune *p, pq_row_set *out, nrw_error *err)
{
    const row_filter *f = p->filter;
    uint32_t top = 0;

    for (uint32_t i = 0; i < f->n_steps; i++) {
        const row_filter_step *s = &f->steps[i];
        if (s->kind == ROW_FILTER_TEST) {
            TRY(test_rows(p, s, &p->stack[top++], err));
            continue;
        }
        top--;
        TRY(join_sets(p, s->kind == ROW_FILTER_AND, &p->stack[top - 1], &p->stack[top],
                      &p->stack[top - 1], err));
    }
    *out = p->stack[0];
    return NRW_OK;
}

/* ---- row groups ---- */

static nrw_status enter(pq_prune *p, int32_t rg, nrw_error *err)
{
    pq_row_group g;

    leave(p);
    TRY(pq_meta_row_group(p->meta, rg, &g, err));
    p->rows = g.rows;
    TRY(arena_new(p->m, &p->a, err));
    /* where long bounds have no room, without bounds */
    if (pq_meta_chunks(p->meta, rg, p->leaves, p->n, p->a, p->chunks, NULL) < 0)
        TRY(pq_meta_chunks(p->meta, rg, p->leaves, p->n, NULL, p->chunks, err));
    for (uint32_t i = 0; i < p->n; i++)
        p->columns[i] = (prune_column){.leaf = p->leaves[i], .chunk = &p->chunks[i]};
    return NRW_OK;
}

static uint64_t rows_in(const pq_row_set *s)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < s->n; i++)
        n += (uint64_t)(s->at[i].to - s->at[i].from);
    return n;
}

nrw_status pq_prune_group(pq_prune *p, int32_t rg, const pq_row_set **out, nrw_error *err)
{
    *out = &p->found;
    TRY(enter(p, rg, err));
    p->counts.of_groups++;
    if (!group_may(p, false) || !group_may(p, true)) {
        p->found.n = 0;
        p->counts.groups++;
    } else {
        uint64_t pages = p->counts.pages;
        if (group_rows(p, &p->found, NULL) < 0) { /* no room to find out more */
            p->counts.pages = pages;
            TRY(whole(p, true, &p->found, err));
        }
    }
    p->counts.rows += (uint64_t)p->rows - rows_in(&p->found);
    return NRW_OK;
}

/* By statistics alone. */
static nrw_status estimate(pq_prune *p, int32_t *groups, int64_t *rows, nrw_error *err)
{
    *groups = 0;
    *rows = 0;
    for (int32_t rg = 0; rg < pq_meta_row_groups(p->meta); rg++) {
        TRY(enter(p, rg, err));
        if (p->rows == 0 || !group_may(p, false))
            continue;
        ++*groups;
        *rows += p->rows;
    }
    return NRW_OK;
}

nrw_status pq_prune_estimate(pq_meta *meta, mem *m, const row_filter *f, int32_t *groups,
                             int64_t *rows, nrw_error *err)
{
    pq_prune *p;
    nrw_status st;

    TRY(pq_prune_new(m, meta, f, 1 << 20, &p, err));
    st = estimate(p, groups, rows, err);
    pq_prune_free(p);
    return st;
}
