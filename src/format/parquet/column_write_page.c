/* The page in progress: levels and values as rows come. */
#include "format/parquet/column_write_parts.h"
#include "format/parquet/enc_copy.h"
#include "kernel/kernel.h"

#define WORDS_FIRST 64
#define BODY_FIRST  1024

/* Above this many runs, indices are kept row by row. */
#define RUNS_MAX  2048
#define RUN_WORDS (sizeof(enc_run) / sizeof(uint32_t))

/* ---- growing ---- */

nrw_status pq_words_room(mem *m, pq_words *w, size_t words, size_t most, nrw_error *err)
{
    size_t cap = size_max(words, size_min(most, size_max(WORDS_FIRST, 2 * w->cap)));
    void *p = w->at;

    if (words <= w->cap)
        return NRW_OK;
    TRY(mem_realloc(m, &p, w->cap * sizeof(uint32_t), cap * sizeof(uint32_t), err));
    w->at = p;
    w->cap = cap;
    return NRW_OK;
}

void pq_words_release(mem *m, pq_words *w)
{
    mem_free(m, w->at, w->cap * sizeof(uint32_t));
    *w = (pq_words){0};
}

void pq_page_release(pq_column_writer *w)
{
    pq_draft *p = &w->page;

    pq_words_release(w->m, &p->valid);
    pq_words_release(w->m, &p->rep);
    pq_words_release(w->m, &p->index);
    pq_words_release(w->m, &p->runs);
    pq_words_release(w->m, &p->lens);
    buffer_unref(p->body);
    bytes_release(&p->min);
    bytes_release(&p->max);
    *p = (pq_draft){0};
}

/* ---- taking rows ---- */

#define SLACK_WORDS 16 /* behind outputs of kernels */

/* How many words rows of the page in progress may still need: a guess for growing at once. */
static size_t words_ahead(const pq_column_writer *w, size_t now)
{
    size_t rows = size_min(pq_page_rows(w), (size_t)w->page.rows + w->ahead);

    return size_max(now, rows) + SLACK_WORDS;
}

nrw_status pq_page_levels(pq_column_writer *w, const uint8_t *validity, size_t off, uint32_t n,
                          uint32_t nulls, nrw_error *err)
{
    const kernels *k = kernels_get();
    pq_draft *p = &w->page;

    if (nulls || p->nulls) {
        size_t words = ((size_t)p->rows + n) / 32 + 2 + SLACK_WORDS;
        uint8_t *bits;
        TRY(pq_words_room(w->m, &p->valid, words, words_ahead(w, 0) / 32 + 2 + SLACK_WORDS, err));
        bits = (uint8_t *)p->valid.at;
        if (!p->nulls)
            k->fill_bits(bits, 0, p->rows, true);
        if (validity && nulls && nulls < n)
            k->copy_bits(validity, off, bits, p->rows, n);
        else
            k->fill_bits(bits, p->rows, n, nulls == 0);
    }
    p->rows += n;
    p->nulls += nulls;
    return NRW_OK;
}

/* Runs so far, row by row. */
static nrw_status expand_runs(pq_column_writer *w, uint32_t more, nrw_error *err)
{
    pq_draft *p = &w->page;
    const enc_run *runs = (const enc_run *)p->runs.at;
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n_runs; i++)
        n += runs[i].count;
    TRY(pq_words_room(w->m, &p->index, (size_t)n + more + SLACK_WORDS,
                      words_ahead(w, (size_t)n + more), err));
    n = 0;
    for (uint32_t i = 0; i < p->n_runs; i++) {
        kernels_get()->fill_4(p->index.at + n, runs[i].value, runs[i].count);
        n += runs[i].count;
    }
    p->n_index = n;
    p->n_runs = 0;
    return NRW_OK;
}

nrw_status pq_page_index_room(pq_column_writer *w, uint32_t n, uint32_t **at, nrw_error *err)
{
    pq_draft *p = &w->page;

    *at = NULL;
    if (p->n_runs)
        TRY(expand_runs(w, n, err));
    TRY(pq_words_room(w->m, &p->index, (size_t)p->n_index + n + SLACK_WORDS,
                      words_ahead(w, (size_t)p->n_index + n), err));
    *at = p->index.at + p->n_index;
    return NRW_OK;
}

