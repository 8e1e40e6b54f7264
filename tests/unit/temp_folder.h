/* A folder of a test's own, and small files in it. */
#ifndef TEMP_FOLDER_H
#define TEMP_FOLDER_H

#include "testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct temp_folder {
    char path[64];
} temp_folder;

static inline void temp_folder_make_in(temp_folder *t, const char *where)
{
    snprintf(t->path, sizeof t->path, "%s/narrows-test-XXXXXX", where);
    assert_non_null(mkdtemp(t->path));
}

static inline void temp_folder_make(temp_folder *t)
{
    temp_folder_make_in(t, "/tmp");
}

static inline int temp_remove(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    (void)st;
    (void)flag;
    (void)walk;
    return remove(path);
}

static inline void temp_folder_remove(temp_folder *t)
{
    assert_int_equal(nftw(t->path, temp_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The path of a name in the folder; static memory, good for seven more calls. */
static inline const char *temp_path(temp_folder *t, const char *name)
{
    static char texts[8][512];
    static unsigned given;
    char *text = texts[given++ % 8];

    snprintf(text, sizeof texts[0], "%s/%s", t->path, name);
    return text;
}

/* Folders of the name are made as well. */
static inline void temp_write(temp_folder *t, const char *name, const void *data, size_t len)
{
    char *path = (char *)(uintptr_t)temp_path(t, name);
    int fd;

    for (char *at = path + strlen(t->path) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(path, 0777);
        *at = '/';
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    close(fd);
}

/* The content as text; static memory. */
static inline const char *temp_read(temp_folder *t, const char *name)
{
    static char text[1 << 16];
    int fd = open(temp_path(t, name), O_RDONLY);
    ssize_t n;

    if (fd < 0)
        return NULL;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(n >= 0);
    text[n] = '\0';
    return text;
}

/* How many names lie in the folder itself. */
static inline int temp_count(temp_folder *t)
{
    DIR *d = opendir(t->path);
    int n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

#endif
