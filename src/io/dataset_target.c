#include "io/dataset_own.h"

#include "io/file.h"
#include "io/sys.h"
#include "io/target_own.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define NUMBER_MAX UINT32_MAX

struct dataset_target {
    mem *m;
    dataset_options options;
    dataset_place place;
    dataset_stage stage;
    int files; /* the staging's folder of new files */
    pthread_mutex_t lock;
    journal journal;              /* under the lock */
    _Atomic uint64_t open, whole; /* targets; finished files */
    uint64_t replaced;            /* old files that went for their folders' sake */
    bool published, decided;      /* decided: the staging must stay */
    bool untouched;               /* so must that of another run, whose facts are not these */
    bool resumed;
    uint64_t taken;         /* finished files of the killed run */
    _Atomic uint64_t asked; /* for these */
};

/* ---- open ---- */

static nrw_status check_policy(const dataset_target *d, nrw_error *err)
{
    if (!d->place.there || d->place.empty)
        return NRW_OK;
    if (d->options.policy == DATASET_SKIP)
        return NRW_END;
    if (d->options.policy != DATASET_FAIL)
        return NRW_OK;
    err_at_object(err, d->place.shown);
    err_next(err, "--on-exists append adds to it, replace writes over it");
    return err_set(err, NRW_E_EXISTS, "exists, nothing was written");
}

/* Beside the dataset, or in it where that is no place for a folder that is to change places with
 * it, or forbidden. */
static nrw_status take_stage(dataset_target *d, nrw_error *err)
{
    nrw_error first = NRW_ERROR_INIT;
    bool denied = false;
    nrw_status st = NRW_OK;

    if (!d->place.mounted)
        st = stage_take(&d->place, false, true, &d->stage, &denied, &first);
    if (d->place.mounted || (denied && d->place.there))
        return stage_take(&d->place, true, true, &d->stage, &denied, err);
    if (st < 0 && err)
        *err = first;
    return st;
}

static nrw_status begin_stage(dataset_target *d, nrw_error *err)
{
    int e = sys_make_folder_at(d->stage.dir, STAGE_FILES);

    if (!e)
        e = sys_open_at(d->stage.dir, STAGE_FILES, O_RDONLY | O_DIRECTORY, 0, &d->files);
    if (!e)
        e = journal_new(d->stage.dir, STAGE_JOURNAL, &d->journal);
    if (e)
        return place_error(&d->place, e, "cannot make a folder for its new files", err);
    return resume_facts(&d->place, &d->options, &d->journal, err);
}

/* ---- go on with a killed run ---- */

/* The rest of one, beside the dataset or in it; NRW_END: there is none. */
static nrw_status find_rest(dataset_target *d, nrw_error *err)
{
    bool denied;
    nrw_status st = stage_take(&d->place, false, false, &d->stage, &denied, err);

    return st == NRW_END && d->place.there
               ? stage_take(&d->place, true, false, &d->stage, &denied, err)
               : st;
}

static nrw_status take_rest(dataset_target *d, nrw_error *err)
{
    int e;

    TRY(resume_take(&d->place, &d->stage, &d->options, &d->journal, &d->taken, err));
    d->resumed = true;
    e = sys_open_at(d->stage.dir, STAGE_FILES, O_RDONLY | O_DIRECTORY, 0, &d->files);
    return e ? place_error(&d->place, e, "cannot open the killed run's files", err) : NRW_OK;
}

static nrw_status resume_stage(dataset_target *d, nrw_error *err)
{
    nrw_status st;
    uint64_t made;

    TRY(place_look(&d->place, err));
    st = find_rest(d, err);
    if (st == NRW_END)
        return resume_no_rest(&d->place, err);
    TRY(st);
    d->untouched = true;
    st = resume_look(&d->place, &d->stage, &d->options, &made, err);
    TRY(st);
    d->untouched = st == NRW_OK;
    if (st == NRW_OK)
        st = check_policy(d, err);
    if (st != NRW_OK)
        return st;
    if (!d->place.there && !d->place.made)
        d->place.made = (uint32_t)made;
    TRY(take_rest(d, err));
    d->untouched = false;
    return NRW_OK;
}

/* ---- open it ---- */

/* What is there is looked at before the staging is made, and again when it is locked. */
static nrw_status open_stage(dataset_target *d, nrw_error *err)
{
    dataset_tell tell = d->options.tell;
    void *ctx = d->options.ctx;
    nrw_status st;
    int rests;

    TRY(recover_place(&d->place, tell, ctx, &rests, err));
    TRY(place_look(&d->place, err));
    st = check_policy(d, err);
    if (st != NRW_OK)
        return st;
    TRY(take_stage(d, err));
    if (d->stage.found)
        TRY(recover_stage(&d->place, &d->stage, tell, ctx, err));
    TRY(place_look(&d->place, err));
    st = check_policy(d, err);
    return st == NRW_OK ? begin_stage(d, err) : st;
}

