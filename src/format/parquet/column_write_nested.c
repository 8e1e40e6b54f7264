/* Values with levels into the page in progress. A page is full as one without levels would be, but
 * ends only where the next record begins: so whether it is full is asked before an entry is taken,
 * and entries of the record at hand are taken all the same.
 *
 * Where the dictionary is full at a value inside a record, the page ends before that record: its
 * entries that are in the page already move to the next one, as PLAIN values. */
#include "format/parquet/column_write_parts.h"
#include "kernel/kernel.h"

enum { SLACK_WORDS = 16 };

/* ---- counting ---- */

/* Counted by vectors of bytes, which 128 of them cannot overflow. */
static uint32_t count_at_least(const uint8_t *v, uint32_t n, uint8_t least)
{
    uint32_t sum = 0;

    for (uint32_t at = 0; at < n;) {
        uint32_t end = n - at > 128 ? at + 128 : n;
        uint8_t part = 0;
        for (; at < end; at++)
            part += v[at] >= least;
        sum += part;
    }
    return sum;
}

static uint32_t count_zeros(const uint8_t *v, uint32_t n)
{
    return n - count_at_least(v, n, 1);
}

/* Where value k (from 0) of the entries from `at` on stands, counted from there. */
static uint32_t entry_of_value(const pq_levels *s, uint32_t at, uint32_t k)
{
    uint32_t i = at;

    if (s->all)
        return k;
    while (s->def[i] != s->max_def || k--)
        i++;
    return i - at;
}

/* Entries from s->at on that belong to the record of the one before. */
static uint32_t rest_of_record(const pq_levels *s)
{
    const uint8_t *next = s->rep ? memchr(s->rep + s->at, 0, s->n - s->at) : s->rep;

    if (!s->rep)
        return 0;
    return next ? (uint32_t)(next - (s->rep + s->at)) : s->n - s->at;
}

/* ---- levels ---- */

static nrw_status level_room(pq_column_writer *w, pq_words *a, uint32_t n, nrw_error *err)
{
    size_t rows = (size_t)w->page.rows + n, ahead = (size_t)w->page.rows + w->ahead;
    size_t most = size_max(rows, size_min(ahead, pq_page_rows(w)));

    return pq_words_room(w->m, a, rows / 4 + 1 + SLACK_WORDS, most / 4 + 1 + SLACK_WORDS, err);
}

/* n entries, `there` of which are values. def NULL: all are. */
static nrw_status put_entries(pq_column_writer *w, const uint8_t *def, const uint8_t *rep,
                              uint32_t n, uint32_t there, nrw_error *err)
{
    pq_draft *p = &w->page;

    if (n > (uint32_t)PQ_PAGE_MAX - p->rows)
        return err_set(err, NRW_E_VALUE, "a record of more values than a page can have");
    if (there < n || p->nulls) {
        TRY(level_room(w, &p->valid, n, err));
        uint8_t *to = (uint8_t *)p->valid.at;
        if (!p->nulls)
            memset(to, w->max_def, p->rows);
        if (there < n)
            memcpy(to + p->rows, def, n);
        else
            memset(to + p->rows, w->max_def, n);
    }
    if (w->max_rep) {
        TRY(level_room(w, &p->rep, n, err));
        memcpy((uint8_t *)p->rep.at + p->rows, rep, n);
    }
    p->records += w->max_rep ? count_zeros(rep, n) : n;
    p->rows += n;
    p->nulls += n - there;
    return NRW_OK;
}

/* ---- the dictionary is full ---- */

/* What stands in the page of a record that must not be in it. */
typedef struct tail {
    uint32_t entries, values;
    uint64_t plain;
    uint8_t *levels; /* definition, repetition */
    uint8_t *bytes;  /* PLAIN, with slack */
    size_t levels_size, bytes_size;
} tail;

static void tail_release(const pq_column_writer *w, tail *t)
{
    mem_free(w->m, t->levels, t->levels_size);
    mem_free(w->m, t->bytes, t->bytes_size);
}

/* Entries at the page's end from the last one that begins a record; all where none does. */
static uint32_t open_entries(const pq_column_writer *w)
{
    const uint8_t *rep = (const uint8_t *)w->page.rep.at;
    const uint8_t *last = memrchr(rep, 0, w->page.rows);

    return last ? w->page.rows - (uint32_t)(last - rep) : w->page.rows;
}

