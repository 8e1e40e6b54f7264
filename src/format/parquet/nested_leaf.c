#include "format/parquet/nested_leaf.h"

#include "kernel/kernel.h"

/* A jump by the offset index is worth it for at least so many rows. */
#define JUMP_ROWS 1024
/* Levels of more slots are not for one batch. */
#define MOST_SLOTS ((uint32_t)1 << 30)

/* ---- opening ---- */

nrw_status pq_leaf_open(pq_leaf_stream *s, mem *m, spill *sp, io_file *f, const pq_leaf *leaf,
                        uint8_t list_def, const pq_chunk *c, int32_t row_group, int64_t rows,
                        const pq_chunk_options *opts, nrw_error *err)
{
    pq_chunk_options mine = *opts;
    mine.slots = true;
    mine.keep = false; /* levels are walked besides, and begin anew with their page */
    *s = (pq_leaf_stream){.max_def = leaf->max_def, .max_rep = leaf->max_rep, .list_def = list_def};
    return pq_chunk_open(m, sp, f, leaf, c, row_group, rows, &mine, &s->r, err);
}

static void start(pq_leaf_stream *s)
{
    s->row = s->page_row = 0;
    s->used = 0;
    s->jumped = false;
    if (s->block)
        s->block->at = s->block->n = s->block->left = 0;
}

nrw_status pq_leaf_reopen(pq_leaf_stream *s, const pq_chunk *c, int32_t row_group, int64_t rows,
                          nrw_error *err)
{
    start(s);
    return pq_chunk_reopen(s->r, c, row_group, rows, err);
}

static void close_levels(pq_leaf_stream *s)
{
    if (!s->block)
        return;
    cursor_close(&s->block->rep.r.c);
    cursor_close(&s->block->def.r.c);
}

void pq_leaf_park(pq_leaf_stream *s)
{
    close_levels(s);
    if (s->block)
        mem_free(s->r->m, s->block, sizeof *s->block);
    s->block = NULL;
    pq_chunk_park(s->r);
}

void pq_leaf_rest(pq_leaf_stream *s)
{
    close_levels(s);
    start(s);
    pq_chunk_rest(s->r);
}

void pq_leaf_close(pq_leaf_stream *s)
{
    if (s->r)
        pq_leaf_park(s);
    pq_chunk_close(s->r);
    *s = (pq_leaf_stream){0};
}

pq_leaf_mark pq_leaf_at(const pq_leaf_stream *s)
{
    pq_leaf_mark k = {s->r->walk, s->r->counts, s->row, s->page_row, s->used, s->jumped};
    k.walk.at = s->r->pages.at;
    return k;
}

void pq_leaf_back(pq_leaf_stream *s, const pq_leaf_mark *k)
{
    close_levels(s);
    chunk_unload(s->r);
    s->r->walk = k->walk;
    s->r->pages.at = k->walk.at;
    s->r->counts = k->counts;
    s->row = k->row;
    s->page_row = k->page_row;
    s->used = k->used;
    s->jumped = k->jumped;
}

void pq_leaf_place(const pq_leaf_stream *s, nrw_error *err)
{
    const pq_chunk_reader *r = s->r;
    err_at_object(err, r->f->name);
    err_at_row_group(err, r->row_group);
    err_at_column(err, r->leaf->path);
    err_at_page(err, r->walk.number);
    err_at_offset(err, (int64_t)r->pages.at);
}

/* ---- rows that were read ---- */

void pq_leaf_rows_clear(pq_leaf_rows *r, mem *m)
{
    for (uint32_t i = 0; i < r->n_parts; i++)
        vector_release(&r->parts[i]);
    mem_free(m, r->parts, r->cap_parts * sizeof *r->parts);
    r->parts = NULL;
    r->n_parts = r->cap_parts = r->rows = r->slots = 0;
    bytes_clear(&r->reps);
    bytes_clear(&r->defs);
}