nrw_status pq_page_index_run(pq_column_writer *w, uint32_t entry, uint32_t count, nrw_error *err)
{
    pq_draft *p = &w->page;
    enc_run *runs = (enc_run *)p->runs.at;

    if (p->n_index || p->n_runs == RUNS_MAX) {
        uint32_t *at;
        TRY(pq_page_index_room(w, count, &at, err));
        kernels_get()->fill_4(at, entry, count);
        p->n_index += count;
        return NRW_OK;
    }
    if (p->n_runs && runs[p->n_runs - 1].value == entry) {
        runs[p->n_runs - 1].count += count;
        return NRW_OK;
    }
    TRY(pq_words_room(w->m, &p->runs, RUN_WORDS * ((size_t)p->n_runs + 1), RUN_WORDS * RUNS_MAX,
                      err));
    ((enc_run *)p->runs.at)[p->n_runs++] = (enc_run){entry, count};
    return NRW_OK;
}

/* What the page will need if the rows in hand go on as they are, or, where one page was full, the
 * next ones are likely to be full, too. */
static size_t body_ahead(const pq_column_writer *w)
{
    size_t text = pq_texts_apart(w) && w->filled ? w->filled : w->page_bytes;
    size_t full = pq_is_text(w) ? text + text / 32 : (size_t)w->page_limit * w->t.width;
    size_t rows = (size_t)w->page.rows + w->ahead;

    return w->was_full ? full : size_min(full, rows * (pq_is_text(w) ? 12 : w->t.width));
}

/* What levels may take at the page's end. */
static size_t levels_ahead(const pq_column_writer *w)
{
    const pq_draft *p = &w->page;

    if (!w->nested)
        return p->nulls ? enc_rle_bits_bound(p->rows) : 0;
    return 64 + (w->max_rep ? enc_rle_bound(p->rows, enc_width(w->max_rep)) : 0) +
           (p->nulls ? enc_rle_bound(p->rows, enc_width(w->max_def)) : 0);
}

nrw_status pq_page_body_room(pq_column_writer *w, size_t more, nrw_error *err)
{
    pq_draft *p = &w->page;
    size_t need, levels = levels_ahead(w);

    if (!p->body) {
        p->head = pq_body_stays(w) ? w->front : 0;
        need = size_max(size_max(more, BODY_FIRST), body_ahead(w));
        TRY(buffer_new(w->m, p->head + levels + need, &p->body, err));
        p->body->len = p->head;
        return NRW_OK;
    }
    if (!size_add(p->body->len, more, &need) || need > (size_t)PQ_PAGE_MAX + p->head)
        return err_set(err, NRW_E_VALUE, "a page with this value would pass 2 GiB");
    if (need <= p->body->cap)
        return NRW_OK;
    need = size_max(need,
                    size_max(p->head + body_ahead(w), size_min(2 * p->body->cap, w->page_bytes)));
    return buffer_resize(&p->body, need + levels, err);
}

/* ---- values ---- */

nrw_status pq_bound_set(bytes *b, mem *m, span value, nrw_error *err)
{
    b->m = m;
    b->max = SIZE_MAX;
    b->len = 0;
    return bytes_append(b, value.data, value.len, err);
}

static span cut_bound(const pq_column_writer *w, span s)
{
    return (span){s.data, size_min(s.len, w->keep_bound)};
}

/* Bounds of text are kept beside the page, for its bytes move while it grows. */
static nrw_status join_text(pq_column_writer *w, const span *values, uint32_t n, nrw_error *err)
{
    pq_bounds b = pq_bounds_init(w->t.order);
    pq_draft *p = &w->page;

    if (!w->statistics || !n)
        return NRW_OK;
    pq_bounds_spans(&b, values, n);
    b.min = cut_bound(w, b.min);
    b.max = cut_bound(w, b.max);
    if (!p->any_text || pq_order_compare(b.order, b.min, (span){p->min.data, p->min.len}) < 0)
        TRY(pq_bound_set(&p->min, w->m, b.min, err));
    if (!p->any_text || pq_order_compare(b.order, b.max, (span){p->max.data, p->max.len}) > 0)
        TRY(pq_bound_set(&p->max, w->m, b.max, err));
    p->any_text = true;
    return NRW_OK;
}

/* Room for n texts of `total` bytes and their lengths, which are told by *lens where they lie
 * apart; *bytes: what the body takes. */
static nrw_status text_room(pq_column_writer *w, uint32_t n, size_t total, uint32_t **lens,
                            size_t *bytes, nrw_error *err)
{
    pq_draft *p = &w->page;
    size_t words = (size_t)p->n_lens + n + SLACK_WORDS;

    *lens = NULL;
    *bytes = total;
    if (pq_texts_apart(w)) {
        TRY(pq_words_room(w->m, &p->lens, words, words_ahead(w, words), err));
        *lens = p->lens.at + p->n_lens;
    } else {
        *bytes += 4 * (size_t)n;
    }
    return pq_page_body_room(w, *bytes, err);
}

