/* Files of a folder, one after the other: named by the pattern, numbered from where the maker says.
 */
#include "exec/partition_own.h"

#include "base/hash.h"

/* The path of the file that is next. */
static nrw_status name_file(folder_files *f, nrw_error *err)
{
    const file_maker *maker = f->env->maker;

    if (!f->numbered && maker->first_number)
        TRY(maker->first_number(maker->self, f->folder, &f->number, err));
    f->numbered = true;
    bytes_clear(&f->path);
    if (*f->folder)
        TRY(bytes_printf(&f->path, err, "%s/", f->folder));
    TRY(file_pattern_append(f->env->names, f->number, &f->path, err));
    return bytes_append(&f->path, "", 1, err);
}

static nrw_status open_file(void *self, target **out, const char **path, nrw_error *err)
{
    folder_files *f = self;
    const file_maker *maker = f->env->maker;
    nrw_status st;

    *out = NULL;
    pthread_mutex_lock(&f->env->lock);
    st = name_file(f, err);
    f->number++;
    *path = (const char *)f->path.data;
    if (st == NRW_OK)
        st = maker->open(maker->self, *path, out, err);
    pthread_mutex_unlock(&f->env->lock);
    return st;
}

static nrw_status file_done(void *self, target *t, int64_t carry, nrw_error *err)
{
    const folder_files *f = self;
    const file_maker *maker = f->env->maker;
    nrw_status st = NRW_OK;

    if (carry && maker->carry)
        st = maker->carry(maker->self, (const char *)f->path.data, carry, err);
    if (st == NRW_OK)
        st = target_publish(t, err);
    target_close(t);
    return st;
}

nrw_status folder_files_open(folder_files *f, files_env *env, span folder, nrw_error *err)
{
    void *p;

    *f = (folder_files){.env = env, .path = bytes_init(env->m, 1 << 20)};
    TRY(mem_alloc(env->m, folder.len + 1, &p, err));
    f->folder = p;
    f->folder_size = folder.len + 1;
    if (folder.len)
        memcpy(f->folder, folder.data, folder.len);
    f->folder[folder.len] = '\0';
    TRY(parquet_footers_new(env->m, env->spill, env->row_groups, &f->footers, err));
    f->files = (parquet_files){.self = f,
                               .open = open_file,
                               .done = file_done,
                               .file_bytes = env->file_bytes,
                               .file_groups = env->file_groups,
                               .footers = f->footers};
    return NRW_OK;
}

nrw_status folder_files_keep(folder_files *f, int64_t *rows, nrw_error *err)
{
    const file_maker *maker = f->env->maker;
    int64_t of_file = 0;
    nrw_status st = NRW_OK;

    *rows = 0;
    while (maker->kept && st == NRW_OK) {
        TRY(name_file(f, err));
        st = maker->kept(maker->self, (const char *)f->path.data, f->footers, &of_file, err);
        if (st != NRW_OK)
            break;
        *rows += of_file;
        f->number++;
        f->files.behind = true;
    }
    return st < 0 ? st : NRW_OK;
}

nrw_status folder_files_go_on(folder_files *f, nrw_error *err)
{
    const file_maker *maker = f->env->maker;
    nrw_status st;

    if (!f->files.behind || !maker->carried)
        return NRW_OK;
    f->number--;
    st = name_file(f, err);
    f->number++;
    return st == NRW_OK
               ? maker->carried(maker->self, (const char *)f->path.data, &f->files.carried, err)
               : st;
}

nrw_status folder_files_lacks(const folder_files *f, int64_t left, nrw_error *err)
{
    err_at_object(err, f->folder);
    err_next(err, "run it without --resume");
    return err_set(err, NRW_E_CORRUPT,
                   "its finished files have %lld rows more than came now; nothing was written",
                   (long long)left);
}

void folder_files_close(folder_files *f)
{
    if (!f->env)
        return;
    parquet_footers_free(f->footers);
    bytes_release(&f->path);
    mem_free(f->env->m, f->folder, f->folder_size);
    *f = (folder_files){0};
}

/* A number, for it is compared far more often than it is made. Two names with one number would end
 * in files that exist: an error, never a mixture. */
uint64_t folder_order(span folder)
{
    return hash_bytes(folder.data, folder.len);
}

/* ---- a dataset without keys ---- */

struct file_roll {
    files_env env;
    folder_files files;
    int64_t kept;
};

nrw_status file_roll_new(mem *m, spill *s, const file_maker *maker, const file_pattern *names,
                         uint64_t file_bytes, int64_t file_groups, bool row_groups, file_roll **out,
                         nrw_error *err)
{
    nrw_status st;
    void *p;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof **out, &p, err));
    file_roll *r = p;
    r->env = (files_env){.m = m,
                         .spill = s,
                         .maker = maker,
                         .names = names,
                         .file_bytes = file_bytes,
                         .file_groups = file_groups,
                         .row_groups = row_groups};
    pthread_mutex_init(&r->env.lock, NULL);
    st = folder_files_open(&r->files, &r->env, (span){0}, err);
    if (st == NRW_OK)
        st = folder_files_keep(&r->files, &r->kept, err);
    if (st == NRW_OK)
        st = folder_files_go_on(&r->files, err);
    if (st < 0)
        file_roll_close(r);
    else
        *out = r;
    return st;
}

int64_t file_roll_kept(const file_roll *r)
{
    return r->kept;
}

const parquet_files *file_roll_files(const file_roll *r)
{
    return &r->files.files;
}

const parquet_footers *file_roll_footers(const file_roll *r)
{
    return r->files.footers;
}

void file_roll_close(file_roll *r)
{
    if (!r)
        return;
    folder_files_close(&r->files);
    pthread_mutex_destroy(&r->env.lock);
    mem_free(r->env.m, r, sizeof *r);
}