void pq_leaf_rows_release(pq_leaf_rows *r, mem *m)
{
    pq_leaf_rows_clear(r, m);
    bytes_release(&r->reps);
    bytes_release(&r->defs);
}

static nrw_status add_part(pq_leaf_rows *r, mem *m, vector *v, nrw_error *err)
{
    if (r->n_parts == r->cap_parts) {
        uint32_t cap = r->cap_parts ? 2 * r->cap_parts : 4;
        void *p = r->parts;
        nrw_status st = mem_realloc(m, &p, r->cap_parts * sizeof *v, cap * sizeof *v, err);
        if (st < 0) {
            vector_release(v);
            return st;
        }
        r->parts = p;
        r->cap_parts = cap;
    }
    r->parts[r->n_parts++] = *v;
    *v = (vector){0};
    return NRW_OK;
}

/* ---- pages ---- */

static nrw_status next_block(pq_leaf_stream *s, nrw_error *err)
{
    level_block *b = s->block;
    b->n = b->left < LEVELS_BLOCK ? b->left : LEVELS_BLOCK;
    b->at = 0;
    if (s->max_rep)
        TRY(level_read(&b->rep, b->n, b->reps, err));
    TRY(level_read(&b->def, b->n, b->defs, err));
    b->left -= b->n;
    return NRW_OK;
}

static void open_level(const pq_chunk_reader *r, level_in *l, uint8_t max, size_t from, size_t to,
                       bool unpacked)
{
    l->max = max;
    l->unpacked = unpacked;
    l->constant = false;
    rle_open(&l->r, r->m, &r->page->body, from, to, level_width(max));
}

/* The page's body and the first of its levels. */
static nrw_status load(pq_leaf_stream *s, nrw_error *err)
{
    pq_chunk_reader *r = s->r;
    level_block *b = s->block;
    void *p;
    if (!b) {
        TRY(mem_zalloc(r->m, sizeof *b, &p, err));
        b = s->block = p;
    }
    TRY(chunk_load(r, err));
    const level_places *at = &r->page->at;
    r->page->lev.none = false;
    r->page->lev.max = 1;
    open_level(r, &b->rep, s->max_rep, at->rep_from, at->rep_to, at->rep_unpacked);
    open_level(r, &b->def, s->max_def, at->def_from, at->def_to, at->def_unpacked);
    b->def.constant = at->def_none;
    b->at = b->n = 0;
    b->left = (uint32_t)r->walk.head.n_values;
    return NRW_OK;
}

/* Back in the middle of a page that was let go. */
static nrw_status load_again(pq_leaf_stream *s, nrw_error *err)
{
    level_block *b;
    uint32_t left = s->used;
    TRY(load(s, err));
    b = s->block;
    while (left) {
        TRY(next_block(s, err));
        b->at = b->n < left ? b->n : left;
        TRY(chunk_skip_values(s->r, level_count(b->defs, b->at, s->max_def), err));
        left -= b->at;
    }
    return NRW_OK;
}

static bool page_done(const pq_leaf_stream *s)
{
    const page_walk *w = &s->r->walk;
    return !w->in_page || s->used == (uint32_t)w->head.n_values;
}

static bool chunk_done(const pq_leaf_stream *s)
{
    const pq_chunk_reader *r = s->r;
    if (s->jumped)
        return s->row >= r->group_rows;
    return r->walk.in_page ? chunk_page_end(r) >= r->rows : r->rows == 0;
}

/* Rows that begin in the page, where its header tells; else -1. Parquet.Net says in headers v2 that
 * there are as many rows as values, so this says nothing. */
static int64_t rows_said(const pq_leaf_stream *s)
{
    const pq_page *h = &s->r->walk.head;
    if (s->max_rep == 0)
        return h->n_values;
    return h->type == PQ_DATA_PAGE_V2 && h->n_rows < h->n_values ? h->n_rows : -1;
}

