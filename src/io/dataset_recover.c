/* Rests of killed runs: completed where publication was decided, else removed. */
#include "io/dataset_own.h"

#include "base/text.h"
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

static void say(dataset_tell tell, void *ctx, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void say(dataset_tell tell, void *ctx, const char *fmt, ...)
{
    char line[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (tell)
        tell(ctx, line);
}

/* How many folders the killed run made above the dataset. */
static nrw_status read_made(const dataset_place *p, const dataset_stage *s, uint64_t *made,
                            nrw_error *err)
{
    journal_record head;
    journal_reader r;
    nrw_status st;
    int fd, e = sys_open_at(s->dir, STAGE_JOURNAL, O_RDONLY, 0, &fd);

    *made = 0;
    if (e)
        return e == ENOENT ? NRW_OK : place_error(p, e, "cannot open the journal of a run", err);
    st = journal_read(p->m, fd, &r, err);
    if (st == NRW_OK) {
        st = journal_next(&r, &head, err);
        if (st == NRW_OK && head.kind == JOURNAL_HEAD)
            *made = head.number;
        journal_read_end(&r);
    }
    sys_close(fd);
    return st < 0 ? st : NRW_OK;
}

static nrw_status remove_rest(dataset_place *p, dataset_stage *s, dataset_tell tell, void *ctx,
                              nrw_error *err)
{
    uint64_t files = 0, made;
    char n[TEXT_NUMBER];
    bool begun;
    int e;

    TRY(read_made(p, s, &made, err));
    e = sys_is_at(s->dir, STAGE_FILES, &begun);
    if (!e)
        e = stage_clear(s, &files);
    if (e)
        return place_error(p, e, "cannot remove what a killed run left", err);
    TRY(place_look(p, err));
    if (!p->there && !p->made)
        p->made = (uint32_t)made;
    if (begun)
        say(tell, ctx, "%s file%s of a killed run removed; %s", text_group(files, n),
            files == 1 ? "" : "s", p->there ? "the dataset is whole" : "there is no dataset");
    return NRW_OK;
}

static nrw_status complete_rest(dataset_place *p, dataset_stage *s, dataset_tell tell, void *ctx,
                                nrw_error *err)
{
    char put[TEXT_NUMBER], dropped[TEXT_NUMBER];
    publish_counts n;
    uint64_t files;
    int e;

    TRY(publish_decided(p, s, &n, err));
    say(tell, ctx, "the publication of a killed run was completed, %s new file%s%s%s",
        text_group(n.put, put), n.put == 1 ? "" : "s", n.dropped ? ", old ones removed: " : "",
        n.dropped ? text_group(n.dropped, dropped) : "");
    e = publish_forget(s);
    if (!e)
        e = stage_clear(s, &files);
    return e ? place_error(p, e, "is whole, but what a killed run left cannot be removed", err)
             : NRW_OK;
}

nrw_status recover_stage(dataset_place *p, dataset_stage *s, dataset_tell tell, void *ctx,
                         nrw_error *err)
{
    bool decided;
    int e = sys_is_at(s->dir, STAGE_DECIDED, &decided);

    if (e)
        return place_error(p, e, "cannot look at what a killed run left", err);
    return decided ? complete_rest(p, s, tell, ctx, err) : remove_rest(p, s, tell, ctx, err);
}

static nrw_status recover_at(dataset_place *p, bool inside, dataset_tell tell, void *ctx,
                             int *found, nrw_error *err)
{
    dataset_stage s;
    uint64_t files;
    bool denied;
    nrw_status st = stage_take(p, inside, false, &s, &denied, err);
    int e;

    if (st != NRW_OK)
        return st < 0 ? st : NRW_OK;
    ++*found;
    st = recover_stage(p, &s, tell, ctx, err);
    if (st < 0) {
        stage_leave(&s);
        return st;
    }
    e = stage_remove(&s, &files);
    return e ? place_error(p, e, "cannot remove what a killed run left", err) : NRW_OK;
}

nrw_status recover_place(dataset_place *p, dataset_tell tell, void *ctx, int *found, nrw_error *err)
{
    *found = 0;
    TRY(recover_at(p, false, tell, ctx, found, err));
    TRY(place_look(p, err));
    return p->there ? recover_at(p, true, tell, ctx, found, err) : NRW_OK;
}

nrw_status dataset_recover(mem *m, const char *dir, dataset_tell tell, void *ctx, nrw_error *err)
{
    dataset_place p;
    nrw_status st = place_open(m, dir, false, &p, err);
    int found = 0;

    if (st != NRW_OK)
        return st;
    st = recover_place(&p, tell, ctx, &found, err);
    if (st == NRW_OK && !p.there)
        place_unmake(&p, p.made);
    if (st < 0)
        err_at_object(err, dir);
    place_close(&p);
    return st == NRW_OK && !found ? NRW_END : st;
}
