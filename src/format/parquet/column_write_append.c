/* Vectors into the page in progress, cut where the rows say. */
#include "format/parquet/column_write_parts.h"
#include "kernel/kernel.h"

nrw_status pq_end_full(pq_column_writer *w, pq_page_list *out, nrw_error *err)
{
    w->was_full = true;
    return pq_page_end(w, out, err);
}

/* Behind each step. */
static nrw_status step_done(pq_column_writer *w, pq_page_list *out, nrw_error *err)
{
    if (pq_page_is_full(w))
        return pq_end_full(w, out, err);
    return pq_dictionary_hopeless(w) ? pq_page_give_up(w, err) : NRW_OK;
}

/* ---- which entry a value is ---- */

/* What the full table does, if that can be had without it. */
static void find_shifts(pq_remap *r)
{
    const uint32_t *own = r->own.at;
    uint32_t e = 0;

    r->below = own[0];
    while (e < r->n && own[e] - e == r->below)
        e++;
    r->split = e;
    r->above = e < r->n ? own[e] - e : 0;
    while (e < r->n && own[e] - e == r->above)
        e++;
    r->shifts = e == r->n;
}

/* Entries that this writer has already are looked up together; those it lacks must wait until a row
 * names them. */
static void remap_known(pq_column_writer *w, const vector *entries, pq_block *b)
{
    pq_remap *r = &w->remap;

    for (uint32_t e = 0, n; e < r->n; e += n) {
        n = r->n - e < w->t.block_rows ? r->n - e : w->t.block_rows;
        if (pq_block_load(&w->t, entries, e, n, n, b, NULL) < 0)
            return; /* some value fits nowhere, perhaps one without a row */
        pq_dict_find_numbers(&w->dict, b->values, n, r->own.at + e);
    }
    for (uint32_t e = 0; e < r->n; e++)
        r->left -= r->own.at[e] != PQ_REMAP_NONE;
    if (!r->left)
        find_shifts(r);
}

void pq_remap_for(pq_column_writer *w, const vector *v, uint32_t rows, pq_block *b)
{
    pq_remap *r = &w->remap;
    const vector *entries = &v->dict->values;
    uint32_t n = entries->len;

    if (!r->known || r->id != v->dict->id) {
        pq_words own = r->own;
        *r = (pq_remap){.known = true, .id = v->dict->id, .own = own};
    }
    r->rows += rows;
    if (r->n || !n || n > w->remap_most || n > 4 * r->rows)
        return;
    if (pq_words_room(w->m, &r->own, n, n, NULL) < 0)
        return;
    memset(r->own.at, 0xff, n * sizeof(uint32_t));
    r->n = r->left = n;
    if (w->t.class == PQ_VALUES_NUMBERS && n < r->rows)
        remap_known(w, entries, b);
}

static nrw_status add_values(pq_column_writer *w, const pq_block *b, uint32_t *own, size_t *took,
                             nrw_error *err)
{
    if (w->t.class == PQ_VALUES_NUMBERS)
        return pq_dict_add_numbers(&w->dict, b->values, b->n, own, took, err);
    return pq_dict_add_spans(&w->dict, b->spans, b->n, own, took, err);
}

/* Fills in what the table does not know yet; stops where the dictionary is full. */
static nrw_status add_missing(pq_column_writer *w, const vector *v, const uint32_t *index,
                              uint32_t there, pq_block *b, uint32_t *own, size_t *took,
                              nrw_error *err)
{
    uint32_t *map = w->remap.own.at;

    for (*took = 0; *took < there; ++*took) {
        uint32_t e = index[*took];
        size_t one;
        if (map[e] == PQ_REMAP_NONE) {
            TRY(pq_block_load(&w->t, &v->dict->values, e, 1, 1, b, err));
            TRY(add_values(w, b, &map[e], &one, err));
            if (!one)
                return NRW_OK;
            if (--w->remap.left == 0)
                find_shifts(&w->remap);
        }
        own[*took] = map[e];
    }
    return NRW_OK;
}

