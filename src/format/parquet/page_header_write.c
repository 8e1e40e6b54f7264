/* parquet.thrift: PageHeader with DataPageHeader, DataPageHeaderV2 or DictionaryPageHeader. No
 * statistics: the column index has them. */
#include "format/parquet/page_compress.h"
#include "format/parquet/thrift.h"

static nrw_status write_dictionary(thrift_out *o, const pq_page *p, nrw_error *err)
{
    TRY(thrift_write_field_struct(o, 7, err));
    TRY(thrift_write_field_i32(o, 1, p->n_values, err));
    TRY(thrift_write_field_i32(o, 2, p->encoding, err));
    if (p->dict_sorted)
        TRY(thrift_write_field_bool(o, 3, true, err));
    return thrift_end(o, err);
}

static nrw_status write_data(thrift_out *o, const pq_page *p, nrw_error *err)
{
    TRY(thrift_write_field_struct(o, 5, err));
    TRY(thrift_write_field_i32(o, 1, p->n_values, err));
    TRY(thrift_write_field_i32(o, 2, p->encoding, err));
    TRY(thrift_write_field_i32(o, 3, PQ_RLE, err));
    TRY(thrift_write_field_i32(o, 4, PQ_RLE, err));
    return thrift_end(o, err);
}

static nrw_status write_data_v2(thrift_out *o, const pq_page *p, nrw_error *err)
{
    TRY(thrift_write_field_struct(o, 8, err));
    TRY(thrift_write_field_i32(o, 1, p->n_values, err));
    TRY(thrift_write_field_i32(o, 2, p->n_nulls, err));
    TRY(thrift_write_field_i32(o, 3, p->n_rows, err));
    TRY(thrift_write_field_i32(o, 4, p->encoding, err));
    TRY(thrift_write_field_i32(o, 5, p->def_len, err));
    TRY(thrift_write_field_i32(o, 6, p->rep_len, err));
    TRY(thrift_write_field_bool(o, 7, p->v2_compressed, err));
    return thrift_end(o, err);
}

nrw_status pq_page_header_write(bytes *to, const pq_page *p, nrw_error *err)
{
    thrift_out o = thrift_out_init(to);
    TRY(thrift_begin(&o, err));
    TRY(thrift_write_field_i32(&o, 1, p->type, err));
    TRY(thrift_write_field_i32(&o, 2, p->uncompressed, err));
    TRY(thrift_write_field_i32(&o, 3, p->compressed, err));
    if (p->has_crc)
        TRY(thrift_write_field_i32(&o, 4, (int32_t)p->crc, err));
    if (p->type == PQ_DICTIONARY_PAGE)
        TRY(write_dictionary(&o, p, err));
    else if (p->type == PQ_DATA_PAGE)
        TRY(write_data(&o, p, err));
    else
        TRY(write_data_v2(&o, p, err));
    return thrift_end(&o, err);
}
