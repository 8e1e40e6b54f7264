/* What a job would do or did, as text and as JSON: plan, report, summary. */
#include "api/job.h"

#include "base/text.h"
#include "column/json_out.h"

#include <stdlib.h>
#include <string.h>

/* The text of b as a string of malloc, for the caller of the library; b is released. */
static nrw_status hand_out(bytes *b, nrw_status st, char **text, nrw_error *err)
{
    *text = NULL;
    if (st >= 0) {
        *text = malloc(b->len + 1);
        if (*text) {
            if (b->len)
                memcpy(*text, b->data, b->len);
            (*text)[b->len] = '\0';
        } else {
            st = err_set(err, NRW_E_NOMEM, "the system refused %zu bytes", b->len + 1);
        }
    }
    bytes_release(b);
    return st;
}

/* ---- plan ---- */

static nrw_status plan_rows(const plan_step *s, bytes *out, nrw_error *err)
{
    char n[TEXT_NUMBER];

    if (s->rows < 0)
        return NRW_OK;
    return bytes_printf(out, err, "%s%s", s->rows_bound ? "<= " : "",
                        text_group((uint64_t)s->rows, n));
}

static nrw_status plan_line(const plan_step *s, uint32_t number, bytes *out, nrw_error *err)
{
    char least[TEXT_NUMBER], grant[TEXT_NUMBER];

    TRY(bytes_printf(out, err, "%u %-46s %-8s %-9s %-9s ", number, s->what, s->how,
                     text_size(s->least, least), text_size(s->grant, grant)));
    TRY(plan_rows(s, out, err));
    while (out->len && out->data[out->len - 1] == ' ')
        out->len--;
    TRY(bytes_append(out, "\n", 1, err));
    return s->detail[0] ? bytes_printf(out, err, "    %s\n", s->detail) : NRW_OK;
}

nrw_status job_plan_text(const nrw_job *job, bytes *out, nrw_error *err)
{
    const job_plan *p = &job->plan;
    char peak[2 * TEXT_NUMBER], base[TEXT_NUMBER], from[TEXT_NUMBER], spill[TEXT_NUMBER];

    TRY(bytes_printf(out, err, "%-48s %-8s %-9s %-9s %s\n", "step", "how", "least", "grant",
                     "rows"));
    for (uint32_t i = 0; i < p->n; i++)
        TRY(plan_line(&p->steps[i], i + 1, out, err));
    TRY(bytes_printf(out, err, "peak   at most %s (base %s, %u threads); would run from %s\n",
                     text_size_of(p->peak, job->limits.ceiling, peak),
                     text_size(job->limits.baseline, base), job->limits.workers,
                     text_size(p->from, from)));
    if (!p->spill)
        return bytes_printf(out, err, "spill  none");
    return bytes_printf(out, err, "spill  at most %s", text_size(p->spill, spill));
}

static nrw_status step_json(const plan_step *s, bytes *out, nrw_error *err)
{
    TRY(bytes_printf(out, err, "{\"step\":"));
    TRY(json_string(out, s->what, strlen(s->what), err));
    TRY(bytes_printf(out, err, ",\"how\":\"%s\",\"least\":%llu,\"grant\":%llu,\"spill\":%llu",
                     s->how, (unsigned long long)s->least, (unsigned long long)s->grant,
                     (unsigned long long)s->spill));
    if (s->rows >= 0)
        TRY(bytes_printf(out, err, ",\"rows\":%lld,\"rows_bound\":%s", (long long)s->rows,
                         s->rows_bound ? "true" : "false"));
    TRY(bytes_printf(out, err, ",\"detail\":"));
    TRY(json_string(out, s->detail, strlen(s->detail), err));
    return bytes_printf(out, err, "}");
}

static nrw_status plan_json(const nrw_job *job, bytes *out, nrw_error *err)
{
    const job_plan *p = &job->plan;

    TRY(bytes_printf(out, err, "{\"steps\":["));
    for (uint32_t i = 0; i < p->n; i++) {
        TRY(bytes_printf(out, err, i ? "," : ""));
        TRY(step_json(&p->steps[i], out, err));
    }
    return bytes_printf(out, err,
                        "],\"memory\":%llu,\"baseline\":%llu,\"peak\":%llu,\"runs_from\":%llu,"
                        "\"threads\":%u,\"spill\":%llu,\"spill_limit\":%llu}",
                        (unsigned long long)job->limits.ceiling,
                        (unsigned long long)job->limits.baseline, (unsigned long long)p->peak,
                        (unsigned long long)p->from, job->limits.workers,
                        (unsigned long long)p->spill, (unsigned long long)job->limits.spill_limit);
}