static nrw_status copy_tail(const pq_column_writer *w, tail *t, nrw_error *err)
{
    const pq_draft *p = &w->page;
    const uint32_t *index = p->index.at + (p->n_index - t->values);
    uint32_t first = p->rows - t->entries;
    void *at = NULL;

    for (uint32_t i = 0; i < t->values; i++)
        t->plain += pq_plain_size(w, pq_dict_entry(&w->dict, index[i]).len);
    t->levels_size = 2 * (size_t)t->entries;
    TRY(mem_alloc(w->m, t->levels_size, &at, err));
    t->levels = at;
    t->bytes_size = t->plain + 64;
    TRY(mem_alloc(w->m, t->bytes_size, &at, err));
    t->bytes = at;
    if (p->nulls)
        memcpy(t->levels, (const uint8_t *)p->valid.at + first, t->entries);
    memcpy(t->levels + t->entries, (const uint8_t *)p->rep.at + first, t->entries);
    uint8_t *to = t->bytes;
    for (uint32_t i = 0; i < t->values; i++) {
        span v = pq_dict_entry(&w->dict, index[i]);
        if (!w->t.width) {
            store_u32(to, (uint32_t)v.len);
            to += 4;
        }
        memcpy(to, v.data, v.len);
        to += v.len;
    }
    return NRW_OK;
}

static void drop_tail(pq_column_writer *w, const tail *t)
{
    pq_draft *p = &w->page;

    p->rows -= t->entries;
    p->nulls -= t->entries - t->values;
    p->records--;
    p->n_index -= t->values;
    p->plain -= t->plain;
}

/* PLAIN values into the page that has just begun. */
static nrw_status put_tail(pq_column_writer *w, const tail *t, nrw_error *err)
{
    const uint8_t *from = t->bytes;
    pq_block b;

    for (uint32_t left = t->values; left; left -= b.n) {
        b.n = left < PQ_BLOCK_ROWS ? left : PQ_BLOCK_ROWS;
        b.values = w->t.width ? from : NULL;
        for (uint32_t i = 0; i < b.n; i++) {
            size_t len = w->t.width ? w->t.width : load_u32(from);
            b.spans[i] = (span){from + (w->t.width ? 0 : 4), len};
            from = b.spans[i].data + len;
        }
        TRY(pq_page_values(w, &b, b.n, err));
    }
    return put_entries(w, t->levels, t->levels + t->entries, t->entries, t->values, err);
}

/* Ends the page before its last record, and the dictionary. */
static nrw_status split_record(pq_column_writer *w, uint32_t entries, pq_page_list *out,
                               nrw_error *err)
{
    const pq_draft *p = &w->page;
    tail t = {.entries = entries, .values = entries};
    const uint8_t *def = (const uint8_t *)p->valid.at;

    if (p->nulls)
        t.values = count_at_least(def + (p->rows - entries), entries, w->max_def);
    nrw_status st = copy_tail(w, &t, err);
    if (st == NRW_OK) {
        drop_tail(w, &t);
        st = pq_page_end(w, out, err);
    }
    if (st == NRW_OK && w->indexing)
        pq_dictionary_end(w);
    if (st == NRW_OK)
        st = put_tail(w, &t, err);
    tail_release(w, &t);
    return st;
}

/* The entry to come has a value that the dictionary cannot take. */
static nrw_status overflow(pq_column_writer *w, bool begins_record, pq_page_list *out,
                           nrw_error *err)
{
    uint32_t open = begins_record ? 0 : open_entries(w);

    if (open && open < w->page.rows)
        return split_record(w, open, out, err);
    if (open)
        TRY(pq_values_of_indices(w, err));
    else if (w->page.rows)
        TRY(pq_page_end(w, out, err));
    if (w->indexing)
        pq_dictionary_end(w);
    return NRW_OK;
}

/* ---- entries ---- */

/* A step over entries from s->at on: so many entries, rows of s->values, values. */
typedef struct step {
    uint32_t n, rows, there;
    bool whole; /* the page takes all of them, full or not */
} step;

