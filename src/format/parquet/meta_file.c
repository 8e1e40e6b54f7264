/* Row groups of other files, as `_metadata` has them: the file's path stands in each column chunk
 * (parquet.thrift, ColumnChunk.file_path). */
#include "format/parquet/meta_priv.h"

enum { FILE_WINDOW = 8 << 10 };

/* Of ColumnMetaData where the chunk's pages begin and how long they are. */
static nrw_status read_place(thrift_in *in, uint64_t *end, nrw_error *err)
{
    int64_t data = 0, dictionary = 0, bytes = 0, from;
    bool seen = false;
    int16_t last;
    thrift_field f;
    TRY(thrift_enter(in, &last, err));
    do {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: break;
        case 7: TRY(thrift_get_i64(in, f, &bytes, NULL, err)); break;
        case 9: TRY(thrift_get_i64(in, f, &data, NULL, err)); break;
        case 11: TRY(thrift_get_i64(in, f, &dictionary, &seen, err)); break;
        default: TRY(thrift_skip(in, f.type, err));
        }
    } while (f.type != THRIFT_STOP);
    from = seen && dictionary > 0 && dictionary < data ? dictionary : data;
    if (from < 0 || bytes < 0 || from > INT64_MAX - bytes)
        return thrift_corrupt(in, err, "a column chunk of %lld bytes at %lld", (long long)bytes,
                              (long long)from);
    *end = (uint64_t)(from + bytes) > *end ? (uint64_t)(from + bytes) : *end;
    return NRW_OK;
}

static nrw_status read_file(thrift_in *in, arena *a, char **path, uint64_t *end, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    size_t len;
    TRY(thrift_enter(in, &last, err));
    do {
        TRY(thrift_read_field(in, &last, &f, err));
        if (f.type == THRIFT_BINARY && f.id == 1 && !*path)
            TRY(thrift_read_binary(in, a, path, &len, err));
        else if (f.type == THRIFT_STRUCT && f.id == 3)
            TRY(read_place(in, end, err));
        else if (f.type != THRIFT_STOP)
            TRY(thrift_skip(in, f.type, err));
    } while (f.type != THRIFT_STOP);
    return NRW_OK;
}

static nrw_status read_chunks(thrift_in *in, arena *a, char **path, uint64_t *end, nrw_error *err)
{
    uint8_t type;
    uint32_t n;
    int16_t last;
    thrift_field f;
    TRY(thrift_enter(in, &last, err));
    TRY(thrift_read_field(in, &last, &f, err));
    if (f.type != THRIFT_LIST || f.id != 1)
        return thrift_corrupt(in, err, "row group lacks columns");
    TRY(thrift_read_list(in, &type, &n, err));
    for (uint32_t i = 0; i < n; i++)
        TRY(read_file(in, a, path, end, err));
    return NRW_OK;
}

nrw_status pq_meta_group_file(const pq_meta *p, int32_t rg, arena *a, char **path, uint64_t *end,
                              nrw_error *err)
{
    pq_row_group g;
    pq_walk w;
    nrw_status st;
    *path = NULL;
    *end = 0;
    TRY(pq_meta_row_group(p, rg, &g, err));
    TRY(pq_walk_open(p, (uint64_t)g.at, (uint64_t)g.len, FILE_WINDOW, &w, err));
    st = read_chunks(&w.in, a, path, end, err);
    pq_walk_close(&w);
    if (st < 0)
        err_at_row_group(err, rg);
    return st;
}