nrw_status nrw_job_plan(nrw_job *job, int json, char **text, nrw_error *err)
{
    bytes out = bytes_init(job->words_mem, 16 << 20);
    nrw_status st;

    *text = NULL;
    TRY(job_do(job, true, err));
    st = json ? plan_json(job, &out, err) : job_plan_text(job, &out, err);
    return hand_out(&out, st, text, err);
}

/* ---- report ---- */

static nrw_status report_balance(const job_result *r, bytes *out, nrw_error *err)
{
    return bytes_printf(out, err,
                        "\"rows\":{\"in\":%lld,\"out\":%lld,\"filtered\":%lld,\"rejected\":%lld,"
                        "\"pruned\":%llu,\"limited\":%lld},"
                        "\"pruned\":{\"row_groups\":%llu,\"of\":%llu,\"pages\":%llu},"
                        "\"files\":{\"read\":%zu,\"of\":%zu},"
                        "\"lost\":{\"blocks\":%llu,\"uncounted\":%llu,\"bytes\":%llu},"
                        "\"sources\":[%.*s],\"columns\":[%.*s]",
                        (long long)r->rows_in, (long long)r->rows_out, (long long)r->rows_filtered,
                        (long long)r->rows_rejected, (unsigned long long)r->pruned.rows,
                        (long long)r->rows_limited, (unsigned long long)r->pruned.groups,
                        (unsigned long long)r->pruned.of_groups,
                        (unsigned long long)r->pruned.pages, r->files_read, r->files_of,
                        (unsigned long long)r->lost_blocks, (unsigned long long)r->lost_uncounted,
                        (unsigned long long)r->lost_bytes, (int)r->sources.len,
                        r->sources.len ? (const char *)r->sources.data : "", (int)r->columns.len,
                        r->columns.len ? (const char *)r->columns.data : "");
}

/* Each stands behind a line end. */
static nrw_status report_notes(const bytes *notes, bytes *out, nrw_error *err)
{
    TRY(bytes_printf(out, err, ",\"notes\":["));
    for (size_t at = 0, n; at < notes->len; at += 1 + n) {
        const char *line = (const char *)notes->data + at + 1;
        const char *end = memchr(line, '\n', notes->len - at - 1);
        n = end ? (size_t)(end - line) : notes->len - at - 1;
        TRY(bytes_printf(out, err, at ? "," : ""));
        TRY(json_string(out, line, n, err));
    }
    return bytes_printf(out, err, "]");
}

/* Of a dataset what is in each folder; they must come to the rows that went out. */
static nrw_status report_targets(const job_result *r, bytes *out, nrw_error *err)
{
    if (r->files == 0)
        return NRW_OK;
    return bytes_printf(
        out, err,
        ",\"targets\":{\"files\":%lld,\"folders\":%lld,\"each\":[%.*s],\"not_listed\":%lld}",
        (long long)r->files, (long long)r->partitions, (int)r->targets.len,
        r->targets.len ? (const char *)r->targets.data : "", (long long)r->targets_left);
}

/* What was saved. */
static nrw_status report_resumed(const job_result *r, bytes *out, nrw_error *err)
{
    if (!r->resumed)
        return NRW_OK;
    return bytes_printf(out, err, ",\"resumed\":{\"files\":%llu,\"rows\":%lld,\"bytes\":%llu}",
                        (unsigned long long)r->kept_files, (long long)r->kept_rows,
                        (unsigned long long)r->kept_bytes);
}

static nrw_status report(const nrw_job *job, bytes *out, nrw_error *err)
{
    const job_result *r = &job->result;

    TRY(bytes_printf(out, err,
                     "{\"verb\":\"%s\",\"version\":\"%s\",\"status\":%d,\"seconds\":%.3f,",
                     job->verb->name, nrw_version(), (int)r->status, r->seconds));
    TRY(bytes_printf(out, err, "\"target\":"));
    TRY(job->target ? json_string(out, job->target, strlen(job->target), err)
                    : bytes_printf(out, err, "null"));
    TRY(bytes_printf(out, err, ","));
    TRY(report_balance(r, out, err));
    TRY(report_targets(r, out, err));
    TRY(report_resumed(r, out, err));
    TRY(bytes_printf(out, err,
                     ",\"row_groups\":%lld,\"bytes_in\":%llu,\"bytes_out\":%llu,\"spilled\":%llu,"
                     "\"peak\":%llu,\"plan\":",
                     (long long)r->row_groups, (unsigned long long)r->bytes_in,
                     (unsigned long long)r->bytes_out, (unsigned long long)r->spilled,
                     (unsigned long long)r->rss_peak));
    TRY(plan_json(job, out, err));
    TRY(report_notes(&r->notes, out, err));
    if (r->piped_in >= 0)
        TRY(bytes_printf(out, err, ",\"piped\":{\"in\":%lld,\"out\":%lld,\"programs\":[%.*s]}",
                         (long long)r->piped_in, (long long)r->piped_out, (int)r->pipes.len,
                         r->pipes.len ? (const char *)r->pipes.data : ""));
    return bytes_printf(out, err, "}\n");
}

