/* Page headers: parquet.thrift, PageHeader. */
#include "format/parquet/meta.h"
#include "format/parquet/thrift.h"

typedef struct page_seen {
    bool type, uncompressed, compressed;
    bool data, dictionary, data_v2; /* the header of that kind of page */
    bool n_values, encoding;
} page_seen;

static nrw_status get_enum(thrift_in *in, thrift_field f, pq_encoding *out, bool *seen,
                           nrw_error *err)
{
    int32_t v = (int32_t)*out;
    TRY(thrift_get_i32(in, f, &v, seen, err));
    *out = (pq_encoding)v;
    return NRW_OK;
}

/* A bound stays where it is: page headers are parsed from bytes in memory. */
static nrw_status get_bound(thrift_in *in, thrift_field f, span *out, bool *seen, nrw_error *err)
{
    size_t len;
    if (f.type != THRIFT_BINARY)
        return thrift_skip(in, f.type, err);
    TRY(thrift_read_length(in, &len, err));
    *out = (span){in->p, len};
    TRY(thrift_skip_raw(in, len, err));
    *seen = true;
    return NRW_OK;
}

/* Statistics; the old min and max say nothing of their order. */
static nrw_status read_statistics(thrift_in *in, thrift_field field, pq_page *p, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    if (field.type != THRIFT_STRUCT)
        return thrift_skip(in, field.type, err);
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: return NRW_OK;
        case 3: TRY(thrift_get_i64(in, f, &p->null_count, NULL, err)); break;
        case 5: TRY(get_bound(in, f, &p->max, &p->has_max, err)); break;
        case 6: TRY(get_bound(in, f, &p->min, &p->has_min, err)); break;
        default: TRY(thrift_skip(in, f.type, err));
        }
    }
}

/* DataPageHeader */
static nrw_status read_data(thrift_in *in, pq_page *p, page_seen *seen, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: return NRW_OK;
        case 1: TRY(thrift_get_i32(in, f, &p->n_values, &seen->n_values, err)); break;
        case 2: TRY(get_enum(in, f, &p->encoding, &seen->encoding, err)); break;
        case 3: TRY(get_enum(in, f, &p->def_encoding, NULL, err)); break;
        case 4: TRY(get_enum(in, f, &p->rep_encoding, NULL, err)); break;
        case 5: TRY(read_statistics(in, f, p, err)); break;
        default: TRY(thrift_skip(in, f.type, err));
        }
    }
}

/* DictionaryPageHeader */
static nrw_status read_dictionary(thrift_in *in, pq_page *p, page_seen *seen, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: return NRW_OK;
        case 1: TRY(thrift_get_i32(in, f, &p->n_values, &seen->n_values, err)); break;
        case 2: TRY(get_enum(in, f, &p->encoding, &seen->encoding, err)); break;
        case 3: TRY(thrift_get_bool(in, f, &p->dict_sorted, NULL, err)); break;
        default: TRY(thrift_skip(in, f.type, err));
        }
    }
}

/* DataPageHeaderV2 */
static nrw_status read_data_v2(thrift_in *in, pq_page *p, page_seen *seen, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    p->n_nulls = p->n_rows = p->def_len = p->rep_len = -1;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: return NRW_OK;
        case 1: TRY(thrift_get_i32(in, f, &p->n_values, &seen->n_values, err)); break;
        case 2: TRY(thrift_get_i32(in, f, &p->n_nulls, NULL, err)); break;
        case 3: TRY(thrift_get_i32(in, f, &p->n_rows, NULL, err)); break;
        case 4: TRY(get_enum(in, f, &p->encoding, &seen->encoding, err)); break;
        case 5: TRY(thrift_get_i32(in, f, &p->def_len, NULL, err)); break;
        case 6: TRY(thrift_get_i32(in, f, &p->rep_len, NULL, err)); break;
        case 7: TRY(thrift_get_bool(in, f, &p->v2_compressed, NULL, err)); break;
        case 8: TRY(read_statistics(in, f, p, err)); break;
        default: TRY(thrift_skip(in, f.type, err));
        }
    }
}

static nrw_status read_kind(thrift_in *in, thrift_field f, pq_page *p, page_seen *seen,
                            nrw_error *err)
{
    if (f.type != THRIFT_STRUCT)
        return thrift_skip(in, f.type, err);
    /* Only the header that belongs to the page's type counts; the type comes first. */
    if (f.id == 5 && p->type == PQ_DATA_PAGE) {
        seen->data = true;
        return read_data(in, p, seen, err);
    }
    if (f.id == 7 && p->type == PQ_DICTIONARY_PAGE) {
        seen->dictionary = true;
        return read_dictionary(in, p, seen, err);
    }
    if (f.id == 8 && p->type == PQ_DATA_PAGE_V2) {
        seen->data_v2 = true;
        return read_data_v2(in, p, seen, err);
    }
    return thrift_skip(in, f.type, err);
}

