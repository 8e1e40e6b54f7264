/* verify: all that a file says of itself; a line each file, a line each fault. */
#include "api/look.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

typedef struct found {
    look *l;
    const char *path;
    int64_t faults; /* of this file */
} found;

static nrw_status fault_number(look *l, const char *key, int64_t x, nrw_error *err)
{
    if (x < 0)
        return bytes_printf(&l->line, err, ",\"%s\":null", key);
    return bytes_printf(&l->line, err, ",\"%s\":%lld", key, (long long)x);
}

static nrw_status fault_json(look *l, const nrw_error *what, bool first, nrw_error *err)
{
    TRY(bytes_printf(&l->line, err, "%s{\"message\":", first ? "" : ","));
    TRY(look_json_string(l, what->message, strlen(what->message), err));
    TRY(bytes_printf(&l->line, err, ",\"column\":"));
    TRY(what->column[0] ? look_json_string(l, what->column, strlen(what->column), err)
                        : bytes_printf(&l->line, err, "null"));
    TRY(fault_number(l, "row_group", what->row_group, err));
    TRY(fault_number(l, "page", what->page, err));
    if (what->block >= 0) {
        TRY(fault_number(l, "block", what->block, err));
        TRY(fault_number(l, "record", what->record, err));
    }
    TRY(fault_number(l, "offset", what->offset, err));
    TRY(bytes_printf(&l->line, err, "}"));
    return look_flush_line(l, err);
}

/* As the error would be told, without what to do about it: that is to verify. */
static nrw_status on_fault(void *self, const nrw_error *what, nrw_error *err)
{
    found *f = self;
    nrw_error shown = *what;
    char text[1200];

    if (f->l->json)
        return fault_json(f->l, what, f->faults++ == 0, err);
    f->faults++;
    if (!shown.object[0])
        snprintf(shown.object, sizeof shown.object, "%.255s", f->path);
    shown.next[0] = '\0';
    nrw_error_print(&shown, text, sizeof text);
    return look_printf(f->l, err, "%s\n", text);
}

static nrw_status file_text(look *l, const found *f, const verify_counts *n, nrw_error *err)
{
    char number[TEXT_NUMBER], faults[TEXT_NUMBER];

    if (f->faults)
        TRY(look_printf(l, err, "%s: %s fault%s", f->path, text_group((uint64_t)f->faults, faults),
                        f->faults == 1 ? "" : "s"));
    else
        TRY(look_printf(l, err, "%s: ok", f->path));
    for (uint32_t i = 0; i < n->n; i++)
        if (!n->at[i].detail)
            TRY(look_printf(l, err, ", %s %s", text_group((uint64_t)n->at[i].n, number),
                            n->at[i].name));
    return look_printf(l, err, ", %s\n", text_size10(n->bytes, number));
}

static nrw_status file_json(look *l, const found *f, const verify_counts *n, nrw_error *err)
{
    TRY(look_printf(l, err, "],\"n_faults\":%lld", (long long)f->faults));
    for (uint32_t i = 0; i < n->n; i++)
        TRY(look_printf(l, err, ",\"%s\":%lld", n->at[i].name, (long long)n->at[i].n));
    return look_printf(l, err, ",\"bytes\":%llu}\n", (unsigned long long)n->bytes);
}

/* Is this about the file, rather than about this run? */
static bool is_fault(nrw_status st)
{
    return st == NRW_E_CORRUPT || st == NRW_E_UNSUPPORTED;
}

static nrw_status verify_file(look *l, found *f, nrw_error *err)
{
    verify_counts n = {0};
    nrw_error open_error = NRW_ERROR_INIT;
    reader *file;
    nrw_status st;

    if (l->json) {
        TRY(bytes_printf(&l->line, err, "{\"file\":"));
        TRY(look_json_string(l, f->path, strlen(f->path), err));
        TRY(bytes_printf(&l->line, err, ",\"faults\":["));
        TRY(look_flush_line(l, err));
    }
    st = job_open_file(l->job, f->path, &file, &open_error);
    if (is_fault(st)) {
        TRY(on_fault(f, &open_error, err));
    } else if (st < 0) {
        if (err)
            *err = open_error;
        return st;
    } else {
        st = file->class->verify(file, l->job->spill, l->job->root, on_fault, f, &n, err);
        file->class->close(file);
        if (st < 0) {
            if (st != NRW_E_PIPE)
                err_at_object(err, f->path);
            return st;
        }
    }
    return l->json ? file_json(l, f, &n, err) : file_text(l, f, &n, err);
}

nrw_status look_verify(look *l, nrw_error *err)
{
    size_t bad = 0;
    int64_t faults = 0;
    char n[TEXT_NUMBER];

    for (size_t i = 0; i < l->files.n; i++) {
        found f = {l, l->files.at[i], 0};
        TRY(verify_file(l, &f, err));
        bad += f.faults > 0;
        faults += f.faults;
    }
    if (!bad)
        return NRW_OK;
    return err_set(err, NRW_E_CORRUPT, "%s fault%s in %zu of %zu file%s",
                   text_group((uint64_t)faults, n), faults == 1 ? "" : "s", bad, l->files.n,
                   l->files.n == 1 ? "" : "s");
}