nrw_status nrw_job_report(nrw_job *job, char **json, nrw_error *err)
{
    bytes out = bytes_init(job->words_mem, 256 << 20);

    return hand_out(&out, report(job, &out, err), json, err);
}

/* ---- summary ---- */

static nrw_status summary(const nrw_job *job, bytes *out, nrw_error *err)
{
    const job_result *r = &job->result;
    char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER], d[TEXT_NUMBER], size[2 * TEXT_NUMBER];

    TRY(bytes_printf(out, err, "%s: %s rows", job->target ? job->target : "stream",
                     text_group((uint64_t)r->rows_out, a)));
    if (r->files > 0)
        TRY(bytes_printf(out, err, ", %s file%s", text_group((uint64_t)r->files, a),
                         r->files == 1 ? "" : "s"));
    if (r->partitions > 0)
        TRY(bytes_printf(out, err, " in %s folder%s", text_group((uint64_t)r->partitions, a),
                         r->partitions == 1 ? "" : "s"));
    if (r->row_groups > 0)
        TRY(bytes_printf(out, err, ", %s row group%s", text_group((uint64_t)r->row_groups, a),
                         r->row_groups == 1 ? "" : "s"));
    TRY(bytes_printf(out, err, ", %s in %.2f s\n", text_size10(r->bytes_out, a), r->seconds));
    TRY(bytes_printf(out, err, "rows   %s in = %s out + %s filtered + %s rejected",
                     text_group((uint64_t)r->rows_in, a), text_group((uint64_t)r->rows_out, b),
                     text_group((uint64_t)r->rows_filtered, c),
                     text_group((uint64_t)r->rows_rejected, d)));
    if (r->pruned.rows)
        TRY(bytes_printf(out, err, " + %s pruned", text_group(r->pruned.rows, a)));
    if (r->rows_limited)
        TRY(bytes_printf(out, err, " + %s limited", text_group((uint64_t)r->rows_limited, a)));
    if (r->piped_in > r->piped_out)
        TRY(bytes_printf(out, err, " + %s dropped on the way",
                         text_group((uint64_t)(r->piped_in - r->piped_out), a)));
    if (r->piped_in < r->piped_out)
        TRY(bytes_printf(out, err, " - %s added on the way",
                         text_group((uint64_t)(r->piped_out - r->piped_in), a)));
    TRY(bytes_printf(out, err, "\n"));
    TRY(bytes_printf(out, err, "peak   %s, spill %s, %u threads",
                     text_size_of(r->rss_peak, job->limits.ceiling, size), text_size(r->spilled, a),
                     job->limits.workers));
    if (r->piped_in >= 0)
        TRY(bytes_printf(out, err, "\npipe   %s rows in, %s out",
                         text_group((uint64_t)r->piped_in, a),
                         text_group((uint64_t)r->piped_out, b)));
    if (r->pipes_memory)
        TRY(bytes_printf(out, err, ", programs took %s", text_size(r->pipes_memory, c)));
    return r->notes.len ? bytes_append(out, r->notes.data, r->notes.len, err) : NRW_OK;
}

nrw_status nrw_job_summary(nrw_job *job, char **text, nrw_error *err)
{
    bytes out = bytes_init(job->words_mem, 1 << 20);
    nrw_status st = NRW_OK;

    const job_result *r = &job->result;

    if (job->verb->moves_rows && r->ran && r->status >= 0 && r->status != NRW_END)
        st = summary(job, &out, err);
    else if (r->ran && r->status == NRW_END && r->notes.len) /* what there was to do instead */
        st = bytes_append(&out, r->notes.data + 1, r->notes.len - 1, err);
    else
        st = bytes_append(&out, "", 0, err);
    return hand_out(&out, st, text, err);
}
