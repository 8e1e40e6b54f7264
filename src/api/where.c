/* --where, from words to an operator. */
#include "api/where.h"

#include "base/utf8.h"
#include "exec/op_filter.h"

#include <stdio.h>
#include <string.h>

#define KIB ((uint64_t)1 << 10)

/* Of the operator's share what is not for dictionaries. */
#define SET_ASIDE (16 * KIB)

nrw_status where_parse(nrw_job *job, const schema *s, const char *source, where *out,
                       nrw_error *err)
{
    const char **texts;
    const uint32_t *columns;
    const job_word *w;
    uint32_t n = 0;

    *out = (where){0};
    TRY(arena_alloc(job->a, (job->n_words + 1) * sizeof *texts, (void **)&texts, err));
    for (size_t i = 0; (w = job_each(job, "where", i)); i++)
        texts[n++] = w->value;
    if (n == 0)
        return NRW_OK;
    TRY(predicate_parse(job->a, texts, n, s, source, &out->p, err));
    if (predicate_is_always(out->p)) {
        out->p = NULL;
        return NRW_OK;
    }
    out->n = predicate_columns(out->p, &columns);
    return arena_alloc(job->a, out->n * sizeof *out->places + 1, (void **)&out->places, err);
}

uint32_t where_column(const where *w, uint32_t k)
{
    const uint32_t *columns;

    predicate_columns(w->p, &columns);
    return columns[k];
}

const row_filter *where_filter(const where *w)
{
    return w->p ? predicate_filter(w->p) : NULL;
}

void where_budget(const where *w, budget *out)
{
    *out = (budget){0};
    if (!w->p)
        return;
    out->least = 4 * SET_ASIDE;
    out->wish = 1024 * KIB;
}

/* A piece of each column that is held, and the bits. */
void where_batches(const where *w, uint32_t workers, uint64_t *least, uint64_t *wish)
{
    if (!w->p)
        return;
    *least += workers * (w->n * 64 * KIB + op_filter_scratch(w->p));
    *wish += workers * (w->n * 1024 * KIB + op_filter_scratch(w->p));
}

/* Indexes of a row group, a dictionary and the codec's tables for it. */
void where_reading(const where *w, uint64_t *least, uint64_t *wish)
{
    *least += w->p ? 256 * KIB : 0;
    *wish += w->p ? 2048 * KIB : 0;
}

nrw_status where_open(const where *w, mem *m, size_t piece, op **out, nrw_error *err)
{
    return op_filter_new(m, w->p, w->places, piece, (size_t)(mem_limit(m) - SET_ASIDE), out, err);
}

void where_describe(const where *w, char *out, size_t cap)
{
    const char *text = predicate_text(w->p);
    size_t len = strlen(text), n = utf8_cut(text, len, cap - 16);

    snprintf(out, cap, "filter %.*s%s", (int)n, text, n < len ? "..." : "");
}

nrw_status where_estimate(const where *w, const job_inputs *in, char *detail, size_t cap,
                          int64_t *rows, nrw_error *err)
{
    reader *r = scan_first(in->scan);
    size_t n = strlen(detail);
    char text[100];

    *rows = -1;
    if (!w->p || in->n != 1 || !r || !r->class->estimate)
        return NRW_OK;
    TRY(r->class->estimate(r, in->m, where_filter(w), text, sizeof text, rows, err));
    if (*text)
        snprintf(detail + n, cap - n, ", %s", text);
    return NRW_OK;
}
