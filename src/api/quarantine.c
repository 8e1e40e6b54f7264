#include "api/quarantine.h"

#include "base/text.h"
#include "column/json_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

nrw_status quarantine_init(quarantine *q, nrw_job *job, mem *m, nrw_error *err)
{
    const char *what = job_last(job, "on-bad-row");

    *q = (quarantine){.job = job, .m = m, .lines = bytes_init(m, 256 << 20)};
    if (!what || strcmp(what, "fail") == 0)
        return NRW_OK;
    if (strcmp(what, "quarantine") != 0)
        return err_set(err, NRW_E_ARG, "--on-bad-row is fail or quarantine, not %s", what);
    q->on = true;
    return NRW_OK;
}

static nrw_status note_line(quarantine *q, const char *column, int64_t first, int64_t n,
                            const nrw_error *why, nrw_error *err)
{
    nrw_error place = *why;
    char text[1200];

    err_at_object(&place, q->file);
    nrw_error_print(&place, text, sizeof text);
    if (!q->first[0])
        snprintf(q->first, sizeof q->first, "%.399s", text);
    TRY(bytes_printf(&q->lines, err, "{\"file\":"));
    TRY(json_string(&q->lines, q->file, strlen(q->file), err));
    TRY(bytes_printf(&q->lines, err, ",\"row_group\":%d,\"column\":", why->row_group));
    TRY(json_string(&q->lines, column, strlen(column), err));
    TRY(bytes_printf(&q->lines, err,
                     ",\"page\":%lld,\"byte\":%lld,\"first_row\":%lld,\"rows\":%lld,"
                     "\"reason\":",
                     (long long)why->page, (long long)why->offset, (long long)first, (long long)n));
    TRY(json_string(&q->lines, why->message, strlen(why->message), err));
    return bytes_printf(&q->lines, err, "}\n");
}

static nrw_status found(void *self, const char *column, int64_t first, int64_t n,
                        const nrw_error *why, nrw_error *err)
{
    quarantine *q = self;

    if (q->n == q->cap) {
        size_t cap = q->cap ? q->cap * 2 : 64;
        TRY(mem_realloc(q->m, (void **)&q->ranges, q->cap * sizeof *q->ranges,
                        cap * sizeof *q->ranges, err));
        q->cap = cap;
    }
    q->ranges[q->n++] = (row_range){q->base + first, q->base + first + n};
    return note_line(q, column, first, n, why, err);
}

/* --max-bad-rows N or P% */
static nrw_status check_most(const quarantine *q, int64_t rows, nrw_error *err)
{
    const char *most = job_last(q->job, "max-bad-rows");
    char *end, n[TEXT_NUMBER];
    double limit;

    if (!most)
        return NRW_OK;
    limit = strtod(most, &end);
    if (*end == '%' && !end[1])
        limit = limit / 100 * (double)rows;
    else if (*end || end == most)
        return err_set(err, NRW_E_ARG,
                       "--max-bad-rows takes a number of rows or a percentage, not %s", most);
    if ((double)q->rejected <= limit)
        return NRW_OK;
    return err_set(err, NRW_E_CORRUPT,
                   "%s rows are damaged, --max-bad-rows is %s; the first: %.300s",
                   text_group((uint64_t)q->rejected, n), most, q->first);
}

nrw_status quarantine_search(quarantine *q, const job_inputs *in, const uint32_t *cols, uint32_t n,
                             nrw_error *err)
{
    if (!q->on || in->gen)
        return NRW_OK;
    for (size_t i = 0; i < in->n; i++) {
        reader *r;
        nrw_status st;
        TRY(scan_open_input(in->scan, i, q->m, &r, err));
        q->file = in->inputs[i].name;
        if (r->class->find_damage) {
            st = r->class->find_damage(r, cols, n, q->m, q->job->spill, found, q, err);
            q->base += r->class->rows(r);
        } else {
            err_at_object(err, q->file);
            st = err_set(err, NRW_E_UNSUPPORTED, "--on-bad-row quarantine is not there for %s",
                         r->class->name);
        }
        r->class->close(r);
        TRY(st);
    }
    q->n = row_ranges_normalise(q->ranges, q->n);
    for (size_t i = 0; i < q->n; i++)
        q->rejected += q->ranges[i].to - q->ranges[i].from;
    return check_most(q, q->base, err);
}

nrw_status quarantine_publish(quarantine *q, const char *target, nrw_error *err)
{
    const char *name = job_last(q->job, "quarantine");
    char rejected[TEXT_NUMBER], all[TEXT_NUMBER], path[4096];
    struct target *t;
    nrw_status st;

    if (!q->n)
        return NRW_OK;
    snprintf(path, sizeof path, "%s%s", name ? name : target, name ? "" : ".rejected.jsonl");
    TRY(target_open(q->m, path, EXISTS_REPLACE, &t, err));
    st = target_write(t, (span){q->lines.data, q->lines.len}, err);
    if (st >= 0)
        st = target_publish(t, err);
    target_close(t);
    TRY(st);
    return bytes_printf(&q->job->result.notes, err, "\n%s of %s rows rejected, see %s; first: %s",
                        text_group((uint64_t)q->rejected, rejected),
                        text_group((uint64_t)q->base, all), path, q->first);
}

void quarantine_release(quarantine *q)
{
    mem_free(q->m, q->ranges, q->cap * sizeof *q->ranges);
    bytes_release(&q->lines);
}
