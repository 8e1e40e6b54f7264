/* Writes a dataset of small files, as a run would, for the tests that kill it and count its memory.
 *
 *     write_dataset DIR POLICY FILES FOLDERS TAG
 *
 * File i lies in folder "k=<i mod FOLDERS>" and holds its name and TAG. Prints "publish" before and
 * "done" behind publication. Exit: 0 done, 1 failed, 2 usage, 3 skipped. */
#include "io/dataset_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const policies[] = {"fail",   "replace", "replace-partitions",
                                       "append", "skip",    "overwrite-or-ignore"};

static nrw_status write_file(dataset_target *d, const char *name, const char *tag, nrw_error *err)
{
    target *t;
    nrw_status st = dataset_target_file(d, name, &t, err);

    for (int i = 0; i < 20 && st == NRW_OK; i++) {
        st = target_write(t, (span){(const uint8_t *)name, strlen(name)}, err);
        if (st == NRW_OK)
            st = target_write(t, (span){(const uint8_t *)tag, strlen(tag)}, err);
    }
    if (st == NRW_OK)
        st = target_publish(t, err);
    target_close(t);
    return st;
}

static nrw_status write_all(dataset_target *d, int files, int folders, const char *tag,
                            nrw_error *err)
{
    nrw_status st = NRW_OK;
    char folder[32], name[64];
    uint32_t first;

    for (int i = 0; i < files && st == NRW_OK; i++) {
        snprintf(folder, sizeof folder, "k=%d", i % folders);
        st = dataset_target_next(d, folder, &first, err);
        snprintf(name, sizeof name, "%s/part-%05u.parquet", folder,
                 first + (unsigned)(i / folders));
        if (st == NRW_OK)
            st = write_file(d, name, tag, err);
    }
    if (st < 0)
        return st;
    puts("publish");
    fflush(stdout);
    return dataset_target_publish(d, err);
}

static void tell(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "%s\n", line);
}

static int run(char **argv, mem *m)
{
    dataset_options o = {.number_prefix = "part-", .number_suffix = ".parquet", .tell = tell};
    nrw_error err = NRW_ERROR_INIT;
    dataset_target *d;
    char text[1600];
    nrw_status st;

    while (strcmp(policies[o.policy], argv[2]) != 0)
        if (++o.policy == sizeof policies / sizeof *policies)
            return 2;
    st = dataset_target_open(m, argv[1], &o, &d, &err);
    if (st == NRW_OK) {
        st = write_all(d, (int)strtol(argv[3], NULL, 10), (int)strtol(argv[4], NULL, 10), argv[5],
                       &err);
        dataset_target_close(d);
    }
    if (st == NRW_OK)
        puts("done");
    if (st >= 0)
        return st == NRW_END ? 3 : 0;
    nrw_error_print(&err, text, sizeof text);
    fprintf(stderr, "%s\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    mem *m;

    if (argc != 6 || (int)strtol(argv[4], NULL, 10) < 1 ||
        mem_root((uint64_t)1 << 20, &m, NULL) < 0)
        return 2;
    return run(argv, m);
}
