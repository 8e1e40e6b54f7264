#include "dataset_made.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define MIB ((uint64_t)1 << 20)

static void a_new_dataset_comes_whole(void **state)
{
    const dataset_options o = {.policy = DATASET_FAIL};
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    dataset_target *d;
    temp_folder f;
    char path[512];

    (void)state;
    temp_folder_make(&f);
    snprintf(path, sizeof path, "%s", temp_path(&f, "a/b/out//"));
    for (int published = 0; published < 2; published++) {
        assert_ok(dataset_target_open(m, path, &o, &d, &err), &err);
        assert_ok(put(d, "dt=1/p.parquet", "one", &err), &err);
        assert_ok(put(d, "dt=2/x=3/p.parquet", "two", &err), &err);
        assert_int_equal(access(temp_path(&f, "a/b/out"), F_OK), -1);
        if (published)
            assert_ok(dataset_target_publish(d, &err), &err);
        assert_int_equal(dataset_target_files(d), 2);
        dataset_target_close(d);
        assert_string_equal(tree(f.path), published ? "a/b/out/dt=1/p.parquet=one\n"
                                                      "a/b/out/dt=2/x=3/p.parquet=two\n"
                                                    : "");
    }
    dataset_target_close(NULL);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void policies(void **state)
{
    (void)state;
    for (int policy = DATASET_FAIL; policy <= DATASET_OVERWRITE_OR_IGNORE; policy++) {
        nrw_error err = NRW_ERROR_INIT;
        mem *m = test_mem_open(MIB);
        temp_folder f;
        nrw_status st;
        temp_folder_make(&f);
        old_dataset(&f);
        st = write_dataset(m, temp_path(&f, "out"), policy, NULL, &err);
        assert_status(policy == DATASET_FAIL   ? NRW_E_EXISTS
                      : policy == DATASET_SKIP ? NRW_END
                                               : NRW_OK,
                      st, &err);
        assert_string_equal(tree(f.path), result_of(policy));
        /* an empty folder is no dataset */
        assert_int_equal(mkdir(temp_path(&f, "empty"), 0750), 0);
        assert_ok(write_dataset(m, temp_path(&f, "empty"), policy, NULL, &err), &err);
        assert_string_equal(temp_read(&f, "empty/dt=3/part-0.parquet"), "new 3");
        assert_int_equal(temp_count(&f), 2);
        temp_folder_remove(&f);
        test_mem_close(m);
    }
}

static void a_full_place_is_told(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    temp_folder f;
    char text[1200], path[512];

    (void)state;
    temp_folder_make(&f);
    old_dataset(&f);
    snprintf(path, sizeof path, "%s", temp_path(&f, "out"));
    assert_status(NRW_E_EXISTS, write_dataset(m, path, DATASET_FAIL, NULL, &err), &err);
    nrw_error_print(&err, text, sizeof text);
    assert_string_equal(text + strlen(path), ": exists, nothing was written; --on-exists append "
                                             "adds to it, replace writes over it");
    temp_folder_remove(&f);
    test_mem_close(m);
}

/* The new folder has the old one's permissions; a link to the dataset stays one. */
static void the_folder_keeps_its_looks(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    temp_folder f;
    struct stat st;

    (void)state;
    temp_folder_make(&f);
    old_dataset(&f);
    assert_int_equal(chmod(temp_path(&f, "out"), 02750), 0);
    assert_int_equal(mkdir(temp_path(&f, "links"), 0777), 0);
    assert_int_equal(symlink("../out", temp_path(&f, "links/to")), 0);
    assert_ok(write_dataset(m, temp_path(&f, "links/to"), DATASET_REPLACE, NULL, &err), &err);
    assert_int_equal(lstat(temp_path(&f, "links/to"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(temp_path(&f, "out"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 02750);
    assert_int_equal(unlink(temp_path(&f, "links/to")), 0);
    assert_string_equal(tree(f.path), "links/\n" NEW_TREE);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void bad_places(void **state)
{
    static const struct {
        const char *name;
        nrw_status st;
    } bad[] = {{"file", NRW_E_ARG},
               {"file/out", NRW_E_ARG},
               {"dangling", NRW_E_NOTFOUND},
               {"closed/file/out", NRW_E_ARG}};
    mem *m = test_mem_open(MIB);
    temp_folder f;

    (void)state;
    temp_folder_make(&f);
    temp_write(&f, "file", "x", 1);
    temp_write(&f, "closed/file", "x", 1);
    assert_int_equal(symlink("none", temp_path(&f, "dangling")), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nrw_error err = NRW_ERROR_INIT;
        const char *path = temp_path(&f, bad[i].name);
        assert_status(bad[i].st, write_dataset(m, path, DATASET_REPLACE, NULL, &err), &err);
        assert_string_equal(err.object, path);
    }
    assert_int_equal(write_dataset(m, "/", DATASET_REPLACE, NULL, NULL), NRW_E_ARG);
    assert_int_equal(write_dataset(m, "", DATASET_REPLACE, NULL, NULL), NRW_E_ARG);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void names_of_files(void **state)
{
    static const char *const bad[] = {"",     "/a",     "a//b", "a/",    ".",    "..",
                                      "../a", "a/../b", "./a",  "a/./b", "a/..", "dt=1/.."};
    const dataset_options o = {.policy = DATASET_FAIL};
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    dataset_target *d;
    char name[5000];
    temp_folder f;
    target *t;

    (void)state;
    temp_folder_make(&f);
    assert_ok(dataset_target_open(m, temp_path(&f, "out"), &o, &d, &err), &err);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nrw_error own = NRW_ERROR_INIT;
        assert_status(NRW_E_ARG, dataset_target_file(d, bad[i], &t, &own), &own);
        assert_null(t);
    }
    memset(name, 'x', sizeof name);
    for (size_t n = 4999; n > 200; n -= n > 300 ? 300 : 1) {
        name[n] = '\0';
        nrw_error own = NRW_ERROR_INIT;
        nrw_status st = dataset_target_file(d, name, &t, &own);
        assert_status(n > 255 ? NRW_E_ARG : NRW_OK, st, &own);
        if (n > 255 && n <= 4095)
            assert_non_null(strstr(own.message, "more than 255 bytes"));
        target_close(t);
    }
    /* a name that another file has as a folder, and the other way round */
    assert_ok(put(d, "a", "x", &err), &err);
    assert_true(put(d, "a/b", "x", NULL) < 0);
    assert_ok(put(d, "c/d", "x", &err), &err);
    assert_true(put(d, "c", "x", NULL) < 0);
    assert_status(NRW_E_EXISTS, put(d, "a", "y", &err), &err);
    dataset_target_close(d);
    assert_string_equal(tree(f.path), "");
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void numbers_count_on(void **state)
{
    static const char *const there[] = {"part-00000.parquet", "part-00011.parquet",
                                        "part-7.parquet",     "part-.parquet",
                                        "part-1x.parquet",    "other-99.parquet",
                                        "part-50.csv",        "part-99999999999999999999.parquet",
                                        "sub/part-80.parquet"};
    dataset_options o = {
        .policy = DATASET_APPEND, .number_prefix = "part-", .number_suffix = ".parquet"};
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    dataset_target *d;
    uint32_t number;
    temp_folder f;
    char name[64];

    (void)state;
    temp_folder_make(&f);
    for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
        snprintf(name, sizeof name, "out/%s", there[i]);
        temp_write(&f, name, "x", 1);
    }
    assert_ok(dataset_target_open(m, temp_path(&f, "out"), &o, &d, &err), &err);
    assert_ok(dataset_target_next(d, "", &number, &err), &err);
    assert_int_equal(number, 12);
    assert_ok(dataset_target_next(d, "sub", &number, &err), &err);
    assert_int_equal(number, 81);
    assert_ok(dataset_target_next(d, "none/at/all", &number, &err), &err);
    assert_int_equal(number, 0);
    /* a name that is taken is told before anything is published */
    assert_ok(put(d, "sub/part-81.parquet", "y", &err), &err);
    assert_ok(put(d, "part-7.parquet", "y", &err), &err);
    assert_status(NRW_E_EXISTS, dataset_target_publish(d, &err), &err);
    assert_non_null(strstr(err.message, "part-7.parquet already"));
    dataset_target_close(d);
    assert_string_equal(temp_read(&f, "out/part-7.parquet"), "x");
    assert_null(temp_read(&f, "out/sub/part-81.parquet"));
    temp_write(&f, "out/part-4294967295.parquet", "x", 1);
    assert_ok(dataset_target_open(m, temp_path(&f, "out"), &o, &d, &err), &err);
    nrw_error full = NRW_ERROR_INIT;
    assert_status(NRW_E_UNSUPPORTED, dataset_target_next(d, "", &number, &full), &full);
    dataset_target_close(d);
    assert_int_equal(temp_count(&f), 1);
    temp_folder_remove(&f);
    test_mem_close(m);
}

/* A file where a folder is to be, a folder where a file is to be: told, nothing is done. */
static void clashes_with_what_is_there(void **state)
{
    static const char *const names[] = {"dt=1", "dt=2/part-0.parquet/x"};
    mem *m = test_mem_open(MIB);
    temp_folder f;

    (void)state;
    temp_folder_make(&f);
    old_dataset(&f);
    for (size_t i = 0; i < 2; i++)
        for (int policy = DATASET_REPLACE_PARTITIONS; policy <= DATASET_OVERWRITE_OR_IGNORE;
             policy++) {
            const dataset_options o = {.policy = (dataset_policy)policy};
            nrw_error err = NRW_ERROR_INIT;
            dataset_target *d;
            if (policy == DATASET_SKIP)
                continue;
            assert_ok(dataset_target_open(m, temp_path(&f, "out"), &o, &d, &err), &err);
            assert_ok(put(d, "dt=0/a", "x", &err), &err);
            assert_ok(put(d, names[i], "x", &err), &err);
            assert_true(dataset_target_publish(d, &err) < 0);
            dataset_target_close(d);
            assert_string_equal(tree(f.path), OLD_TREE);
        }
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void unfinished_files_do_not_count(void **state)
{
    const dataset_options o = {.policy = DATASET_FAIL};
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    dataset_target *d;
    temp_folder f;
    target *t;

    (void)state;
    temp_folder_make(&f);
    assert_ok(dataset_target_open(m, temp_path(&f, "out"), &o, &d, &err), &err);
    assert_ok(dataset_target_file(d, "x/a", &t, &err), &err);
    assert_ok(target_write(t, SPAN("gone"), &err), &err);
    assert_int_equal(target_size(t), 5);
    assert_status(NRW_E_ARG, dataset_target_publish(d, &err), &err);
    target_close(t);
    assert_ok(put(d, "b", "stays", &err), &err);
    assert_ok(dataset_target_publish(d, &err), &err);
    assert_status(NRW_E_ARG, dataset_target_publish(d, &err), &err);
    assert_int_equal(dataset_target_files(d), 1);
    dataset_target_close(d);
    assert_string_equal(tree(f.path), "out/b=stays\nout/x/\n");
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void what_appears_meanwhile(void **state)
{
    mem *m = test_mem_open(MIB);
    temp_folder f;

    (void)state;
    for (int policy = DATASET_FAIL; policy <= DATASET_OVERWRITE_OR_IGNORE; policy++) {
        const dataset_options o = {.policy = (dataset_policy)policy};
        nrw_error err = NRW_ERROR_INIT;
        dataset_target *d;
        nrw_status st;
        temp_folder_make(&f);
        assert_ok(dataset_target_open(m, temp_path(&f, "out"), &o, &d, &err), &err);
        assert_ok(put(d, "a", "mine", &err), &err);
        temp_write(&f, "out/b", "foreign", 7);
        st = dataset_target_publish(d, &err);
        dataset_target_close(d);
        if (policy == DATASET_FAIL || policy == DATASET_SKIP) {
            assert_status(policy == DATASET_SKIP ? NRW_END : NRW_E_EXISTS, st, &err);
            assert_string_equal(tree(f.path), "out/b=foreign\n");
        } else if (policy == DATASET_REPLACE || policy == DATASET_REPLACE_PARTITIONS) {
            assert_ok(st, &err);
            assert_string_equal(tree(f.path), "out/a=mine\n");
        } else {
            assert_ok(st, &err);
            assert_string_equal(tree(f.path), "out/a=mine\nout/b=foreign\n");
        }
        temp_folder_remove(&f);
    }
    test_mem_close(m);
}

/* Runs are refused while the first lives, and with them recover; its process id is told. */
static void one_run_at_a_time(void **state)
{
    const dataset_options o = {.policy = DATASET_APPEND};
    nrw_error err = NRW_ERROR_INIT, none = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    dataset_target *d, *second;
    temp_folder f;
    char says[64], byte;
    int ready[2];

    (void)state;
    temp_folder_make(&f);
    old_dataset(&f);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        mem *own;
        dataset_target *theirs;
        if (mem_root(MIB, &own, NULL) < 0 ||
            dataset_target_open(own, temp_path(&f, "out"), &o, &theirs, NULL) < 0 ||
            write(ready[1], "x", 1) != 1)
            _exit(2);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    snprintf(says, sizeof says, "another run is writing to it (process %d)", (int)child);
    assert_status(NRW_E_IO, dataset_target_open(m, temp_path(&f, "out"), &o, &second, &err), &err);
    assert_string_equal(err.message, says);
    assert_null(second);
    assert_status(NRW_E_IO, dataset_recover(m, temp_path(&f, "out"), NULL, NULL, &none), &none);
    assert_string_equal(none.message, says);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    /* in one process as well */
    assert_ok(dataset_target_open(m, temp_path(&f, "out"), &o, &d, &none), &none);
    assert_status(NRW_E_IO, dataset_target_open(m, temp_path(&f, "out"), &o, &second, &err), &err);
    dataset_target_close(d);
    assert_string_equal(tree(f.path), OLD_TREE);
    close(ready[0]);
    close(ready[1]);
    temp_folder_remove(&f);
    test_mem_close(m);
}

typedef struct writer {
    dataset_target *d;
    int number;
    nrw_status st;
} writer;

static void *write_many(void *arg)
{
    writer *w = arg;
    char name[64];

    for (int i = 0; i < 200 && w->st == NRW_OK; i++) {
        snprintf(name, sizeof name, "k=%d/x=%d/%d.parquet", i % 7, w->number, i);
        w->st = put(w->d, name, name, NULL);
    }
    return NULL;
}

static void any_thread(void **state)
{
    const dataset_options o = {.policy = DATASET_FAIL};
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(4 * MIB);
    pthread_t threads[4];
    writer writers[4];
    dataset_target *d;
    temp_folder f;
    char name[64];

    (void)state;
    temp_folder_make(&f);
    assert_ok(dataset_target_open(m, temp_path(&f, "out"), &o, &d, &err), &err);
    for (int i = 0; i < 4; i++) {
        writers[i] = (writer){d, i, NRW_OK};
        pthread_create(&threads[i], NULL, write_many, &writers[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(writers[i].st, NRW_OK);
    }
    assert_ok(dataset_target_publish(d, &err), &err);
    assert_int_equal(dataset_target_files(d), 800);
    dataset_target_close(d);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "out/k=%d/x=%d/%d.parquet", i % 7, i % 4, i);
        assert_string_equal(temp_read(&f, name), name + 4);
    }
    temp_folder_remove(&f);
    test_mem_close(m);
}

/* Books and descriptors are those of one file, whatever the number of files; the folders that are
 * replaced are many, and more than the table of those already looked at. */
static void memory_of_one_file(void **state)
{
    dataset_options o = {.policy = DATASET_FAIL};
    nrw_error err = NRW_ERROR_INIT;
    dataset_target *d;
    uint64_t peaks[2];
    temp_folder f;
    char name[64];

    (void)state;
    temp_folder_make(&f);
    for (int run = 0; run < 2; run++) {
        mem *m = test_mem_open(MIB);
        o.policy = run ? DATASET_REPLACE_PARTITIONS : DATASET_FAIL;
        assert_ok(dataset_target_open(m, temp_path(&f, "out"), &o, &d, &err), &err);
        for (int i = 0; i < 3000; i++) {
            snprintf(name, sizeof name, "k=%d/%s-%d.parquet", i % 1500, run ? "new" : "old", i);
            assert_ok(put(d, name, "x", &err), &err);
        }
        assert_ok(dataset_target_publish(d, &err), &err);
        assert_int_equal(dataset_target_dropped(d), run ? 3000 : 0);
        dataset_target_close(d);
        peaks[run] = mem_peak(m);
        test_mem_close(m);
    }
    assert_true(peaks[0] < 160 << 10 && peaks[1] < 256 << 10);
    const char *left = tree(f.path);
    assert_null(strstr(left, "old"));
    temp_folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_dataset_comes_whole),
        cmocka_unit_test(policies),
        cmocka_unit_test(a_full_place_is_told),
        cmocka_unit_test(the_folder_keeps_its_looks),
        cmocka_unit_test(bad_places),
        cmocka_unit_test(names_of_files),
        cmocka_unit_test(numbers_count_on),
        cmocka_unit_test(clashes_with_what_is_there),
        cmocka_unit_test(unfinished_files_do_not_count),
        cmocka_unit_test(what_appears_meanwhile),
        cmocka_unit_test(one_run_at_a_time),
        cmocka_unit_test(any_thread),
        cmocka_unit_test(memory_of_one_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