nrw_status pq_entries_of(pq_column_writer *w, const vector *v, uint32_t first, uint32_t n,
                         uint32_t there, pq_block *b, uint32_t *own, size_t *took, nrw_error *err)
{
    const kernels *k = kernels_get();
    const pq_remap *r = &w->remap;
    const uint32_t *index;

    *took = 0;
    if (!there)
        return NRW_OK;
    if (v->form != VECTOR_DICT || !r->n) {
        TRY(pq_block_load(&w->t, v, first, n, there, b, err));
        return add_values(w, b, own, took, err);
    }
    index = pq_block_indices(v, first, n, there, b);
    if (r->shifts) {
        k->shift_u32(index, there, r->split, r->below, r->above, own);
        *took = there;
        return NRW_OK;
    }
    k->look_up_4(r->own.at, r->n, index, there, own);
    if (r->left && k->max_u32(own, there) == PQ_REMAP_NONE)
        return add_missing(w, v, index, there, b, own, took, err);
    *took = there;
    return NRW_OK;
}

/* ---- rows with the dictionary ---- */

uint32_t pq_cut_entries(pq_column_writer *w, const uint32_t *own, uint32_t n)
{
    const uint32_t *at = w->dict.at;
    pq_draft *p = &w->page;

    if (!pq_ends_by_bytes(w)) {
        p->plain += (uint64_t)n * w->t.width;
        return n;
    }
    uint64_t sum = p->plain;
    for (uint32_t i = 0; i < n; i++)
        sum += at[own[i] + 1] - at[own[i]];
    if (sum < w->page_bytes) {
        p->plain = sum;
        return n;
    }
    for (uint32_t i = 0; i < n; i++) {
        p->plain += at[own[i] + 1] - at[own[i]];
        if (p->plain >= w->page_bytes)
            return i + 1;
    }
    return n;
}

void pq_know_entries(pq_column_writer *w, const uint32_t *own, uint32_t n)
{
    if (n && w->known < w->dict.n) {
        uint32_t most = kernels_get()->max_u32(own, n) + 1;
        w->known = most > w->known ? most : w->known;
    }
}

/* The dictionary is full at the row to come: the page ends before it, or goes on without as it
 * would have done if it had been looked at before. */
static nrw_status overflow(pq_column_writer *w, pq_page_list *out, nrw_error *err)
{
    if (pq_dictionary_hopeless(w))
        return pq_page_give_up(w, err);
    if (w->page.rows)
        TRY(pq_page_end(w, out, err));
    if (w->indexing)
        pq_dictionary_end(w);
    return NRW_OK;
}

static nrw_status index_rows(pq_column_writer *w, const vector *v, uint32_t first, uint32_t n,
                             pq_block *b, uint32_t *rows, pq_page_list *out, nrw_error *err)
{
    uint32_t there = pq_rows_there(v, first, n), *own, taken;
    size_t took;

    TRY(pq_page_index_room(w, there, &own, err));
    TRY(pq_entries_of(w, v, first, n, there, b, own, &took, err));
    taken = pq_cut_entries(w, own, (uint32_t)took);
    *rows = n;
    if (pq_page_is_full(w)) /* by bytes, with value taken - 1 */
        *rows = pq_row_of_value(v, first, n, taken - 1) + 1;
    else if (took < there)
        *rows = pq_row_of_value(v, first, n, (uint32_t)took);
    pq_know_entries(w, own, taken);
    w->page.n_index += taken;
    TRY(pq_page_levels(w, v->validity, first, *rows, *rows - taken, err));
    if (!pq_page_is_full(w) && took < there)
        return overflow(w, out, err);
    return NRW_OK;
}

/* ---- rows without ---- */

uint32_t pq_cut_spans(const pq_column_writer *w, const pq_block *b)
{
    uint64_t sum = w->page.plain;

    if (!pq_is_text(w))
        return b->n;
    for (uint32_t i = 0; i < b->n; i++) {
        sum += 4 + b->spans[i].len;
        if (sum >= w->page_bytes)
            return i + 1;
    }
    return b->n;
}

