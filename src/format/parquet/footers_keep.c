/* Files that a killed run had finished, for the list of files: their counts, and their row groups
 * as
 * `_metadata` has them, which is as they stand in the file's footer, each column chunk with the
 * file's path before it. */
#include "format/parquet/thrift.h"
#include "format/parquet/writer_own.h"

enum { KEEP_WINDOW = 8 << 10, CHUNK_MOST = 64 << 20 };

typedef struct keeping {
    parquet_footers *to;
    io_file *file;
    bytes path; /* the field that comes before each chunk's own */
    bytes buf;
    uint8_t *window;
} keeping;

/* Bytes [from, to) of the file behind what is in the buffer, as a piece. */
static nrw_status keep_bytes(keeping *k, uint64_t from, uint64_t to, nrw_error *err)
{
    size_t n = (size_t)(to - from), before = k->buf.len;
    if (to - from > CHUNK_MOST)
        return err_set(err, NRW_E_CORRUPT, "a column chunk's metadata have more than 64 MiB");
    TRY(bytes_reserve(&k->buf, n, err));
    TRY(file_read(k->file, from, k->buf.data + before, n, err));
    nrw_status st = pq_footers_piece(k->to, (span){k->buf.data, before + n}, err);
    bytes_clear(&k->buf);
    return st;
}

/* Chunks begin with field 2, file_offset; behind field 1 its header counts from there. */
static nrw_status keep_chunk(keeping *k, uint64_t from, uint64_t to, nrw_error *err)
{
    static const uint8_t second = 2 << 4 | THRIFT_I64, next = 1 << 4 | THRIFT_I64;
    uint8_t first;
    TRY(file_read(k->file, from, &first, 1, err));
    if (first != second)
        return err_set(err, NRW_E_CORRUPT, "a column chunk does not begin as it was written");
    TRY(bytes_append(&k->buf, k->path.data, k->path.len, err));
    TRY(bytes_append(&k->buf, &next, 1, err));
    return keep_bytes(k, from + 1, to, err);
}

static nrw_status keep_group(keeping *k, const pq_row_group *g, nrw_error *err)
{
    uint64_t at = (uint64_t)g->at, end = at + (uint64_t)g->len, next;
    thrift_in in = thrift_in_file(k->file, at, end, k->window, KEEP_WINDOW);
    uint8_t type;
    uint32_t n;
    int16_t last;
    thrift_field f;
    TRY(thrift_enter(&in, &last, err));
    TRY(thrift_read_field(&in, &last, &f, err));
    if (f.type != THRIFT_LIST || f.id != 1)
        return thrift_corrupt(&in, err, "row group lacks columns");
    TRY(thrift_read_list(&in, &type, &n, err));
    next = thrift_offset(&in);
    TRY(keep_bytes(k, at, next, err));
    for (at = next; n > 0; n--, at = next) {
        TRY(thrift_skip_element(&in, type, err));
        next = thrift_offset(&in);
        TRY(keep_chunk(k, at, next, err));
    }
    return keep_bytes(k, at, end, err);
}

static nrw_status keep_file(keeping *k, const pq_meta *meta, const char *path, int64_t *rows,
                            nrw_error *err)
{
    file_summary is = {
        .rows = pq_meta_rows(meta), .row_groups = pq_meta_row_groups(meta), .bytes = k->file->size};
    thrift_out o = thrift_out_init(&k->path);
    pq_row_group g;
    *rows = is.rows;
    for (int32_t i = 0; i < is.row_groups; i++) {
        TRY(pq_meta_row_group(meta, i, &g, err));
        is.encoded += (uint64_t)g.total_bytes;
    }
    TRY(pq_footers_file(k->to, path, &is, err));
    TRY(thrift_begin(&o, err));
    TRY(thrift_write_field_string(&o, 1, path, err));
    for (int32_t i = 0; pq_footers_wants(k->to) && i < is.row_groups; i++) {
        TRY(pq_meta_row_group(meta, i, &g, err));
        TRY(keep_group(k, &g, err));
    }
    return NRW_OK;
}

nrw_status parquet_footers_keep(parquet_footers *f, mem *m, io_file *file, const char *path,
                                int64_t *rows, nrw_error *err)
{
    const pq_read_options plain = {0};
    keeping k = {f, file, bytes_init(m, UINT32_MAX), bytes_init(m, UINT32_MAX), NULL};
    pq_meta *meta;
    *rows = 0;
    void *window;
    TRY(mem_alloc(m, KEEP_WINDOW, &window, err));
    k.window = window;
    nrw_status st = pq_meta_open(m, file, &plain, &meta, err);
    if (st == NRW_OK) {
        st = keep_file(&k, meta, path, rows, err);
        pq_meta_close(meta);
    }
    bytes_release(&k.path);
    bytes_release(&k.buf);
    mem_free(m, window, KEEP_WINDOW);
    return st;
}
