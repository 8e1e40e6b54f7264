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
    pthread_mutex_init(&q->lock, NULL);
    if (!what || strcmp(what, "fail") == 0)
        return NRW_OK;
    if (strcmp(what, "quarantine") != 0)
        return err_set(err, NRW_E_ARG, "--on-bad-row is fail or quarantine, not %s", what);
    q->on = true;
    return NRW_OK;
}

static void keep_first(quarantine *q, const nrw_error *place)
{
    char text[1200];

    nrw_error_print(place, text, sizeof text);
    snprintf(q->first, sizeof q->first, "%.399s", text);
}

static nrw_status member(bytes *out, const char *name, const char *text, nrw_error *err)
{
    TRY(bytes_printf(out, err, "%s\"%s\":", out->len && out->data[out->len - 1] != '\n' ? "," : "{",
                     name));
    return json_string(out, text, strlen(text), err);
}

static nrw_status note_line(quarantine *q, const damage *d, nrw_error *err)
{
    const nrw_error *why = d->why;
    nrw_error place = *why;

    err_at_object(&place, q->file);
    if (!q->first[0])
        keep_first(q, &place);
    TRY(member(&q->lines, "file", q->file, err));
    TRY(bytes_printf(&q->lines, err, ",\"row_group\":%d", why->row_group));
    TRY(member(&q->lines, "column", d->column, err));
    TRY(bytes_printf(
        &q->lines, err, ",\"page\":%lld,\"byte\":%lld,\"first_row\":%lld,\"rows\":%lld",
        (long long)why->page, (long long)why->offset, (long long)d->first, (long long)d->rows));
    TRY(member(&q->lines, "reason", why->message, err));
    return bytes_printf(&q->lines, err, "}\n");
}

static nrw_status found(void *self, const damage *d, nrw_error *err)
{
    quarantine *q = self;

    if (q->n == q->cap) {
        size_t cap = q->cap ? q->cap * 2 : 64;
        TRY(mem_realloc(q->m, (void **)&q->ranges, q->cap * sizeof *q->ranges,
                        cap * sizeof *q->ranges, err));
        q->cap = cap;
    }
    q->ranges[q->n++] = (row_range){q->base + d->first, q->base + d->first + d->rows};
    return note_line(q, d, err);
}

/* ---- told while rows are read ---- */

static nrw_status tell_line(quarantine *q, const damage *d, bad_line *line, nrw_error *err)
{
    const nrw_error *why = d->why;
    bytes *out = &q->lines;

    line->at = out->len;
    line->byte = d->from;
    TRY(member(out, "file", why->object, err));
    line->file = out->len - line->at;
    TRY(bytes_printf(out, err, ",\"block\":%lld,\"record\":", (long long)why->block));
    TRY(why->record < 0 ? bytes_printf(out, err, "null")
                        : bytes_printf(out, err, "%lld", (long long)why->record));
    TRY(member(out, "column", d->column, err));
    TRY(bytes_printf(out, err, ",\"byte\":%lld,\"lost_from\":%llu,\"lost_to\":%llu",
                     (long long)why->offset, (unsigned long long)d->from,
                     (unsigned long long)d->to));
    TRY(bytes_printf(out, err, ",\"first_row\":%lld,\"rows\":", (long long)d->first));
    TRY(d->rows < 0 ? bytes_printf(out, err, "null")
                    : bytes_printf(out, err, "%lld", (long long)d->rows));
    TRY(member(out, "reason", why->message, err));
    TRY(bytes_printf(out, err, "}\n"));
    line->len = out->len - line->at;
    return NRW_OK;
}

/* The first reason is that of the first place, whoever told it first. */
static void keep_least(quarantine *q, const damage *d)
{
    int order = q->n_told ? strcmp(d->why->object, q->first_file) : -1;

    if (order > 0 || (order == 0 && d->from >= q->first_byte))
        return;
    snprintf(q->first_file, sizeof q->first_file, "%s", d->why->object);
    q->first_byte = d->from;
    keep_first(q, d->why);
}

static nrw_status tell(quarantine *q, const damage *d, nrw_error *err)
{
    if (q->n_told == q->cap_told) {
        size_t cap = q->cap_told ? q->cap_told * 2 : 64;
        TRY(mem_realloc(q->m, (void **)&q->told, q->cap_told * sizeof *q->told,
                        cap * sizeof *q->told, err));
        q->cap_told = cap;
    }
    keep_least(q, d);
    TRY(tell_line(q, d, &q->told[q->n_told], err));
    q->n_told++;
    q->blocks += d->rows != 0;
    q->unknown += d->rows < 0;
    q->bytes_lost += d->to - d->from;
    q->rejected += d->rows < 0 ? 0 : d->rows;
    return NRW_OK;
}

