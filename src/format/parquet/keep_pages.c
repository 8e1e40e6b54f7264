/* Pages of a chunk from file to file. Each is checked before it is written: against its checksum,
 * or, where it has none, by decompressing it. Headers are written anew. */
#include "format/parquet/keep_own.h"

/* What the rule took from the footer must be true of the page itself. */
static nrw_status check_page(const pq_keep_chunk *c, const pq_page *p, nrw_error *err)
{
    bool dictionary = p->encoding == PQ_PLAIN_DICTIONARY || p->encoding == PQ_RLE_DICTIONARY;
    bool v1 = p->type == PQ_DATA_PAGE;
    const char *wrong = NULL;
    if (p->type == PQ_DICTIONARY_PAGE)
        wrong = c->to.dictionary.len || c->pages ? "a dictionary behind other pages" : NULL;
    else if (!(c->from.page_types >> p->type & 1))
        wrong = "a page of a kind that the footer does not name";
    else if (p->encoding < 0 || p->encoding > 31 || !(c->from.data_encodings >> p->encoding & 1))
        wrong = "a page of an encoding that the footer does not name";
    else if (dictionary && !c->to.dictionary.len)
        wrong = "a page of dictionary indices without a dictionary";
    else if (v1 && ((c->leaf->max_def && p->def_encoding != PQ_RLE) ||
                    (c->leaf->max_rep && p->rep_encoding != PQ_RLE)))
        wrong = "levels of an encoding that is no longer written";
    else if (c->values + p->n_values > c->from.n_values)
        wrong = "more values than the footer says";
    if (c->from.codec == CODEC_NONE && p->compressed != p->uncompressed)
        wrong = "a page of two sizes that is not compressed";
    if (!wrong)
        return NRW_OK;
    err_next(err, "--no-keep-pages decodes them");
    return err_set(err, NRW_E_CORRUPT, "%s", wrong);
}

/* *crc: of the stored bytes, which are sound as far as can be told. */
static nrw_status check_body(page_reader *r, const pq_page *p, uint32_t *crc, nrw_error *err)
{
    if (!p->has_crc) {
        body b;
        TRY(page_body(r, p, &b, err));
        page_recycle(r, &b);
    }
    TRY(page_stored(r, p, NULL, NULL, crc, err));
    return p->has_crc ? page_check_crc(p, *crc, err) : NRW_OK;
}

static nrw_status to_target(void *self, span piece, nrw_error *err)
{
    return target_write(self, piece, err);
}

/* Writes the page; *header_len: of the new header. */
static nrw_status write_page(const pq_keep_chunk *c, page_reader *r, const pq_page *p,
                             uint32_t *header_len, nrw_error *err)
{
    pq_page head = *p;
    uint8_t room[PQ_HEADER_ROOM];
    bytes to = {.data = room, .cap = sizeof room, .max = sizeof room, .m = c->m};
    uint32_t crc;
    TRY(check_body(r, p, &head.crc, err));
    head.has_crc = c->w->opts->page_crc;
    TRY(pq_page_header_write(&to, &head, err));
    TRY(target_write(c->w->target, (span){to.data, to.len}, err));
    *header_len = (uint32_t)to.len;
    TRY(page_stored(r, p, to_target, c->w->target, &crc, err));
    if (crc != head.crc)
        return err_set(err, NRW_E_CHANGED, "the file changed while it was read");
    return NRW_OK;
}

static nrw_status count_page(pq_keep_chunk *c, const pq_page *p, uint32_t header_len,
                             nrw_error *err)
{
    uint32_t stored = header_len + (uint32_t)p->compressed, rows;
    c->to.encoded += (uint64_t)p->uncompressed;
    c->to.uncompressed += header_len + (uint64_t)p->uncompressed;
    c->to.compressed += stored;
    if (p->type == PQ_DICTIONARY_PAGE) {
        c->to.dictionary.len = stored;
        c->to.dictionary_encoding = (uint8_t)p->encoding;
        return NRW_OK;
    }
    TRY(pq_keep_rows(c, p, &rows, err));
    TRY(pq_keep_record(c, p, rows, stored, err));
    TRY(pq_count_encoding(&c->to, p->encoding, err));
    c->to.rows += rows;
    c->to.values += p->n_values;
    c->values += p->n_values;
    c->pages++;
    return NRW_OK;
}

static nrw_status keep_page(pq_keep_chunk *c, page_reader *r, nrw_error *err)
{
    pq_page p;
    uint32_t header_len = 0;
    nrw_status st = page_header(r, r->read_ahead, &p, err);
    if (st == NRW_END)
        return err_set(err, NRW_E_CORRUPT, "the pages end after %lld of %lld values",
                       (long long)c->values, (long long)c->from.n_values);
    TRY(st);
    if (p.type == PQ_DATA_PAGE || p.type == PQ_DATA_PAGE_V2 || p.type == PQ_DICTIONARY_PAGE) {
        TRY(check_page(c, &p, err));
        TRY(write_page(c, r, &p, &header_len, err));
        TRY(count_page(c, &p, header_len, err));
    }
    page_pass(r, &p);
    return NRW_OK;
}

nrw_status pq_keep_pages(pq_keep_chunk *c, page_reader *pages, nrw_error *err)
{
    while (c->values < c->from.n_values) {
        uint64_t at = pages->at;
        nrw_status st = keep_page(c, pages, err);
        if (st < 0) {
            err_at_page(err, c->pages);
            err_at_offset(err, (int64_t)at);
            return st;
        }
    }
    return NRW_OK;
}