nrw_status dataset_target_open(mem *m, const char *dir, const dataset_options *o,
                               dataset_target **out, nrw_error *err)
{
    dataset_target *d;
    nrw_status st;
    void *p;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *d, &p, err));
    d = p;
    *d = (dataset_target){.m = m, .options = *o, .stage = DATASET_STAGE_NONE, .files = -1};
    d->journal.fd = -1;
    d->place.parent = -1;
    pthread_mutex_init(&d->lock, NULL);
    st = place_open(m, dir, true, &d->place, err);
    if (st == NRW_OK)
        st = o->resume ? resume_stage(d, err) : open_stage(d, err);
    if (st != NRW_OK) {
        if (st < 0)
            err_at_object(err, dir);
        dataset_target_close(d);
        return st;
    }
    *out = d;
    return NRW_OK;
}

/* ---- files ---- */

static nrw_status bad_name(const dataset_target *d, const char *name, const char *what,
                           nrw_error *err)
{
    err_at_object(err, d->place.shown);
    return err_set(err, NRW_E_ARG, "%.200s%s cannot be the name of a file: %s", name,
                   strlen(name) > 200 ? "..." : "", what);
}

static nrw_status check_name(const dataset_target *d, const char *name, nrw_error *err)
{
    const char *part = name;

    if (strlen(name) > JOURNAL_TEXT_MAX)
        return bad_name(d, name, "it has more than 4,095 bytes", err);
    for (;;) {
        size_t n = strcspn(part, "/");
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
            return bad_name(d, name, "a part of it is empty, . or ..", err);
        if (n > 255)
            return bad_name(d, name, "a part of it has more than 255 bytes", err);
        if (!part[n])
            return NRW_OK;
        part += n + 1;
    }
}

static nrw_status file_failed(const dataset_target *d, int e, const char *name, nrw_error *err)
{
    err_at_object(err, d->place.shown);
    if (e == EEXIST)
        return err_set(err, NRW_E_EXISTS, "the file %.300s would be written twice", name);
    return err_errno(err, NRW_E_IO, e, "cannot make the file %.300s", name);
}

static nrw_status finished(void *self, const char *name, uint64_t size, nrw_error *err)
{
    dataset_target *d = self;
    int e;

    pthread_mutex_lock(&d->lock);
    e = journal_add(&d->journal, JOURNAL_FILE, size, name);
    pthread_mutex_unlock(&d->lock);
    if (e)
        return place_error(&d->place, e, "cannot write the journal", err);
    atomic_fetch_sub(&d->open, 1);
    atomic_fetch_add(&d->whole, 1);
    return NRW_OK;
}

static void dropped(void *self, const char *name)
{
    dataset_target *d = self;

    (void)sys_unlink_at(d->files, name);
    atomic_fetch_sub(&d->open, 1);
}

nrw_status dataset_target_file(dataset_target *d, const char *name, target **out, nrw_error *err)
{
    const target_owner owner = {finished, dropped, d};
    nrw_status st;
    int fd, e;

    *out = NULL;
    TRY(check_name(d, name, err));
    e = publish_open_path(d->files, name, O_RDWR | O_CREAT | O_EXCL, &fd);
    if (e)
        return file_failed(d, e, name, err);
    st = target_over(d->m, fd, d->place.shown, name, &owner, out, err);
    if (st < 0) {
        (void)sys_unlink_at(d->files, name);
        return st;
    }
    atomic_fetch_add(&d->open, 1);
    return NRW_OK;
}

nrw_status dataset_target_kept(dataset_target *d, const char *name, io_file **out, nrw_error *err)
{
    int fd, e;

    *out = NULL;
    if (!d->resumed)
        return NRW_END;
    TRY(check_name(d, name, err));
    e = sys_open_at(d->files, name, O_RDONLY | O_NOFOLLOW, 0, &fd);
    if (e == ENOENT || e == ENOTDIR)
        return NRW_END;
    if (e)
        return file_failed(d, e, name, err);
    atomic_fetch_add(&d->asked, 1);
    atomic_fetch_add(&d->whole, 1);
    return file_over(d->m, fd, name, out, err);
}

nrw_status dataset_target_carry(dataset_target *d, const char *name, uint64_t number,
                                nrw_error *err)
{
    int e;

    TRY(check_name(d, name, err));
    pthread_mutex_lock(&d->lock);
    e = journal_add(&d->journal, JOURNAL_CARRY, number, name);
    pthread_mutex_unlock(&d->lock);
    return e ? place_error(&d->place, e, "cannot write the journal", err) : NRW_OK;
}

nrw_status dataset_target_carried(dataset_target *d, const char *name, uint64_t *out,
                                  nrw_error *err)
{
    journal_record record;
    journal_reader r;
    nrw_status st;

    *out = 0;
    TRY(journal_read(d->m, d->journal.fd, &r, err));
    while ((st = journal_next(&r, &record, err)) == NRW_OK)
        if (record.kind == JOURNAL_CARRY && strcmp(record.text, name) == 0)
            *out = record.number;
    journal_read_end(&r);
    return st < 0 ? st : NRW_OK;
}

typedef struct numbering {
    const char *prefix, *suffix;
    uint64_t next;
} numbering;

