/* Finished files as a log of records: a file's path and counts, and behind it pieces of its row
 * groups, cut anywhere. */
#include "format/parquet/writer_own.h"

struct parquet_footers {
    mem *m;
    bool row_groups;
    pq_log_env env; /* all is spilled but the tail */
    pq_log log;
    file_summary sum;
    uint64_t files;
};

enum { TAIL = 4096, HEAD = 8, FILE_PART = 32, KIND_FILE = 1, KIND_PIECE = 2 };

nrw_status parquet_footers_new(mem *m, spill *sp, bool row_groups, parquet_footers **out,
                               nrw_error *err)
{
    void *p = NULL;
    *out = NULL;
    TRY(mem_zalloc(m, sizeof **out, &p, err));
    *out = p;
    **out = (parquet_footers){
        .m = m, .row_groups = row_groups, .env = {.m = m, .spill = sp, .tail_max = TAIL}};
    return NRW_OK;
}

void parquet_footers_free(parquet_footers *f)
{
    if (!f)
        return;
    pq_log_release(&f->env, &f->log);
    mem_free(f->m, f, sizeof *f);
}

bool pq_footers_wants(const parquet_footers *f)
{
    return f->row_groups;
}

file_summary parquet_footers_sum(const parquet_footers *f, uint64_t *files)
{
    *files = f->files;
    return f->sum;
}

static void add_sum(file_summary *to, const file_summary *is)
{
    to->rows += is->rows;
    to->row_groups += is->row_groups;
    to->bytes += is->bytes;
    to->encoded += is->encoded;
}

/* ---- adding ---- */

static nrw_status add_record(parquet_footers *f, uint32_t kind, span first, span second,
                             nrw_error *err)
{
    bytes b = bytes_init(f->m, UINT32_MAX);
    uint8_t head[HEAD];
    store_u32(head, kind);
    store_u32(head + 4, (uint32_t)(first.len + second.len));
    nrw_status st = bytes_reserve(&b, HEAD + first.len + second.len, err);
    if (st == NRW_OK)
        st = bytes_append(&b, head, HEAD, err);
    if (st == NRW_OK && first.len)
        st = bytes_append(&b, first.data, first.len, err);
    if (st == NRW_OK)
        st = bytes_append(&b, second.data, second.len, err);
    if (st == NRW_OK)
        st = pq_log_append(&f->env, &f->log, (span){b.data, b.len}, err);
    bytes_release(&b);
    return st;
}

nrw_status pq_footers_file(parquet_footers *f, const char *path, const file_summary *is,
                           nrw_error *err)
{
    uint8_t counts[FILE_PART];
    store_u64(counts, (uint64_t)is->rows);
    store_u64(counts + 8, (uint64_t)is->row_groups);
    store_u64(counts + 16, is->bytes);
    store_u64(counts + 24, is->encoded);
    TRY(add_record(f, KIND_FILE, SPAN(counts), (span){(const uint8_t *)path, strlen(path) + 1},
                   err));
    add_sum(&f->sum, is);
    f->files++;
    return NRW_OK;
}

nrw_status pq_footers_piece(parquet_footers *f, span piece, nrw_error *err)
{
    return add_record(f, KIND_PIECE, (span){0}, piece, err);
}

static nrw_status append_part(void *self, span part, nrw_error *err)
{
    parquet_footers *f = self;
    return pq_log_append(&f->env, &f->log, part, err);
}

nrw_status parquet_footers_append(parquet_footers *f, const parquet_footers *from, nrw_error *err)
{
    TRY(pq_log_walk(&from->env, &from->log, append_part, f, err));
    add_sum(&f->sum, &from->sum);
    f->files += from->files;
    return NRW_OK;
}

/* ---- walking ---- */

typedef struct walk {
    parquet_written_visit file;
    pq_footers_visit piece;
    void *self;
} walk;

static nrw_status walk_record(const walk *w, uint32_t kind, span body, nrw_error *err)
{
    if (kind == KIND_PIECE)
        return w->piece ? w->piece(w->self, body, err) : NRW_OK;
    if (!w->file)
        return NRW_OK;
    parquet_written f = {.path = (const char *)body.data + FILE_PART,
                         .is = {.rows = (int64_t)load_u64(body.data),
                                .row_groups = (int64_t)load_u64(body.data + 8),
                                .bytes = load_u64(body.data + 16),
                                .encoded = load_u64(body.data + 24)}};
    return w->file(w->self, &f, err);
}

/* Parts hold whole records. */
static nrw_status walk_part(void *self, span part, nrw_error *err)
{
    while (part.len) {
        uint32_t len = load_u32(part.data + 4);
        span body = {part.data + HEAD, len};
        TRY(walk_record(self, load_u32(part.data), body, err));
        part = (span){body.data + len, part.len - HEAD - len};
    }
    return NRW_OK;
}

nrw_status parquet_footers_walk(const parquet_footers *f, parquet_written_visit visit, void *self,
                                nrw_error *err)
{
    walk w = {.file = visit, .self = self};
    return pq_log_walk(&f->env, &f->log, walk_part, &w, err);
}

nrw_status pq_footers_pieces(const parquet_footers *f, pq_footers_visit visit, void *self,
                             nrw_error *err)
{
    walk w = {.piece = visit, .self = self};
    return pq_log_walk(&f->env, &f->log, walk_part, &w, err);
}

/* ---- the dataset's own files ---- */

nrw_status parquet_write_metadata(mem *grant, spill *sp, target *t, const schema *s,
                                  const pq_write_options *opts, const parquet_footers *of,
                                  nrw_error *err)
{
    writer *base = NULL;
    file_summary is;
    TRY(parquet_writer_open(grant, sp, t, s, opts, 1, &base, err));
    pq_writer *w = (pq_writer *)base;
    if (of) {
        w->list = of;
        w->rows = w->file_rows = of->sum.rows;
        w->row_groups = of->sum.row_groups;
    }
    nrw_status st = base->class->finish(base, &is, err);
    base->class->close(base);
    return st;
}