static step step_of(const pq_column_writer *w, const pq_levels *s, bool full)
{
    step t = {.whole = full};
    uint32_t most = w->t.block_rows, room;

    if (w->indexing && s->values.form == VECTOR_DICT && w->remap.n)
        most = PQ_BLOCK_ROWS; /* indices alone are looked at */
    else if (!w->indexing && s->all && w->t.class == PQ_VALUES_NUMBERS && !w->t.convert &&
             s->values.form == VECTOR_FLAT)
        most = s->n; /* stored as they lie */
    room = full ? rest_of_record(s) : pq_page_rows(w) - w->page.rows;
    t.n = room < most ? room : most;
    t.n = s->n - s->at < t.n ? s->n - s->at : t.n;
    t.rows = t.there = t.n;
    if (!s->all) {
        t.rows = s->row_def ? count_at_least(s->def + s->at, t.n, s->row_def) : t.n;
        t.there = count_at_least(s->def + s->at, t.n, s->max_def);
    }
    return t;
}

/* What of a step the page takes: `values` of its values, and the entries up to the first that it
 * does not take or, where the last of these made it full, no entry behind that. */
static nrw_status take_step(pq_column_writer *w, pq_levels *s, const step *t, uint32_t values,
                            nrw_error *err)
{
    bool ends = !t->whole && pq_page_is_full(w);
    uint32_t n = t->n, rows = t->rows;

    if (ends)
        n = entry_of_value(s, s->at, values - 1) + 1;
    else if (values < t->there)
        n = entry_of_value(s, s->at, values);
    if (n < t->n)
        rows = s->all || !s->row_def ? n : count_at_least(s->def + s->at, n, s->row_def);
    TRY(put_entries(w, s->def + s->at, s->rep ? s->rep + s->at : NULL, n, values, err));
    s->at += n;
    s->row += rows;
    return NRW_OK;
}

/* All of these entries, whatever page_bytes says. */
static void count_entries(pq_column_writer *w, const uint32_t *own, uint32_t n)
{
    for (uint32_t i = 0; i < n && !w->t.width; i++)
        w->page.plain += w->dict.at[own[i] + 1] - w->dict.at[own[i]];
    w->page.plain += (uint64_t)n * w->t.width;
}

static nrw_status index_step(pq_column_writer *w, pq_levels *s, const step *t, pq_block *b,
                             pq_page_list *out, nrw_error *err)
{
    uint32_t *own, taken;
    size_t took;

    TRY(pq_page_index_room(w, t->there, &own, err));
    TRY(pq_entries_of(w, &s->values, s->row, t->rows, t->there, b, own, &took, err));
    taken = (uint32_t)took;
    if (t->whole || !pq_ends_by_bytes(w))
        count_entries(w, own, taken);
    else
        taken = pq_cut_entries(w, own, taken);
    pq_know_entries(w, own, taken);
    w->page.n_index += taken;
    TRY(take_step(w, s, t, taken, err));
    if (took == t->there || (!t->whole && pq_page_is_full(w)))
        return NRW_OK;
    return overflow(w, !s->rep || s->rep[s->at] == 0, out, err);
}

static nrw_status plain_step(pq_column_writer *w, pq_levels *s, const step *t, pq_block *b,
                             nrw_error *err)
{
    uint32_t taken = 0;

    TRY(pq_block_load(&w->t, &s->values, s->row, t->rows, t->there, b, err));
    if (w->t.class != PQ_VALUES_NONE)
        taken = t->whole ? b->n : pq_cut_spans(w, b);
    TRY(pq_page_values(w, b, taken, err));
    return take_step(w, s, t, taken, err);
}

static nrw_status append(pq_column_writer *w, pq_levels *s, pq_page_list *out, nrw_error *err)
{
    uint32_t pages = out->n;
    pq_block b;

    if (w->indexing && s->values.form == VECTOR_DICT && !s->at)
        pq_remap_for(w, &s->values, s->values.len, &b);
    while (s->at < s->n && out->n == pages) {
        bool full = pq_page_is_full(w);
        if (full && !rest_of_record(s)) {
            TRY(pq_end_full(w, out, err));
            continue;
        }
        step t = step_of(w, s, full);
        w->ahead = s->n - s->at;
        TRY(w->indexing ? index_step(w, s, &t, &b, out, err) : plain_step(w, s, &t, &b, err));
    }
    return NRW_OK;
}

nrw_status pq_column_append_levels(pq_column_writer *w, pq_levels *piece, pq_page_list *out,
                                   nrw_error *err)
{
    nrw_status st = NRW_OK;

    if (w->parked)
        st = err_set(err, NRW_E_ARG, "the column is parked");
    if (st == NRW_OK)
        st = append(w, piece, out, err);
    w->ahead = 0;
    if (st < 0)
        err_at_column(err, w->name);
    return st;
}
