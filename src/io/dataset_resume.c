/* Going on with a killed run. Its journal begins with what it was (facts), which the run that goes
 * on must be, too; behind them stand the files that it had finished. These are moved aside under a
 * new journal, all else is removed, and they are moved back: whoever is killed on the way leaves
 * something that can be resumed again, for a file is in one of two places and in one of two
 * journals.
 *
 * What a killed process wrote is in the system's cache, so a finished file is whole. After the
 * machine was started again that is not known, for files are synced when all is published: then
 * none is kept. */
#include "io/dataset_own.h"

#include "base/small_file.h"
#include "base/text.h"
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

nrw_status resume_no_rest(const dataset_place *p, nrw_error *err)
{
    err_at_object(err, p->shown);
    err_next(err, "without --resume a run begins anew");
    return err_set(err, NRW_E_NOTFOUND,
                   "there is no unfinished run to resume, it has ended or never began");
}

static void this_boot(char *out, size_t cap)
{
    small_file_read("/proc/sys/kernel/random/boot_id", out, cap);
    out[strcspn(out, "\n")] = '\0';
}

/* ---- facts ---- */

/* As far as a record holds it. */
static void fact_text(const dataset_fact *f, char out[JOURNAL_TEXT_MAX + 1])
{
    snprintf(out, JOURNAL_TEXT_MAX + 1, "%s", f->text);
}

nrw_status resume_facts(const dataset_place *p, const dataset_options *o, journal *j,
                        nrw_error *err)
{
    char text[JOURNAL_TEXT_MAX + 1];
    nrw_status st = NRW_OK;
    dataset_fact f;
    int e;

    this_boot(text, sizeof text);
    e = journal_add(j, JOURNAL_HEAD, p->made, text);
    for (uint64_t i = 0; !e && o->fact; i++) {
        st = o->fact(o->ctx, i, &f, err);
        if (st != NRW_OK)
            break;
        fact_text(&f, text);
        e = journal_add(j, JOURNAL_FACT, f.number, text);
    }
    TRY(st);
    if (!e)
        e = journal_add(j, JOURNAL_BEGUN, 0, "");
    return e ? place_error(p, e, "cannot write the journal", err) : NRW_OK;
}

static nrw_status differs(const dataset_place *p, const char *was, const dataset_fact *is,
                          nrw_error *err)
{
    bool same = is && was && strncmp(was, is->text, JOURNAL_TEXT_MAX) == 0;

    err_at_object(err, p->shown);
    err_next(err, "without --resume all is written anew");
    if (same)
        return err_set(err, NRW_E_CHANGED, "cannot be resumed: %.300s was changed since", was);
    return err_set(err, NRW_E_ARG, "cannot be resumed: the killed run had %.300s, this one has %s",
                   was ? was : "nothing more", is ? is->text : "nothing more");
}

/* r stands behind the head, and then behind the facts. A run that was killed before all were
 * written had not begun. */
static nrw_status same_facts(const dataset_place *p, journal_reader *r, const dataset_options *o,
                             nrw_error *err)
{
    journal_record was;
    dataset_fact is;

    for (uint64_t i = 0;; i++) {
        nrw_status more = o->fact(o->ctx, i, &is, err), st;
        bool had, same;
        TRY(more);
        st = journal_next(r, &was, err);
        TRY(st);
        if (st != NRW_OK)
            return resume_no_rest(p, err);
        had = was.kind == JOURNAL_FACT;
        if (!had && more != NRW_OK)
            return NRW_OK;
        same = had && more == NRW_OK && was.number == is.number &&
               strncmp(was.text, is.text, JOURNAL_TEXT_MAX) == 0;
        if (!same)
            return differs(p, had ? was.text : NULL, more == NRW_OK ? &is : NULL, err);
    }
}

/* ---- the killed run's journal ---- */

typedef struct rest {
    journal_reader r; /* behind the facts */
    int fd;
    bool decided, booted; /* booted: since then */
    uint64_t made;
} rest;

static void rest_close(rest *g)
{
    journal_read_end(&g->r);
    sys_close(g->fd);
}

static nrw_status read_head(const dataset_place *p, rest *g, nrw_error *err)
{
    char boot[64];
    journal_record head;
    nrw_status st;

    TRY(journal_read(p->m, g->fd, &g->r, err));
    st = journal_next(&g->r, &head, err);
    TRY(st);
    if (st != NRW_OK || head.kind != JOURNAL_HEAD)
        return resume_no_rest(p, err);
    this_boot(boot, sizeof boot);
    g->booted = strcmp(boot, head.text) != 0;
    g->made = head.number;
    return NRW_OK;
}

static nrw_status rest_open(const dataset_place *p, const dataset_stage *s,
                            const dataset_options *o, rest *out, nrw_error *err)
{
    nrw_status st;
    int e;

    *out = (rest){.fd = -1};
    e = sys_is_at(s->dir, STAGE_DECIDED, &out->decided);
    if (!e)
        e = sys_open_at(s->dir, out->decided ? STAGE_DECIDED : STAGE_JOURNAL, O_RDONLY, 0,
                        &out->fd);
    if (e == ENOENT)
        return resume_no_rest(p, err);
    if (e)
        return place_error(p, e, "cannot open the journal of a run", err);
    st = read_head(p, out, err);
    if (st == NRW_OK)
        st = same_facts(p, &out->r, o, err);
    if (st < 0)
        rest_close(out);
    return st;
}