static nrw_status check_rows(const pq_leaf_stream *s, nrw_error *err)
{
    int64_t said = s->r->walk.in_page ? rows_said(s) : -1;
    if (said >= 0 && s->row - s->page_row != said)
        return err_set(err, NRW_E_CORRUPT, "%lld rows begin in a page whose header says %lld",
                       (long long)(s->row - s->page_row), (long long)said);
    return NRW_OK;
}

/* The page behind the one at hand, with its body unless all its rows are to be skipped: *skip rows
 * are, as far as the header tells. NRW_END: there is none. */
static nrw_status next_page(pq_leaf_stream *s, uint32_t *skip, nrw_error *err)
{
    pq_chunk_reader *r = s->r;
    int64_t first, rows;
    TRY(check_rows(s, err));
    if (chunk_done(s))
        return NRW_END;
    chunk_unload(r);
    /* the dictionary page is seen on the way to the first page */
    if (*skip >= JUMP_ROWS && r->walk.in_page && chunk_jump_rows(r, s->row + *skip, &first) &&
        first >= s->row) {
        *skip -= (uint32_t)(first - s->row);
        s->row = first;
        s->jumped = true;
    }
    TRY(chunk_next_page(r, *skip ? 0 : r->opts.read_ahead, !*skip, err));
    s->page_row = s->row;
    s->used = 0;
    rows = rows_said(s);
    if (rows >= 0 && rows <= *skip) {
        *skip -= (uint32_t)rows;
        s->row += rows;
        s->used = (uint32_t)r->walk.head.n_values;
        r->counts.pages_skipped++;
        r->walk.counted = true;
        return NRW_OK;
    }
    TRY(load(s, err));
    TRY(next_block(s, err));
    if (s->max_rep && s->block->reps[0] &&
        (s->row == 0 || s->jumped || r->walk.head.type == PQ_DATA_PAGE_V2))
        return err_set(err, NRW_E_CORRUPT, "the first level of the %s goes on with a row",
                       s->row == 0 ? "column chunk" : "page");
    return NRW_OK;
}

/* ---- slots ---- */

/* How many of the n slots at p can be used so that at most *rows begin; *rows becomes how many do.
 */
static uint32_t slots_of(const uint8_t *p, uint32_t n, uint32_t *rows)
{
    uint32_t begin = level_count(p, n, 0), left = *rows;
    if (begin <= left) {
        *rows = begin;
        return n;
    }
    for (uint32_t i = 0;; i++)
        if (p[i] == 0 && left-- == 0)
            return i;
}

/* The slots that are used next, at most `most`. */
static uint32_t usable(const pq_leaf_stream *s, uint32_t most, uint32_t *rows)
{
    const level_block *b = s->block;
    uint32_t n = b->n - b->at < most ? b->n - b->at : most;
    if (s->max_rep)
        return slots_of(b->reps + b->at, n, rows);
    *rows = n < *rows ? n : *rows;
    return *rows;
}

/* A page's slots on their way into `out`: [from, out->slots) of the arrays. */
typedef struct taking {
    pq_leaf_stream *s;
    pq_leaf_rows *out; /* NULL: they are skipped */
    mem *m;
    uint32_t left; /* rows that may begin */
    uint32_t from; /* slots whose values are in `out` */
    size_t bytes, max_bytes;
} taking;

static nrw_status keep(taking *t, uint32_t n, nrw_error *err)
{
    const level_block *b = t->s->block;
    if (t->out->slots + n > MOST_SLOTS)
        return err_set(err, NRW_E_MEMLIMIT, "more than %u values in rows that are read at once",
                       MOST_SLOTS);
    /* kernels read on behind both */
    if (t->s->max_rep) {
        TRY(bytes_reserve(&t->out->reps, n + BUFFER_SLACK, err));
        TRY(bytes_append(&t->out->reps, b->reps + b->at, n, err));
    }
    if (t->s->max_def) {
        TRY(bytes_reserve(&t->out->defs, n + BUFFER_SLACK, err));
        TRY(bytes_append(&t->out->defs, b->defs + b->at, n, err));
    }
    t->out->slots += n;
    return NRW_OK;
}