static nrw_status hear(void *self, const damage *d, nrw_error *err)
{
    quarantine *q = self;
    char n[TEXT_NUMBER];
    nrw_status st;

    pthread_mutex_lock(&q->lock);
    st = tell(q, d, err);
    pthread_mutex_unlock(&q->lock);
    if (st != NRW_E_MEMLIMIT)
        return st;
    err_next(err, "give more with --memory");
    return err_set(err, st, "more than %s damaged places are more than can be kept in mind",
                   text_group(q->n_told, n));
}

damage_found quarantine_hears(const quarantine *q)
{
    return q->on ? hear : NULL;
}

static int by_place(const void *a, const void *b, void *lines)
{
    const bad_line *x = a, *y = b;
    const uint8_t *text = lines;
    int order = memcmp(text + x->at, text + y->at, size_min(x->file, y->file));

    if (order == 0)
        order = x->file < y->file ? -1 : x->file > y->file;
    if (order == 0)
        order = x->byte < y->byte ? -1 : x->byte > y->byte;
    return order;
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

nrw_status quarantine_settle(quarantine *q, int64_t rows, nrw_error *err)
{
    if (!q->n_told)
        return NRW_OK;
    q->base = rows;
    return check_most(q, rows, err);
}

/* Of one format: the ordinals of rows are counted through, and only one of the two ways knows them
 * beforehand. */
static nrw_status check_class(const quarantine *q, const reader *r, const char **first,
                              nrw_error *err)
{
    if (!*first)
        *first = r->class->name;
    if (strcmp(*first, r->class->name) == 0)
        return NRW_OK;
    err_at_object(err, q->file);
    return err_set(err, NRW_E_UNSUPPORTED,
                   "--on-bad-row quarantine takes files of one format, this one is %s, not %s",
                   r->class->name, *first);
}

nrw_status quarantine_search(quarantine *q, const job_inputs *in, const uint32_t *cols, uint32_t n,
                             nrw_error *err)
{
    const char *first = NULL;

    if (!q->on || in->gen)
        return NRW_OK;
    for (size_t i = 0; i < in->n; i++) {
        reader *r;
        nrw_status st;
        TRY(scan_open_input(in->scan, i, q->m, &r, err));
        q->file = in->inputs[i].name;
        st = check_class(q, r, &first, err);
        if (st >= 0 && r->class->find_damage) {
            st = r->class->find_damage(r, cols, n, q->m, q->job->spill, found, q, err);
            q->base += r->class->rows(r);
        } else if (st >= 0 && !r->class->leaves_out) {
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

/* Those found beforehand stand in the order of the input. */
static nrw_status write_lines(quarantine *q, struct target *t, nrw_error *err)
{
    if (!q->n_told)
        return target_write(t, (span){q->lines.data, q->lines.len}, err);
    qsort_r(q->told, q->n_told, sizeof *q->told, by_place, q->lines.data);
    for (size_t i = 0; i < q->n_told; i++)
        TRY(target_write(t, (span){q->lines.data + q->told[i].at, q->told[i].len}, err));
    return NRW_OK;
}

nrw_status quarantine_publish(quarantine *q, const char *target, nrw_error *err)
{
    const char *name = job_last(q->job, "quarantine");
    char rejected[TEXT_NUMBER], all[TEXT_NUMBER], unknown[TEXT_NUMBER], path[4096];
    char more[64] = "";
    struct target *t;
    nrw_status st;

    if (!q->n && !q->n_told)
        return NRW_OK;
    snprintf(path, sizeof path, "%s%s", name ? name : target, name ? "" : ".rejected.jsonl");
    TRY(target_open(q->m, path, EXISTS_REPLACE, &t, err));
    st = write_lines(q, t, err);
    if (st >= 0)
        st = target_publish(t, err);
    target_close(t);
    TRY(st);
    if (q->unknown)
        snprintf(more, sizeof more, ", and those of %s places that nobody can count",
                 text_group(q->unknown, unknown));
    return bytes_printf(&q->job->result.notes, err, "\n%s of %s rows rejected%s, see %s; first: %s",
                        text_group((uint64_t)q->rejected, rejected),
                        text_group((uint64_t)q->base, all), more, path, q->first);
}

void quarantine_release(quarantine *q)
{
    if (!q->job)
        return;
    pthread_mutex_destroy(&q->lock);
    mem_free(q->m, q->told, q->cap_told * sizeof *q->told);
    mem_free(q->m, q->ranges, q->cap * sizeof *q->ranges);
    bytes_release(&q->lines);
}