/* "part-00012.parquet" between its prefix and its suffix. */
static nrw_status one_number(void *ctx, const char *name, unsigned char type, nrw_error *err)
{
    numbering *n = ctx;
    size_t len = strlen(name), before = strlen(n->prefix), behind = strlen(n->suffix);
    uint64_t number = 0;

    (void)type;
    (void)err;
    if (len <= before + behind || strncmp(name, n->prefix, before) != 0 ||
        strcmp(name + len - behind, n->suffix) != 0)
        return NRW_OK;
    for (const char *at = name + before; at < name + len - behind; at++) {
        if (*at < '0' || *at > '9' || number > NUMBER_MAX)
            return NRW_OK;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    if (number >= n->next && number <= NUMBER_MAX)
        n->next = number + 1;
    return NRW_OK;
}

static nrw_status number_behind(const dataset_target *d, int fd, uint32_t *number, nrw_error *err)
{
    char buffer[4096] __attribute__((aligned(8)));
    numbering n = {d->options.number_prefix, d->options.number_suffix, 0};
    int e;

    if (sys_read_folder(fd, buffer, sizeof buffer, one_number, &n, &e, err) < 0)
        return place_error(&d->place, e, "cannot look at the files that are there", err);
    *number = (uint32_t)n.next;
    if (n.next <= NUMBER_MAX)
        return NRW_OK;
    err_at_object(err, d->place.shown);
    return err_set(err, NRW_E_UNSUPPORTED, "there is no number left for the next file's name");
}

nrw_status dataset_target_drop(dataset_target *d, const char *name, nrw_error *err)
{
    int e;

    TRY(check_name(d, name, err));
    pthread_mutex_lock(&d->lock);
    e = journal_add(&d->journal, JOURNAL_DROP, 0, name);
    pthread_mutex_unlock(&d->lock);
    return e ? place_error(&d->place, e, "cannot write the journal", err) : NRW_OK;
}

nrw_status dataset_target_next(dataset_target *d, const char *folder, uint32_t *number,
                               nrw_error *err)
{
    nrw_status st = NRW_OK;
    int at, fd = -1, e;

    *number = 0;
    if (d->options.policy != DATASET_APPEND || !d->options.number_prefix || !d->place.there)
        return NRW_OK;
    e = place_folder(&d->place, &at);
    if (!e)
        e = sys_open_at(at, *folder ? folder : ".", O_RDONLY | O_DIRECTORY, 0, &fd);
    sys_close(at);
    if (!e)
        st = number_behind(d, fd, number, err);
    else if (e != ENOENT)
        st = place_error(&d->place, e, "cannot look at the files that are there", err);
    sys_close(fd);
    return st;
}

/* ---- the end ---- */

static nrw_status not_published(dataset_target *d, nrw_status st, nrw_error *err)
{
    err_at_object(err, d->place.shown);
    if (d->decided) {
        err_next(err, "narrows recover %.200s completes it", d->place.shown);
        return st;
    }
    if (st != NRW_E_EXISTS)
        return st;
    return d->options.policy == DATASET_SKIP ? NRW_END : st;
}

nrw_status dataset_target_publish(dataset_target *d, nrw_error *err)
{
    publish_counts n;
    nrw_status st;
    uint64_t files;
    int e;

    if (d->published || atomic_load(&d->open)) {
        err_at_object(err, d->place.shown);
        return err_set(err, NRW_E_ARG, "%s",
                       d->published ? "is already published" : "files of it are still open");
    }
    if (atomic_load(&d->asked) != d->taken) {
        err_at_object(err, d->place.shown);
        err_next(err, "run it without --resume");
        return err_set(err, NRW_E_CORRUPT,
                       "the killed run had finished %llu files, this run knows %llu of them; "
                       "nothing was written",
                       (unsigned long long)d->taken, (unsigned long long)atomic_load(&d->asked));
    }
    st = publish_stage(&d->place, &d->stage, &d->journal, d->options.policy, &d->decided, &n, err);
    if (st != NRW_OK)
        return not_published(d, st, err);
    d->published = true;
    d->replaced = n.dropped;
    e = d->decided ? publish_forget(&d->stage) : 0;
    if (!e)
        d->decided = false;
    if (!e)
        e = stage_remove(&d->stage, &files);
    return e ? place_error(&d->place, e, "is written, but what it replaced cannot be removed", err)
             : NRW_OK;
}

uint64_t dataset_target_files(const dataset_target *d)
{
    return atomic_load(&d->whole);
}

uint64_t dataset_target_dropped(const dataset_target *d)
{
    return d->replaced;
}

uint64_t dataset_target_resumed(const dataset_target *d)
{
    return d->taken;
}

void dataset_target_close(dataset_target *d)
{
    uint64_t files;

    if (!d)
        return;
    journal_close(&d->journal);
    sys_close(d->files);
    if (d->decided || d->untouched)
        stage_leave(&d->stage);
    else if (d->stage.dir >= 0)
        (void)stage_remove(&d->stage, &files);
    if (!d->published && !d->decided && d->place.path)
        place_unmake(&d->place, d->place.made);
    place_close(&d->place);
    pthread_mutex_destroy(&d->lock);
    mem_free(d->m, d, sizeof *d);
}
