/* One writer, several files: a file is opened when its first row group is spliced and ended behind
 * its last one, while the next row group is already being filled. What decides is what was spliced,
 * so the files are a function of the rows. */
#include "format/parquet/writer_own.h"

uint64_t pq_file_group_bytes(const pq_writer *w)
{
    uint64_t most = w->opts->row_group_bytes;
    uint64_t file = w->files ? w->files->file_bytes : 0;
    return file && file < most ? file : most;
}

nrw_status pq_file_begin(pq_writer *w, nrw_error *err)
{
    if (w->target)
        return NRW_OK;
    TRY(w->files->open(w->files->self, &w->target, &w->path, err));
    w->base_size = target_size(w->target);
    return target_write(w->target, (span){(const uint8_t *)"PAR1", 4}, err);
}

static void forget_logs(pq_writer *w)
{
    pq_log_release(&w->file_env, &w->metadata);
    pq_log_release(&w->file_env, &w->blooms);
    pq_log_release(&w->file_env, &w->column_indexes);
    pq_log_release(&w->file_env, &w->offset_indexes);
}

static nrw_status list_file(pq_writer *w, const file_summary *is, nrw_error *err)
{
    parquet_footers *f = w->files->footers;
    if (!f)
        return NRW_OK;
    TRY(pq_footers_file(f, w->path, is, err));
    return pq_footers_wants(f) ? pq_footer_collect(w, err) : NRW_OK;
}

/* carry: see `done` of parquet_files. */
static nrw_status end_file(pq_writer *w, int64_t carry, nrw_error *err)
{
    TRY(pq_footer_write(w, err));
    file_summary is = {.rows = w->file_rows,
                       .row_groups = w->row_groups,
                       .bytes = target_size(w->target) - w->base_size,
                       .encoded = w->encoded};
    if (w->files)
        TRY(list_file(w, &is, err));
    w->sum.rows += is.rows;
    w->sum.row_groups += is.row_groups;
    w->sum.bytes += is.bytes;
    w->sum.encoded += is.encoded;
    w->n_files++;
    if (!w->files)
        return NRW_OK;
    target *t = w->target;
    w->target = NULL;
    w->file_rows = w->row_groups = 0;
    w->encoded = 0;
    forget_logs(w);
    return w->files->done(w->files->self, t, carry, err);
}

nrw_status pq_file_group(pq_writer *w, uint64_t bytes, nrw_error *err)
{
    const parquet_files *f = w->files;
    if (!f)
        return NRW_OK;
    uint64_t size = target_size(w->target) - w->base_size;
    bool full = (f->file_groups && w->row_groups >= f->file_groups) ||
                (f->file_bytes && size + bytes > f->file_bytes);
    if (!full)
        return NRW_OK;
    pthread_mutex_lock(&w->lock);
    int64_t carry = pq_cut_begun(&w->cut, w->groups_gone + 1);
    pthread_mutex_unlock(&w->lock);
    return end_file(w, carry, err);
}

nrw_status pq_file_last(pq_writer *w, nrw_error *err)
{
    if (!w->n_files && !(w->files && w->files->behind))
        TRY(pq_file_begin(w, err));
    return w->target ? end_file(w, 0, err) : NRW_OK;
}