/* Numbers without nulls that are stored as they lie in vectors. */
static bool as_they_lie(const pq_column_writer *w, const vector *v)
{
    return w->t.class == PQ_VALUES_NUMBERS && !v->validity && v->type.width == w->t.width &&
           !w->t.convert;
}

static nrw_status plain_rows(pq_column_writer *w, const vector *v, uint32_t first, uint32_t n,
                             pq_block *b, uint32_t *rows, nrw_error *err)
{
    uint32_t there = pq_rows_there(v, first, n), taken;

    if (v->form == VECTOR_DICT && as_they_lie(w, v)) {
        *rows = n;
        TRY(pq_page_gather(w, v, first, n, err));
        return pq_page_levels(w, NULL, 0, n, 0, err);
    }
    TRY(pq_block_load(&w->t, v, first, n, there, b, err));
    taken = w->t.class == PQ_VALUES_NONE ? 0 : pq_cut_spans(w, b);
    TRY(pq_page_values(w, b, taken, err));
    *rows = n;
    if (pq_page_is_full(w))
        *rows = pq_row_of_value(v, first, n, taken - 1) + 1;
    if (w->t.class == PQ_VALUES_NONE)
        return pq_page_levels(w, NULL, 0, n, n, err);
    return pq_page_levels(w, v->validity, first, *rows, *rows - taken, err);
}

/* As many rows as one step may take: a block, or to the page's end where values are stored as they
 * lie in the vector. */
static uint32_t step_rows(const pq_column_writer *w, const vector *v, uint32_t left)
{
    uint32_t room = pq_page_rows(w) - w->page.rows, most = w->t.block_rows;

    if (w->indexing && v->form == VECTOR_DICT && w->remap.n)
        most = PQ_BLOCK_ROWS; /* indices alone are looked at */
    else if (!w->indexing && as_they_lie(w, v))
        most = room;
    room = room < most ? room : most;
    return left < room ? left : room;
}

static nrw_status append_rows(pq_column_writer *w, const vector *v, uint32_t row, uint32_t end,
                              pq_block *b, pq_page_list *out, nrw_error *err)
{
    if (v->form == VECTOR_DICT && w->indexing)
        pq_remap_for(w, v, end - row, b);
    for (uint32_t rows = 0; row < end; row += rows) {
        uint32_t n = step_rows(w, v, end - row);
        w->ahead = end - row;
        if (w->indexing)
            TRY(index_rows(w, v, row, n, b, &rows, out, err));
        else
            TRY(plain_rows(w, v, row, n, b, &rows, err));
        TRY(step_done(w, out, err));
    }
    return NRW_OK;
}

/* ---- runs ---- */

/* A place in a vector of runs. */
typedef struct run_at {
    const vector *v;
    uint32_t run, row, runs, end; /* runs and rows behind these are not taken */
} run_at;

/* Rows of one value that the page still takes, of `count`. */
static uint32_t run_take(const pq_column_writer *w, uint32_t count, uint64_t size)
{
    uint64_t take = pq_page_rows(w) - w->page.rows;

    if (pq_ends_by_bytes(w) && size) {
        uint64_t fit = (w->page_bytes - w->page.plain + size - 1) / size;
        take = fit < take ? fit : take;
    }
    return take < count ? (uint32_t)take : count;
}

/* Entry `own` for as many of `count` rows as the page takes. */
static nrw_status run_index(pq_column_writer *w, uint32_t own, uint32_t count, uint32_t *took,
                            nrw_error *err)
{
    uint64_t size = pq_plain_size(w, pq_dict_entry(&w->dict, own).len);

    *took = run_take(w, count, size);
    TRY(pq_page_index_run(w, own, *took, err));
    w->page.plain += size * *took;
    w->known = own >= w->known ? own + 1 : w->known;
    return pq_page_levels(w, NULL, 0, *took, 0, err);
}

static nrw_status run_plain(pq_column_writer *w, const pq_block *b, uint32_t i, uint32_t count,
                            uint32_t *took, nrw_error *err)
{
    *took = run_take(w, count, pq_is_text(w) ? 4 + b->spans[i].len : 0);
    TRY(pq_page_repeat(w, b, i, *took, err));
    return pq_page_levels(w, NULL, 0, *took, 0, err);
}