static nrw_status read_header(thrift_in *in, pq_page *p, page_seen *seen, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    int32_t type = -1, crc = 0;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: return NRW_OK;
        case 1:
            TRY(thrift_get_i32(in, f, &type, &seen->type, err));
            p->type = (pq_page_type)type;
            break;
        case 2: TRY(thrift_get_i32(in, f, &p->uncompressed, &seen->uncompressed, err)); break;
        case 3: TRY(thrift_get_i32(in, f, &p->compressed, &seen->compressed, err)); break;
        case 4:
            TRY(thrift_get_i32(in, f, &crc, &p->has_crc, err));
            p->crc = (uint32_t)crc;
            break;
        case 5:
        case 7:
        case 8: TRY(read_kind(in, f, p, seen, err)); break;
        default: TRY(thrift_skip(in, f.type, err));
        }
    }
}

static const char *missing(const pq_page *p, const page_seen *s)
{
    if (!s->type)
        return "type";
    if (!s->uncompressed)
        return "uncompressed_page_size";
    if (!s->compressed)
        return "compressed_page_size";
    if (p->type == PQ_DATA_PAGE && !s->data)
        return "data_page_header";
    if (p->type == PQ_DICTIONARY_PAGE && !s->dictionary)
        return "dictionary_page_header";
    if (p->type == PQ_DATA_PAGE_V2 && !s->data_v2)
        return "data_page_header_v2";
    if (!s->data && !s->dictionary && !s->data_v2)
        return NULL;
    if (!s->n_values)
        return "num_values";
    return s->encoding ? NULL : "encoding";
}

static nrw_status check_v2(const pq_page *p, nrw_error *err)
{
    if (p->n_nulls < 0 || p->n_nulls > p->n_values)
        return err_set(err, NRW_E_CORRUPT, "page header says %d nulls of %d values", p->n_nulls,
                       p->n_values);
    if (p->n_rows < 0 || p->n_rows > p->n_values)
        return err_set(err, NRW_E_CORRUPT, "page header says %d rows of %d values", p->n_rows,
                       p->n_values);
    int64_t levels = (int64_t)p->def_len + p->rep_len;
    if (p->def_len < 0 || p->rep_len < 0 || levels > p->compressed || levels > p->uncompressed)
        return err_set(err, NRW_E_CORRUPT,
                       "page header says %d and %d bytes of levels in a page of %d bytes",
                       p->def_len, p->rep_len, p->compressed);
    return NRW_OK;
}

static nrw_status check(const pq_page *p, const page_seen *seen, nrw_error *err)
{
    const char *name = missing(p, seen);
    if (name)
        return err_set(err, NRW_E_CORRUPT, "page header lacks %s", name);
    if (p->uncompressed < 0 || p->compressed < 0)
        return err_set(err, NRW_E_CORRUPT, "page header says %d bytes, %d uncompressed",
                       p->compressed, p->uncompressed);
    if (p->n_values < 0)
        return err_set(err, NRW_E_CORRUPT, "page header says %d values", p->n_values);
    return seen->data_v2 ? check_v2(p, err) : NRW_OK;
}

nrw_status pq_page_parse(span bytes, pq_page *out, nrw_error *err)
{
    int64_t offset = err ? err->offset : -1;
    thrift_in in = thrift_in_bytes(bytes, 0);
    page_seen seen = {0};
    in.partial = true;
    *out = (pq_page){.n_nulls = -1,
                     .n_rows = -1,
                     .null_count = -1,
                     .v2_compressed = true,
                     .def_encoding = PQ_RLE,
                     .rep_encoding = PQ_RLE};
    nrw_status st = read_header(&in, out, &seen, err);
    if (in.ended && bytes.len < PQ_PAGE_HEADER_MAX)
        st = NRW_END;
    else if (in.ended)
        st = err_set(err, NRW_E_CORRUPT, "page header of more than %d bytes", PQ_PAGE_HEADER_MAX);
    else if (st >= 0)
        st = check(out, &seen, err);
    out->header_len = (uint32_t)thrift_offset(&in);
    if (st != NRW_OK)
        *out = (pq_page){0};
    /* Places counted from the header's start mean nothing to others: the caller knows the file's.
     */
    if (err && st < 0)
        err->offset = offset;
    return st;
}
