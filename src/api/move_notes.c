/* What a run tells of its input beside the figures: lines of the summary, and in the report. */
#include "api/move_own.h"

#include "base/text.h"

enum { NOTES_MOST = 8 };

typedef struct notes {
    move *m;
    uint32_t n;
} notes;

static nrw_status note_leaf(notes *k, const pq_leaf *l, nrw_error *err)
{
    char name[64];

    if (!l->unknown || ++k->n > NOTES_MOST)
        return NRW_OK;
    type_print(&l->field.type, name, sizeof name);
    return bytes_printf(&k->m->job->result.notes, err,
                        "\nnote   %s: column %s is said to be %s, which is not understood: its "
                        "values are taken as %s",
                        k->m->in.name, l->path, l->logical, name);
}

nrw_status move_note_columns(move *m, nrw_error *err)
{
    pq_meta *meta = m->in.gen ? NULL : parquet_reader_meta(scan_first(m->in.scan));
    notes k = {.m = m};
    char more[TEXT_NUMBER];

    TRY(files_note(m->in.scan, &m->job->result.notes, err));
    for (uint32_t c = 0; meta && c < m->n_out; c++) {
        const pq_node *n = pq_meta_column(meta, m->cols[c]);
        for (uint32_t l = 0; l < n->n_leaves; l++)
            TRY(note_leaf(&k, pq_meta_leaf(meta, n->first_leaf + l), err));
    }
    if (k.n > NOTES_MOST)
        TRY(bytes_printf(&m->job->result.notes, err, "\nnote   and so are %s columns more",
                         text_group(k.n - NOTES_MOST, more)));
    if (meta && pq_meta_arrow_damaged(meta))
        TRY(bytes_printf(&m->job->result.notes, err,
                         "\nnote   %s: %s is damaged and was left aside", m->in.name,
                         PQ_ARROW_KEY));
    return NRW_OK;
}