static nrw_status run_nulls(pq_column_writer *w, uint32_t count, uint32_t *took, nrw_error *err)
{
    *took = run_take(w, count, 0);
    return pq_page_levels(w, NULL, 0, *took, *took, err);
}

/* What a block of runs holds: entries, or values in the block. */
typedef struct run_block {
    pq_block block;
    uint32_t own[PQ_BLOCK_ROWS + 16];
    uint32_t there;
    size_t took; /* entries that are known; less than there: the dictionary is full */
    bool indexing;
} run_block;

static nrw_status run_block_load(pq_column_writer *w, const vector *values, uint32_t first,
                                 uint32_t n, run_block *r, nrw_error *err)
{
    r->there = w->t.class == PQ_VALUES_NONE ? 0 : pq_rows_there(values, first, n);
    r->indexing = w->indexing;
    if (w->indexing)
        return pq_entries_of(w, values, first, n, r->there, &r->block, r->own, &r->took, err);
    return pq_block_load(&w->t, values, first, n, r->there, &r->block, err);
}

/* Runs from `at` on, at most a block of them, until their values must be looked up anew. */
static nrw_status append_run_block(pq_column_writer *w, run_at *at, run_block *r, pq_page_list *out,
                                   nrw_error *err)
{
    const vector *values = at->v->values;
    const uint32_t *ends = (const uint32_t *)at->v->data;
    uint32_t left = at->runs - at->run, n = left < w->t.block_rows ? left : w->t.block_rows;
    uint32_t end = at->run + n, value = 0, took;

    TRY(run_block_load(w, values, at->run, n, r, err));
    while (at->run < end && w->indexing == r->indexing) {
        uint32_t run_end = ends[at->run] < at->end ? ends[at->run] : at->end;
        uint32_t count = run_end - at->row;
        bool null = w->t.class == PQ_VALUES_NONE || !vector_is_valid(values, at->run);
        if (null)
            TRY(run_nulls(w, count, &took, err));
        else if (!r->indexing)
            TRY(run_plain(w, &r->block, value, count, &took, err));
        else if (value < r->took)
            TRY(run_index(w, r->own[value], count, &took, err));
        else
            return overflow(w, out, err);
        at->row += took;
        if (took == count) {
            at->run++;
            value += !null;
        }
        TRY(step_done(w, out, err));
    }
    return NRW_OK;
}

static nrw_status append_runs(pq_column_writer *w, const vector *v, uint32_t first, uint32_t end,
                              run_block *r, pq_page_list *out, nrw_error *err)
{
    const uint32_t *ends = (const uint32_t *)v->data;
    run_at at = {.v = v, .row = first, .end = end};

    while (at.row < end && ends[at.run] <= at.row)
        at.run++;
    at.runs = at.run;
    while (at.row < end && (at.runs == at.run || ends[at.runs - 1] < end))
        at.runs++;
    if (v->values->form == VECTOR_DICT && w->indexing)
        pq_remap_for(w, v->values, v->values->len, &r->block);
    while (at.row < end) {
        w->ahead = end - at.row;
        TRY(append_run_block(w, &at, r, out, err));
    }
    return NRW_OK;
}

nrw_status pq_column_append(pq_column_writer *w, const vector *v, uint32_t first, uint32_t n,
                            pq_page_list *out, nrw_error *err)
{
    run_block block;
    nrw_status st;

    if (w->parked) {
        err_at_column(err, w->name);
        return err_set(err, NRW_E_ARG, "the column is parked");
    }
    if (v->null_count && !w->nullable) {
        err_at_column(err, w->name);
        return err_set(err, NRW_E_VALUE, "null in a column that is required");
    }
    st = v->form == VECTOR_RUNS ? append_runs(w, v, first, first + n, &block, out, err)
                                : append_rows(w, v, first, first + n, &block.block, out, err);
    w->ahead = 0;
    if (st < 0)
        err_at_column(err, w->name);
    return st;
}
