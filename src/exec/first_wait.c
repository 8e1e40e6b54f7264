#include "exec/first_late.h"

#include "exec/hash_parts.h"
#include "exec/rows_spill.h"

/* Rows are taken a slice at a time; so many bytes of them are a block, which the next slice would
 * make larger than a block of rows. */
#define SLICE (16u << 10)
#define BLOCK (ROWS_BLOCK - SLICE)
#define MOST  1024u

first_wait first_wait_of(const row_layout *l, mem *m, spill *s)
{
    return (first_wait){
        .m = m, .spill = s, .layout = l, .rows = {.m = m}, .scratch = bytes_init(m, UINT32_MAX)};
}

void first_wait_release(first_wait *w)
{
    rows_release(&w->rows);
    bytes_release(&w->scratch);
    spill_chain_free(&w->blocks, w->spill);
    mem_free(w->m, w->hashes, w->hashes ? FIRST_KEYS * sizeof *w->hashes : 0);
    w->hashes = NULL;
    w->row = NULL;
}

static nrw_status write_rows(first_wait *w, nrw_error *err)
{
    for (uint32_t i = 0; i < w->rows.n_blocks; i++) {
        const rows_block *of = &w->rows.blocks[i];
        TRY(rows_spill_to(w->layout, (span){of->data, of->len}, false, w->spill, &w->scratch,
                          &w->blocks, err));
    }
    rows_clear(&w->rows);
    return NRW_OK;
}

typedef struct slice {
    const vector **at;
    vector *cols;
    uint64_t heads[MOST];
    uint8_t *made[MOST];
} slice;

/* Rows [from, from + n) of all. */
static nrw_status put_slice(first_wait *w, slice *s, const vector *all, uint32_t from, uint32_t n,
                            mem *m, nrw_error *err)
{
    const uint32_t n_cols = w->layout->n;
    nrw_status st = NRW_OK;

    for (uint32_t c = 0; st >= 0 && c < n_cols; c++) {
        st = vector_slice(&all[c], from, n, m, &s->cols[c], err);
        s->at[c] = &s->cols[c];
    }
    if (st >= 0)
        st = rows_add(&w->rows, w->layout, s->at, n, s->heads, m, s->made, err);
    for (uint32_t c = 0; c < n_cols; c++)
        vector_release(&s->cols[c]);
    if (st >= 0 && w->rows.bytes >= BLOCK)
        st = write_rows(w, err);
    return st;
}

static nrw_status put_all(first_wait *w, slice *s, const vector *all, uint64_t number,
                          const uint16_t *sel, const uint8_t *late, mem *m, nrw_error *err)
{
    const uint32_t rows = all[0].len;
    const uint32_t some =
        rows_that_fit(w->layout, all, w->layout->n, rows_bytes_at_once(w->layout, SLICE), MOST);

    for (uint32_t at = 0, n; at < rows; at += n) {
        n = rows - at < some ? rows - at : some;
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t row = sel ? sel[at + i] : at + i;
            s->heads[i] = (number + at + i - w->number) << 1 | (late && bit_get(late, row));
            w->number = number + at + i;
        }
        TRY(put_slice(w, s, all, at, n, m, err));
    }
    return NRW_OK;
}

nrw_status first_wait_put(first_wait *w, vector *cols, uint64_t number, const uint16_t *sel,
                          const uint8_t *late, mem *m, nrw_error *err)
{
    const size_t bytes = sizeof(slice) + w->layout->n * (sizeof(vector) + sizeof(vector *));
    nrw_status st = NRW_OK;
    slice *s;

    for (uint32_t c = 0; c < w->layout->n; c++) {
        vector flat;
        TRY(vector_expand(&cols[c], m, &flat, err));
        vector_release(&cols[c]);
        cols[c] = flat;
    }
    TRY(mem_zalloc(m, bytes, (void **)&s, err));
    s->cols = (vector *)(s + 1);
    s->at = (const vector **)(void *)(s->cols + w->layout->n);
    st = put_all(w, s, cols, number, sel, late, m, err);
    mem_free(m, s, bytes);
    return st;
}

/* ---- back ---- */

nrw_status first_wait_end(first_wait *w, nrw_error *err)
{
    TRY(write_rows(w, err));
    rows_release(&w->rows);
    bytes_release(&w->scratch);
    return spill_chain_turn(&w->blocks, w->spill, err);
}

static nrw_status read_block(first_wait *w, nrw_error *err)
{
    spill_block b;
    nrw_status st;

    w->block = (span){0};
    w->at = 0;
    rows_clear(&w->rows);
    st = spill_chain_take(&w->blocks, w->spill, &b, err);
    if (st != NRW_OK)
        return st < 0 ? st : NRW_OK;
    st = rows_read(w->layout, w->spill, &b, &w->scratch, &w->rows, &w->block, err);
    spill_free(w->spill, &b);
    return st;
}

nrw_status first_wait_next(first_wait *w, nrw_error *err)
{
    w->row = NULL;
    w->next_hash += w->next_hash < w->n_hashes;
    if (w->at == w->block.len)
        TRY(read_block(w, err));
    if (w->at == w->block.len)
        return NRW_OK;
    TRY(hash_part_row(w->block, &w->at, &w->row, err));
    w->number += row_hash(w->row) >> 1;
    w->late = row_hash(w->row) & 1;
    return NRW_OK;
}

/* Hashes of the row and those behind it in its block. */
static nrw_status hash_rows_ahead(first_wait *w, const uint32_t *per, uint32_t n_per, mem *m,
                                  nrw_error *err)
{
    const size_t size = n_per * (sizeof(vector) + sizeof(vector *)) + 1;
    uint8_t *row[FIRST_KEYS] = {w->row};
    bytes key = bytes_init(m, UINT32_MAX);
    nrw_status st = NRW_OK;
    uint32_t n = 1;
    vector *cols;
    const vector **at;

    for (size_t behind = w->at; n < FIRST_KEYS && behind < w->block.len; n++)
        TRY(hash_part_row(w->block, &behind, &row[n], err));
    if (!w->hashes)
        TRY(mem_alloc(w->m, FIRST_KEYS * sizeof *w->hashes, (void **)&w->hashes, err));
    TRY(mem_zalloc(m, size, (void **)&cols, err));
    at = (const vector **)(void *)(cols + n_per);
    for (uint32_t c = 0; st >= 0 && c < n_per; c++) {
        st = rows_column(w->layout, (const uint8_t *const *)row, n, per[c], m, &cols[c], err);
        at[c] = &cols[c];
    }
    if (st >= 0)
        st = first_keys_hash(at, n_per, n, &key, w->hashes, err);
    for (uint32_t c = 0; c < n_per; c++)
        vector_release(&cols[c]);
    bytes_release(&key);
    mem_free(m, cols, size);
    w->n_hashes = n;
    w->next_hash = 0;
    return st;
}

nrw_status first_wait_hash(first_wait *w, const uint32_t *per, uint32_t n_per, mem *m,
                           uint64_t *out, nrw_error *err)
{
    if (w->next_hash >= w->n_hashes)
        TRY(hash_rows_ahead(w, per, n_per, m, err));
    *out = w->hashes[w->next_hash];
    return NRW_OK;
}

nrw_status first_wait_begin(first_wait *w, nrw_error *err)
{
    w->number = 0;
    return first_wait_next(w, err);
}
