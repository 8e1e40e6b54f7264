/* A dataset that is there, a run that writes to it, and what comes of it by each policy. */
#ifndef DATASET_MADE_H
#define DATASET_MADE_H

#include "temp_folder.h"

#include "io/dataset_target.h"

#define OLD_TREE                                                                                   \
    "out/.note=hidden\nout/_SUCCESS=\nout/_metadata=old list\n"                                    \
    "out/dt=1/part-0.parquet=old 1\nout/dt=1/part-1.parquet=old 1b\n"                              \
    "out/dt=2/part-0.parquet=old 2\n"

static inline void old_dataset(temp_folder *f)
{
    temp_write(f, "out/.note", "hidden", 6);
    temp_write(f, "out/_SUCCESS", "", 0);
    temp_write(f, "out/_metadata", "old list", 8);
    temp_write(f, "out/dt=1/part-0.parquet", "old 1", 5);
    temp_write(f, "out/dt=1/part-1.parquet", "old 1b", 6);
    temp_write(f, "out/dt=2/part-0.parquet", "old 2", 5);
}

#define NEW_TREE                                                                                   \
    "out/_common_metadata=schema\nout/dt=1/part-0.parquet=new 1\nout/dt=3/part-0.parquet=new 3\n"
#define KEPT "out/.note=hidden\nout/_SUCCESS=\nout/_common_metadata=schema\n"

/* The old dataset after a run of write_dataset. */
static inline const char *result_of(int policy)
{
    switch (policy) {
    case DATASET_REPLACE: return NEW_TREE;
    case DATASET_REPLACE_PARTITIONS:
        return KEPT "out/dt=1/part-0.parquet=new 1\nout/dt=2/part-0.parquet=old 2\n"
                    "out/dt=3/part-0.parquet=new 3\n";
    case DATASET_APPEND:
        return KEPT "out/dt=1/part-0.parquet=old 1\nout/dt=1/part-1.parquet=old 1b\n"
                    "out/dt=1/part-2.parquet=new 1\nout/dt=2/part-0.parquet=old 2\n"
                    "out/dt=3/part-0.parquet=new 3\n";
    case DATASET_OVERWRITE_OR_IGNORE:
        return KEPT "out/dt=1/part-0.parquet=new 1\nout/dt=1/part-1.parquet=old 1b\n"
                    "out/dt=2/part-0.parquet=old 2\nout/dt=3/part-0.parquet=new 3\n";
    default: return OLD_TREE;
    }
}

static inline nrw_status put(dataset_target *d, const char *name, const char *text, nrw_error *err)
{
    target *t;
    nrw_status st = dataset_target_file(d, name, &t, err);

    if (st < 0)
        return st;
    st = target_write(t, (span){(const uint8_t *)text, strlen(text)}, err);
    if (st == NRW_OK)
        st = target_publish(t, err);
    target_close(t);
    return st;
}

static inline nrw_status put_numbered(dataset_target *d, const char *folder, const char *text,
                                      nrw_error *err)
{
    uint32_t number;
    char name[64];
    nrw_status st = dataset_target_next(d, folder, &number, err);

    snprintf(name, sizeof name, "%s/part-%u.parquet", folder, number);
    return st < 0 ? st : put(d, name, text, err);
}

static inline nrw_status put_all(dataset_target *d, nrw_error *err)
{
    nrw_status st = put_numbered(d, "dt=1", "new 1", err);

    if (st == NRW_OK)
        st = put_numbered(d, "dt=3", "new 3", err);
    if (st == NRW_OK)
        st = put(d, "_common_metadata", "schema", err);
    return st == NRW_OK ? dataset_target_publish(d, err) : st;
}

static inline void count_line(void *ctx, const char *line)
{
    char *last = ctx;

    if (last)
        snprintf(last, 256, "%s", line);
}

/* A whole run; `told` of 256 bytes gets the last line that was told, NULL is fine. */
static inline nrw_status write_dataset(mem *m, const char *path, int policy, char *told,
                                       nrw_error *err)
{
    const dataset_options o = {.policy = (dataset_policy)policy,
                               .number_prefix = "part-",
                               .number_suffix = ".parquet",
                               .tell = count_line,
                               .ctx = told};
    dataset_target *d;
    nrw_status st = dataset_target_open(m, path, &o, &d, err);

    if (st != NRW_OK)
        return st;
    st = put_all(d, err);
    dataset_target_close(d);
    return st;
}

typedef struct tree_text {
    char text[1 << 18];
    size_t len;
} tree_text;

static inline void tree_walk(tree_text *t, const char *base, const char *folder)
{
    char path[1024], below[512];
    struct dirent **names;
    int n;

    snprintf(path, sizeof path, "%s/%s", base, folder);
    n = scandir(path, &names, NULL, alphasort);
    assert_true(n >= 0);
    if (n == 2 && *folder)
        t->len += (size_t)snprintf(t->text + t->len, sizeof t->text - t->len, "%s/\n", folder);
    for (int i = 0; i < n; i++) {
        struct stat st;
        char content[64] = "";
        snprintf(below, sizeof below, "%s%s%s", folder, *folder ? "/" : "", names[i]->d_name);
        snprintf(path, sizeof path, "%s/%s", base, below);
        assert_int_equal(lstat(path, &st), 0);
        if (strcmp(names[i]->d_name, ".") == 0 || strcmp(names[i]->d_name, "..") == 0) {
            /* not below */
        } else if (S_ISDIR(st.st_mode)) {
            tree_walk(t, base, below);
        } else {
            int fd = open(path, O_RDONLY);
            assert_true(fd >= 0 && read(fd, content, sizeof content - 1) >= 0);
            close(fd);
            t->len += (size_t)snprintf(t->text + t->len, sizeof t->text - t->len, "%s=%s\n", below,
                                       content);
        }
        free(names[i]);
    }
    free(names);
}

/* All files below a folder with what they hold, and its empty folders, in order of their names;
 * static memory. */
static inline const char *tree(const char *path)
{
    static tree_text t;

    t.len = 0;
    t.text[0] = '\0';
    tree_walk(&t, path, "");
    return t.text;
}

#endif