static nrw_status put_text(pq_column_writer *w, const span *values, uint32_t n, nrw_error *err)
{
    size_t total = 0, bytes;
    uint32_t *lens;
    uint8_t *at;

    for (uint32_t i = 0; i < n; i++)
        total += values[i].len;
    TRY(text_room(w, n, total, &lens, &bytes, err));
    TRY(join_text(w, values, n, err));
    at = w->page.body->data + w->page.body->len;
    for (uint32_t i = 0; lens && i < n; i++) {
        lens[i] = (uint32_t)values[i].len;
        at = enc_copy(at, values[i].data, values[i].len);
    }
    for (uint32_t i = 0; !lens && i < n; i++) {
        store_u32(at, (uint32_t)values[i].len);
        at = enc_copy(at + 4, values[i].data, values[i].len);
    }
    w->page.n_lens += lens ? n : 0;
    w->page.body->len += bytes;
    w->page.plain += total + 4 * (uint64_t)n;
    return NRW_OK;
}

static nrw_status repeat_text(pq_column_writer *w, span v, uint32_t count, nrw_error *err)
{
    size_t total = v.len * (size_t)count, bytes;
    uint32_t *lens;
    uint8_t *at;

    TRY(text_room(w, count, total, &lens, &bytes, err));
    TRY(join_text(w, &v, 1, err));
    at = w->page.body->data + w->page.body->len;
    if (lens)
        kernels_get()->fill_4(lens, (uint32_t)v.len, count);
    for (uint32_t j = 0; j < count; j++) {
        if (!lens) {
            store_u32(at, (uint32_t)v.len);
            at += 4;
        }
        at = enc_copy(at, v.data, v.len);
    }
    w->page.n_lens += lens ? count : 0;
    w->page.body->len += bytes;
    w->page.plain += total + 4 * (uint64_t)count;
    return NRW_OK;
}

nrw_status pq_page_values(pq_column_writer *w, const pq_block *b, uint32_t n, nrw_error *err)
{
    size_t total = (size_t)n * w->t.width;
    uint8_t *at;

    if (!n)
        return NRW_OK;
    if (pq_is_text(w))
        return put_text(w, b->spans, n, err);
    TRY(pq_page_body_room(w, total, err));
    at = w->page.body->data + w->page.body->len;
    if (b->values)
        memcpy(at, b->values, total);
    else
        for (uint32_t i = 0; i < n; i++)
            at = enc_copy(at, b->spans[i].data, w->t.width);
    w->page.body->len += total;
    w->page.plain += total;
    return NRW_OK;
}

nrw_status pq_page_gather(pq_column_writer *w, const vector *v, uint32_t first, uint32_t n,
                          nrw_error *err)
{
    const kernels *k = kernels_get();
    const uint32_t *index = (const uint32_t *)v->data + first;
    size_t total = (size_t)n * w->t.width;

    TRY(pq_page_body_room(w, total, err));
    uint8_t *at = w->page.body->data + w->page.body->len;
    if (w->t.width == 8)
        k->gather_8(v->dict->values.data, index, n, at);
    else
        k->gather_4(v->dict->values.data, index, n, at);
    w->page.body->len += total;
    w->page.plain += total;
    return NRW_OK;
}

nrw_status pq_page_repeat(pq_column_writer *w, const pq_block *b, uint32_t i, uint32_t count,
                          nrw_error *err)
{
    const kernels *k = kernels_get();
    span v = b->values ? (span){b->values + (size_t)i * w->t.width, w->t.width} : b->spans[i];
    size_t size = w->t.width;
    uint8_t *at;

    if (pq_is_text(w))
        return repeat_text(w, v, count, err);
    TRY(pq_page_body_room(w, size * count, err));
    at = w->page.body->data + w->page.body->len;
    if (w->t.width == 8)
        k->fill_8(at, load_u64(v.data), count);
    else if (w->t.width == 4)
        k->fill_4(at, load_u32(v.data), count);
    else if (w->t.width == 1)
        memset(at, v.data[0], count);
    else
        for (uint32_t j = 0; j < count; j++)
            at = enc_copy(at, v.data, v.len);
    w->page.body->len += size * count;
    w->page.plain += size * count;
    return NRW_OK;
}