/* How many slots at once, so that wide values do not come by the thousand. */
static uint32_t step_of(const taking *t)
{
    size_t width = build_row_bytes(t->s->r) + 2;
    size_t left = t->max_bytes > t->bytes ? t->max_bytes - t->bytes : 0;
    size_t n = left / width;
    return n < 1 ? 1 : n > LEVELS_BLOCK ? LEVELS_BLOCK : (uint32_t)n;
}

/* Uses slots of the block at hand. 0: the next slot begins a row too many. */
static nrw_status use(taking *t, uint32_t *n, nrw_error *err)
{
    pq_leaf_stream *s = t->s;
    level_block *b = s->block;
    uint32_t rows = t->left;
    *n = usable(s, t->out ? step_of(t) : LEVELS_BLOCK, &rows);
    if (*n == 0)
        return NRW_OK;
    if (t->out) {
        TRY(keep(t, *n, err));
        t->out->rows += rows;
        t->bytes += *n * (build_row_bytes(s->r) + 2);
    } else {
        TRY(chunk_skip_values(s->r, level_count(b->defs + b->at, *n, s->max_def), err));
    }
    b->at += *n;
    s->used += *n;
    s->row += rows;
    t->left -= rows;
    if (t->out && t->bytes >= t->max_bytes && t->out->rows)
        t->left = 0;
    return NRW_OK;
}

/* ---- values ---- */

/* n entries of the page, in the levels' bits or all there, to the vector under construction. */
static nrw_status append(taking *t, build *b, uint32_t *left, uint32_t n, nrw_error *err)
{
    while (n) {
        uint32_t had = b->len;
        nrw_status st = build_append(b, n, err);
        if (st < 0)
            return st;
        n -= b->len - had;
        *left -= b->len - had;
        if (n == 0)
            break;
        vector v; /* full: the rest goes into another one */
        TRY(build_finish(b, &v, err));
        TRY(add_part(t->out, t->s->r->m, &v, err));
        build_drop(b);
        build_open(b, t->s->r, t->m, *left, t->max_bytes, false);
    }
    return NRW_OK;
}

/* Of n slots those that are entries, and of these whether a value is there, as bits. */
static uint32_t entry_bits(const pq_leaf_stream *s, const uint8_t *defs, uint32_t n, uint8_t *bits)
{
    const kernels *k = kernels_get();
    if (s->list_def == 0) {
        k->levels_to_bits_u8(defs, n, s->max_def, bits);
        return n;
    }
    return (uint32_t)k->level_entries_u8(defs, n, s->list_def, s->max_def, bits);
}

static uint32_t entries(const pq_leaf_stream *s, const uint8_t *defs, uint32_t n)
{
    const kernels *k = kernels_get();
    uint8_t bits[LEVELS_BLOCK / 8 + BUFFER_SLACK];
    uint32_t count = 0;
    if (s->list_def == 0)
        return n;
    for (uint32_t i = 0; i < n; i += LEVELS_BLOCK) {
        uint32_t m = n - i < LEVELS_BLOCK ? n - i : LEVELS_BLOCK;
        count += (uint32_t)k->levels_from_u8(defs + i, m, s->list_def, bits);
    }
    return count;
}

static nrw_status append_mixed(taking *t, build *b, const uint8_t *defs, uint32_t n, uint32_t left,
                               nrw_error *err)
{
    levels *l = &t->s->r->page->lev;
    while (n) {
        uint32_t k = n < LEVELS_BLOCK ? n : LEVELS_BLOCK;
        l->run = 0;
        l->bit_at = 0;
        l->bit_n = entry_bits(t->s, defs, k, l->bits);
        TRY(append(t, b, &left, l->bit_n, err));
        defs += k;
        n -= k;
    }
    return NRW_OK;
}