/* Did its folder get the dataset's name? Then what lies in the staging is what that was before. */
static nrw_status has_its_name(const dataset_place *p, rest *g, bool *yes, nrw_error *err)
{
    journal_record r;
    nrw_status st;

    *yes = false;
    while ((st = journal_next(&g->r, &r, err)) == NRW_OK)
        if (r.kind == JOURNAL_WHOLE)
            *yes = p->there && (uint64_t)p->stat.st_ino == r.number;
    return st < 0 ? st : NRW_OK;
}

nrw_status resume_look(dataset_place *p, dataset_stage *s, const dataset_options *o, uint64_t *made,
                       nrw_error *err)
{
    nrw_status st;
    rest g;
    bool named;

    TRY(rest_open(p, s, o, &g, err));
    *made = g.made;
    st = has_its_name(p, &g, &named, err);
    rest_close(&g);
    TRY(st);
    if (g.decided)
        TRY(recover_stage(p, s, o->tell, o->ctx, err));
    else if (named && o->tell)
        o->tell(o->ctx, "the killed run had published it");
    return g.decided || named ? NRW_END : NRW_OK;
}

/* ---- its files ---- */

typedef struct taking {
    const dataset_place *p;
    int stage, files, kept; /* files: -1, it was moved away already */
    journal *next;
    uint64_t n;
} taking;

/* Is it there, as long as it was? */
static int is_whole(int folder, const journal_record *r, bool *whole)
{
    struct stat st;
    int e = folder < 0 ? ENOENT : sys_stat_at(folder, r->text, &st, AT_SYMLINK_NOFOLLOW);

    *whole = !e && S_ISREG(st.st_mode) && (uint64_t)st.st_size == r->number;
    return e == ENOENT || e == ENOTDIR ? 0 : e;
}

static int put_aside(const taking *g, const char *name)
{
    int e = sys_rename_at(g->files, name, g->kept, name);

    if (e == ENOENT) {
        e = publish_make_path(g->kept, name);
        e = e ? e : sys_rename_at(g->files, name, g->kept, name);
    }
    return e;
}

/* In one of the two folders. */
static int find_file(const taking *g, const journal_record *r, bool *found)
{
    int e = is_whole(g->files, r, found);

    if (e || *found)
        return e ? e : put_aside(g, r->text);
    return is_whole(g->kept, r, found);
}

static nrw_status take_record(taking *g, const journal_record *r, nrw_error *err)
{
    bool found = r->kind == JOURNAL_CARRY;
    int e = 0;

    if (r->kind == JOURNAL_FILE && !publish_is_metadata(r->text)) {
        e = find_file(g, r, &found);
        g->n += found;
    }
    if (!e && found)
        e = journal_add(g->next, r->kind, r->number, r->text);
    return e ? place_error(g->p, e, "cannot take over a file of the killed run", err) : NRW_OK;
}

static nrw_status take_records(taking *g, journal_reader *r, nrw_error *err)
{
    journal_record record;
    nrw_status st;

    while ((st = journal_next(r, &record, err)) == NRW_OK)
        TRY(take_record(g, &record, err));
    return st < 0 ? st : NRW_OK;
}

static int open_folders(taking *g)
{
    int e = sys_make_folder_at(g->stage, STAGE_KEPT);

    if (!e || e == EEXIST)
        e = sys_open_at(g->stage, STAGE_KEPT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &g->kept);
    if (!e)
        e = sys_open_at(g->stage, STAGE_FILES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &g->files);
    return e == ENOENT ? 0 : e;
}

static int new_journal(const dataset_stage *s, journal *j)
{
    int e = sys_unlink_at(s->dir, STAGE_NEXT);

    return e && e != ENOENT ? e : journal_new(s->dir, STAGE_NEXT, j);
}

/* All but what was taken goes; then the new journal is the journal, and the files are where files
 * are. */
static int settle(const dataset_stage *s)
{
    static const char *const keep[] = {STAGE_JOURNAL, STAGE_NEXT, STAGE_KEPT, NULL};
    uint64_t files;
    int e = stage_clear_but(s, keep, &files);

    if (!e)
        e = sys_rename_at(s->dir, STAGE_NEXT, s->dir, STAGE_JOURNAL);
    return e ? e : sys_rename_at(s->dir, STAGE_KEPT, s->dir, STAGE_FILES);
}

static nrw_status take(taking *g, rest *from, const dataset_stage *s, const dataset_options *o,
                       nrw_error *err)
{
    int e = new_journal(s, g->next);

    if (!e)
        e = open_folders(g);
    if (e)
        return place_error(g->p, e, "cannot take over the files of the killed run", err);
    TRY(resume_facts(g->p, o, g->next, err));
    if (!from->booted)
        TRY(take_records(g, &from->r, err));
    e = settle(s);
    return e ? place_error(g->p, e, "cannot remove what a killed run had not finished", err)
             : NRW_OK;
}

nrw_status resume_take(const dataset_place *p, const dataset_stage *s, const dataset_options *o,
                       journal *j, uint64_t *files, nrw_error *err)
{
    taking g = {.p = p, .stage = s->dir, .files = -1, .kept = -1, .next = j};
    nrw_status st;
    rest from;

    *files = 0;
    TRY(rest_open(p, s, o, &from, err));
    st = take(&g, &from, s, o, err);
    sys_close(g.files);
    sys_close(g.kept);
    rest_close(&from);
    *files = g.n;
    if (st == NRW_OK && from.booted && o->tell)
        o->tell(o->ctx, "the machine was started again since the run was killed: none of its files "
                        "is kept");
    return st;
}