/* The values of the page's slots that were taken, before the page is left. */
static nrw_status take_values(taking *t, nrw_error *err)
{
    levels *l = &t->s->r->page->lev;
    uint32_t n = t->out->slots - t->from, left;
    build b;
    vector v;
    if (n == 0)
        return NRW_OK;
    const uint8_t *defs = t->s->max_def ? t->out->defs.data + t->from : NULL;
    t->from = t->out->slots;
    bool all = !defs || level_all(defs, n, t->s->max_def);
    left = all ? n : entries(t->s, defs, n);
    if (left == 0)
        return NRW_OK;
    build_open(&b, t->s->r, t->m, left, t->max_bytes, false);
    nrw_status st;
    if (all) {
        l->run = n;
        l->run_there = true;
        st = append(t, &b, &left, n, err);
    } else {
        st = append_mixed(t, &b, defs, n, left, err);
    }
    if (st >= 0)
        st = build_finish(&b, &v, err);
    build_drop(&b);
    return st < 0 ? st : add_part(t->out, t->s->r->m, &v, err);
}

/* ---- rows ---- */

/* May the row that was begun last go on in the next page? */
static bool may_go_on(const pq_leaf_stream *s)
{
    return s->max_rep && s->row > 0 && s->r->walk.head.type == PQ_DATA_PAGE;
}

/* Takes rows until no more may begin and the last one is whole. */
static nrw_status take(taking *t, nrw_error *err)
{
    pq_leaf_stream *s = t->s;
    pq_chunk_reader *r = s->r;
    uint32_t n;
    nrw_status st = NRW_OK;
    for (;;) {
        if (page_done(s)) {
            uint32_t skip = t->out ? 0 : t->left;
            if (t->out && r->loaded)
                TRY(take_values(t, err));
            if (t->left == 0 && !may_go_on(s))
                return NRW_OK;
            st = next_page(s, &skip, err);
            if (st != NRW_OK)
                break;
            t->left = t->out ? t->left : skip;
            continue;
        }
        if (!r->loaded)
            TRY(load_again(s, err));
        if (s->block->at == s->block->n)
            TRY(next_block(s, err));
        TRY(use(t, &n, err));
        if (n == 0)
            break;
    }
    if (st == NRW_END && t->left)
        return err_set(err, NRW_E_CORRUPT, "the column chunk ends after %lld of %lld rows",
                       (long long)s->row, (long long)r->group_rows);
    if (t->out && r->loaded)
        TRY(take_values(t, err));
    return st < 0 ? st : NRW_OK;
}

/* Behind the last row nothing may follow. */
static nrw_status check_end(const pq_leaf_stream *s, nrw_error *err)
{
    if (s->row < s->r->group_rows)
        return NRW_OK;
    if (page_done(s) && chunk_done(s))
        return check_rows(s, err);
    return err_set(err, NRW_E_CORRUPT, "the column chunk has more than the row group's %lld rows",
                   (long long)s->r->group_rows);
}

nrw_status pq_leaf_read(pq_leaf_stream *s, int64_t first, uint32_t n, size_t max_bytes, mem *m,
                        pq_leaf_rows *out, nrw_error *err)
{
    while (s->row < first) {
        int64_t far = first - s->row;
        taking t = {.s = s, .left = far < INT32_MAX ? (uint32_t)far : INT32_MAX};
        TRY(take(&t, err));
    }
    if (s->row > first)
        return err_set(err, NRW_E_ARG, "row %lld was passed already", (long long)first);
    taking t = {.s = s, .out = out, .m = m, .left = n, .from = out->slots, .max_bytes = max_bytes};
    for (uint32_t i = 0; i < out->n_parts; i++)
        t.bytes += vector_bytes(&out->parts[i]);
    TRY(take(&t, err));
    return check_end(s, err);
}
