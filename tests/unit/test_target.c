#include "temp_folder.h"

#include "base/fault.h"
#include "base/hash.h"
#include "io/staging.h"
#include "io/target.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define MIB ((uint64_t)1 << 20)

static nrw_status write_text(mem *m, const char *path, on_exists policy, const char *text,
                             nrw_error *err)
{
    nrw_status st;
    target *t;

    st = target_open(m, path, policy, &t, err);
    if (st != NRW_OK)
        return st;
    st = target_write(t, (span){(const uint8_t *)text, strlen(text)}, err);
    if (st == NRW_OK)
        st = target_publish(t, err);
    target_close(t);
    return st;
}

static void nothing_before_publication(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    temp_folder f;
    target *t;

    (void)state;
    temp_folder_make(&f);
    assert_ok(target_open(m, temp_path(&f, "out"), EXISTS_FAIL, &t, &err), &err);
    assert_ok(target_write(t, SPAN("hello"), &err), &err);
    assert_int_equal(target_size(t), 6);
    assert_int_equal(temp_count(&f), 0);
    target_close(t);
    assert_int_equal(temp_count(&f), 0);
    assert_ok(write_text(m, temp_path(&f, "out"), EXISTS_FAIL, "hello", &err), &err);
    assert_int_equal(temp_count(&f), 1);
    assert_string_equal(temp_read(&f, "out"), "hello");
    target_close(NULL);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void policies(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    temp_folder f;
    char path[512], text[1200];
    struct stat st;

    (void)state;
    temp_folder_make(&f);
    snprintf(path, sizeof path, "%s", temp_path(&f, "out"));
    temp_write(&f, "out", "old", 3);
    chmod(path, 0640);
    assert_status(NRW_E_EXISTS, write_text(m, path, EXISTS_FAIL, "new", &err), &err);
    nrw_error_print(&err, text, sizeof text);
    assert_string_equal(text + strlen(path),
                        ": exists, nothing was written; --on-exists replace writes over it");
    assert_int_equal(write_text(m, path, EXISTS_SKIP, "new", NULL), NRW_END);
    assert_string_equal(temp_read(&f, "out"), "old");
    assert_ok(write_text(m, path, EXISTS_REPLACE, "new", &err), &err);
    assert_string_equal(temp_read(&f, "out"), "new");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_ok(write_text(m, temp_path(&f, "other"), EXISTS_REPLACE, "1", &err), &err);
    assert_ok(write_text(m, temp_path(&f, "third"), EXISTS_SKIP, "1", &err), &err);
    assert_int_equal(temp_count(&f), 3);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void rows_are_added(void **state)
{
    static uint8_t data[300000];
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    char path[512], got[8];
    temp_folder f;
    target *t, *other;

    (void)state;
    temp_folder_make(&f);
    snprintf(path, sizeof path, "%s", temp_path(&f, "out"));
    assert_ok(write_text(m, path, EXISTS_APPEND, "one,", &err), &err);
    assert_ok(write_text(m, path, EXISTS_APPEND, "two", &err), &err);
    assert_string_equal(temp_read(&f, "out"), "one,two");
    assert_int_equal(symlink("out", temp_path(&f, "link")), 0);
    assert_ok(target_open(m, temp_path(&f, "link"), EXISTS_APPEND, &t, &err), &err);
    assert_int_equal(target_began(t), 7);
    assert_int_equal(target_size(t), 7);
    assert_ok(target_read(t, 4, got, 3, &err), &err);
    assert_memory_equal(got, "two", 3);
    assert_status(NRW_E_IO, target_read(t, 4, got, 4, &err), &err);
    err = (nrw_error)NRW_ERROR_INIT;
    assert_status(NRW_E_IO, target_open(m, path, EXISTS_APPEND, &other, &err), &err);
    assert_string_equal(err.message, "another run is writing to it");
    assert_ok(target_write(t, SPAN(data), &err), &err);
    assert_string_equal(temp_read(&f, "out"), "one,two");
    assert_ok(target_publish(t, &err), &err);
    target_close(t);
    memset(data, 'x', sizeof data);
    temp_write(&f, "out", data, sizeof data);
    for (int how = 0; how < 3; how++) { /* by another program, meanwhile */
        err = (nrw_error)NRW_ERROR_INIT;
        assert_ok(target_open(m, path, EXISTS_APPEND, &t, &err), &err);
        assert_ok(target_write(t, SPAN("new"), &err), &err);
        if (how > 0)
            assert_int_equal(unlink(path), 0);
        if (how < 2) /* it is another size, another file, or away */
            temp_write(&f, "out", data, sizeof data - (how == 0));
        assert_status(NRW_E_CHANGED, target_publish(t, &err), &err);
        target_close(t);
        temp_write(&f, "out", data, sizeof data);
    }
    assert_int_equal(temp_count(&f), 2);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void links_stay(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    temp_folder f;
    struct stat st;

    (void)state;
    temp_folder_make(&f);
    temp_write(&f, "sub/real", "old", 3);
    assert_int_equal(symlink("sub/real", temp_path(&f, "link")), 0);
    assert_ok(write_text(m, temp_path(&f, "link"), EXISTS_REPLACE, "new", &err), &err);
    assert_string_equal(temp_read(&f, "sub/real"), "new");
    assert_int_equal(lstat(temp_path(&f, "link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(symlink("none", temp_path(&f, "dangling")), 0);
    assert_status(NRW_E_NOTFOUND,
                  write_text(m, temp_path(&f, "dangling"), EXISTS_REPLACE, "x", &err), &err);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void bad_targets(void **state)
{
    mem *m = test_mem_open(MIB);
    temp_folder f;

    (void)state;
    temp_folder_make(&f);
    temp_write(&f, "file", "x", 1);
    static const struct {
        const char *name;
        nrw_status st;
    } bad[] = {{"", NRW_E_ARG},
               {"none/out", NRW_E_NOTFOUND},
               {"none/", NRW_E_ARG},
               {"file/out", NRW_E_NOTFOUND}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nrw_error err = NRW_ERROR_INIT;
        assert_status(bad[i].st, write_text(m, temp_path(&f, bad[i].name), EXISTS_FAIL, "x", &err),
                      &err);
        assert_string_equal(err.object, temp_path(&f, bad[i].name));
    }
    assert_int_equal(write_text(m, ".", EXISTS_REPLACE, "x", NULL), NRW_E_ARG);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void long_content_in_all_sizes(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    static uint8_t data[20 << 20];
    size_t at = 0;
    temp_folder f;
    target *t;

    (void)state;
    temp_folder_make(&f);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(hash_u64(i / 8) >> (i % 8 * 8));
    assert_ok(target_open(m, temp_path(&f, "out"), EXISTS_FAIL, &t, &err), &err);
    for (size_t n = 1; at < sizeof data; n = n * 3 % 300007 + 1) {
        n = size_min(n, sizeof data - at);
        assert_ok(target_write(t, (span){data + at, n}, &err), &err);
        at += n;
        assert_int_equal(target_size(t), at);
    }
    assert_ok(target_publish(t, &err), &err);
    assert_true(target_write(t, SPAN("x"), &err) < 0); /* too late */
    target_close(t);
    int fd = open(temp_path(&f, "out"), O_RDONLY);
    uint8_t *back = malloc(sizeof data + 1);
    assert_int_equal(read(fd, back, sizeof data + 1), sizeof data);
    assert_memory_equal(back, data, sizeof data);
    close(fd);
    free(back);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void lists_of_pieces(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    static uint8_t data[4 << 20], back[sizeof data + 1];
    size_t at = 0;
    temp_folder f;
    target *t;

    (void)state;
    temp_folder_make(&f);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(hash_u64(i / 8) >> (i % 8 * 8));
    assert_ok(target_open(m, temp_path(&f, "out"), EXISTS_FAIL, &t, &err), &err);
    for (size_t n = 0, round = 0; at < sizeof data; round++) {
        span list[TARGET_PIECES];
        size_t count = round % (TARGET_PIECES + 1);
        for (size_t i = 0; i < count; i++, n = n * 3 % 50021 + (round + i) % 2) {
            list[i] = (span){data + at, size_min(n, sizeof data - at)};
            at += list[i].len;
        }
        assert_ok(target_write_list(t, list, count, &err), &err);
        assert_int_equal(target_size(t), at);
        if (round % 3 == 0 && at < sizeof data)
            assert_ok(target_write(t, (span){data + at++, 1}, &err), &err); /* gathered */
    }
    assert_ok(target_publish(t, &err), &err);
    assert_true(target_write_list(t, &(span){data, 1}, 1, &err) < 0); /* too late */
    target_close(t);
    int fd = open(temp_path(&f, "out"), O_RDONLY);
    assert_int_equal(read(fd, back, sizeof back), sizeof data);
    assert_memory_equal(back, data, sizeof data);
    close(fd);
    temp_folder_remove(&f);
    test_mem_close(m);
}

/* The kernel takes a part of the list and refuses the rest. */
static void a_list_is_cut_short(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    static const uint8_t data[100000];
    const span list[3] = {{data, 30000}, {data, 40000}, {data, sizeof data}};
    struct rlimit old, low;
    temp_folder f;
    target *t;

    (void)state;
    temp_folder_make(&f);
    assert_ok(target_open(m, temp_path(&f, "out"), EXISTS_FAIL, &t, &err), &err);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = (struct rlimit){50000, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    assert_status(NRW_E_IO, target_write_list(t, list, 3, &err), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(err.os_errno, EFBIG);
    assert_int_equal(target_size(t), 50000);
    assert_status(NRW_E_IO, target_publish(t, &err), &err);
    target_close(t);
    assert_int_equal(temp_count(&f), 0);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void spilled_blocks_are_appended(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(4 * MIB);
    static uint8_t data[300000], back[1000000];
    spill_block b[3];
    temp_folder f;
    target *t;
    spill *s;

    (void)state;
    temp_folder_make(&f);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i / 1000);
    assert_ok(spill_new(m, NULL, MIB, &s, &err), &err);
    assert_ok(spill_write(s, SPAN(data), false, &b[0], &err), &err);
    assert_ok(spill_write(s, SPAN(data), true, &b[1], &err), &err);
    assert_ok(spill_write(s, (span){data, 1000}, false, &b[2], &err), &err);
    assert_ok(target_open(m, temp_path(&f, "out"), EXISTS_FAIL, &t, &err), &err);
    assert_ok(target_write(t, SPAN("head"), &err), &err);
    for (int i = 0; i < 3; i++)
        assert_ok(target_append_spill(t, s, &b[i], &err), &err);
    assert_int_equal(target_size(t), 5 + 601000);
    assert_ok(target_publish(t, &err), &err);
    target_close(t);
    int fd = open(temp_path(&f, "out"), O_RDONLY);
    assert_int_equal(read(fd, back, sizeof back), 5 + 601000);
    close(fd);
    assert_memory_equal(back, "head", 5);
    assert_memory_equal(back + 5, data, sizeof data);
    assert_memory_equal(back + 5 + sizeof data, data, sizeof data);
    assert_memory_equal(back + 5 + 2 * sizeof data, data, 1000);
    /* a damaged block stops the file */
    assert_int_equal(pwrite(spill_fd(s), "!", 1, (off_t)b[2].offset + 500), 1);
    assert_ok(target_open(m, temp_path(&f, "second"), EXISTS_FAIL, &t, &err), &err);
    assert_status(NRW_E_IO, target_append_spill(t, s, &b[2], &err), &err);
    assert_status(NRW_E_IO, target_publish(t, &err), &err);
    target_close(t);
    assert_int_equal(temp_count(&f), 1);
    spill_close(s);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void of_two_runs_one_wins(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    temp_folder f;
    target *a, *b;

    (void)state;
    temp_folder_make(&f);
    assert_ok(target_open(m, temp_path(&f, "out"), EXISTS_FAIL, &a, &err), &err);
    assert_ok(target_open(m, temp_path(&f, "out"), EXISTS_FAIL, &b, &err), &err);
    assert_ok(target_write(a, SPAN("a"), &err), &err);
    assert_ok(target_write(b, SPAN("b"), &err), &err);
    assert_ok(target_publish(b, &err), &err);
    assert_status(NRW_E_EXISTS, target_publish(a, &err), &err);
    assert_string_equal(err.object, temp_path(&f, "out"));
    target_close(a);
    target_close(b);
    assert_string_equal(temp_read(&f, "out"), "b");
    assert_int_equal(temp_count(&f), 1);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void processes_race(void **state)
{
    temp_folder f;
    int won = 0, lost = 0;

    (void)state;
    temp_folder_make(&f);
    for (int i = 0; i < 8; i++)
        if (fork() == 0) {
            mem *m;
            nrw_status st = mem_root(MIB, &m, NULL);
            if (st == NRW_OK)
                st = write_text(m, temp_path(&f, "out"), EXISTS_FAIL, "one of them", NULL);
            _exit(st == NRW_OK ? 0 : st == NRW_E_EXISTS ? 1 : 2);
        }
    for (int i = 0, status; i < 8; i++) {
        wait(&status);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        won += WEXITSTATUS(status) == 0;
        lost += WEXITSTATUS(status) == 1;
    }
    assert_int_equal(won, 1);
    assert_int_equal(lost, 7);
    assert_int_equal(temp_count(&f), 1);
    temp_folder_remove(&f);
}

/* A run that is killed while it writes, over and over: the folder stays as it was. */
static void kills_leave_nothing(void **state)
{
    temp_folder f;

    (void)state;
    temp_folder_make(&f);
    temp_write(&f, "out", "old", 3);
    for (int i = 0; i < 40; i++) {
        pid_t child = fork();
        if (child == 0) {
            static const uint8_t data[100000];
            mem *m;
            target *t;
            if (mem_root(MIB, &m, NULL) < 0 ||
                target_open(m, temp_path(&f, "out"), EXISTS_REPLACE, &t, NULL) < 0)
                _exit(2);
            for (;;)
                if (target_write(t, SPAN(data), NULL) < 0 || target_size(t) > 64 * MIB)
                    pause();
        }
        usleep((useconds_t)(i * 150));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_string_equal(temp_read(&f, "out"), "old");
        assert_int_equal(temp_count(&f), 1);
    }
    temp_folder_remove(&f);
}

/* The same at publication: old or new, whole, and at most one name that the next run removes. */
static void kills_at_publication(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    temp_folder f;

    (void)state;
    temp_folder_make(&f);
    temp_write(&f, "out", "first", 5);
    for (int i = 0; i < 60; i++) {
        pid_t child = fork();
        if (child == 0) {
            mem *own;
            if (mem_root(MIB, &own, NULL) == NRW_OK)
                for (;;)
                    if (write_text(own, temp_path(&f, "out"), EXISTS_REPLACE, "other", NULL) < 0)
                        break;
            _exit(2);
        }
        usleep((useconds_t)(2000 + i * 137));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_int_equal(strlen(temp_read(&f, "out")), 5);
        assert_in_range(temp_count(&f), 1, 2);
    }
    assert_ok(write_text(m, temp_path(&f, "out"), EXISTS_REPLACE, "last", &err), &err);
    assert_int_equal(temp_count(&f), 1);
    assert_string_equal(temp_read(&f, "out"), "last");
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void leftovers_are_swept(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    char dead[80], alive[80], other[80];
    temp_folder f;
    int fd;

    (void)state;
    temp_folder_make(&f);
    snprintf(dead, sizeof dead, ".narrows-%016llx-00000001",
             (unsigned long long)hash_bytes("out", 3));
    snprintf(alive, sizeof alive, ".narrows-%016llx-00000002",
             (unsigned long long)hash_bytes("out", 3));
    snprintf(other, sizeof other, ".narrows-%016llx-00000001",
             (unsigned long long)hash_bytes("another", 7));
    temp_write(&f, dead, "x", 1);
    temp_write(&f, alive, "x", 1);
    temp_write(&f, other, "x", 1);
    fd = open(temp_path(&f, alive), O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_ok(write_text(m, temp_path(&f, "out"), EXISTS_FAIL, "new", &err), &err);
    assert_null(temp_read(&f, dead));
    assert_non_null(temp_read(&f, alive)); /* its owner lives */
    assert_non_null(temp_read(&f, other)); /* of another target */
    close(fd);
    temp_folder_remove(&f);
    test_mem_close(m);
}

/* As on file systems without unnamed files. */
static void staging_with_a_name(void **state)
{
    temp_folder f;
    char buffer[4096] __attribute__((aligned(8)));

    (void)state;
    temp_folder_make(&f);
    int folder = open(f.path, O_RDONLY | O_DIRECTORY);
    for (int replace = 0; replace < 2; replace++)
        for (int there = 0; there < 2; there++) {
            staging s = {.folder = folder, .target = "out"};
            unlink(temp_path(&f, "out"));
            assert_int_equal(staging_open_named(&s), 0);
            assert_int_equal(temp_count(&f), 1);
            staging_sweep(folder, "out", buffer, sizeof buffer);
            assert_int_equal(temp_count(&f), 1); /* it is locked */
            assert_int_equal(write(s.fd, "new", 3), 3);
            if (there)
                temp_write(&f, "out", "old", 3);
            assert_int_equal(staging_publish(&s, replace), there && !replace ? EEXIST : 0);
            staging_close(&s);
            assert_int_equal(temp_count(&f), 1);
            assert_string_equal(temp_read(&f, "out"), there && !replace ? "old" : "new");
        }
    close(folder);
    temp_folder_remove(&f);
}

static void streams(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    int ends[2], old;
    char text[20] = {0};
    target *t;

    (void)state;
    fflush(stdout);
    old = dup(1);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], 1);
    close(ends[1]);
    nrw_status st = write_text(m, "-", EXISTS_FAIL, "to a pipe", &err);
    dup2(old, 1);
    assert_ok(st, &err);
    assert_int_equal(read(ends[0], text, sizeof text), 9);
    assert_string_equal(text, "to a pipe");
    close(ends[0]);
    /* its reader goes away */
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], 1);
    close(ends[1]);
    close(ends[0]);
    st = target_open(m, "-", EXISTS_FAIL, &t, &err);
    dup2(old, 1);
    close(old);
    assert_ok(st, &err);
    assert_ok(target_write(t, SPAN("x"), &err), &err);
    assert_status(NRW_E_PIPE, target_publish(t, &err), &err);
    target_close(t);
    assert_ok(write_text(m, "/dev/null", EXISTS_FAIL, "x", &err), &err);
    nrw_error full = NRW_ERROR_INIT;
    assert_status(NRW_E_IO, write_text(m, "/dev/full", EXISTS_FAIL, "hello", &full), &full);
    assert_int_equal(full.os_errno, ENOSPC);
    test_mem_close(m);
}

#ifdef NARROWS_FAULTS
static void a_full_disk_is_told_in_bytes(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    static const uint8_t data[100000];
    temp_folder f;
    target *t;

    (void)state;
    temp_folder_make(&f);
    assert_ok(target_open(m, temp_path(&f, "out"), EXISTS_FAIL, &t, &err), &err);
    fault_arm(FAULT_NOSPACE, 1);
    assert_status(NRW_E_IO, target_write(t, SPAN(data), &err), &err);
    fault_arm(FAULT_NOSPACE, 0);
    assert_string_equal(err.message, "the disk is full, 100,000 bytes were to be written, "
                                     "100,000 are missing, the target is untouched");
    assert_status(NRW_E_IO, target_publish(t, &err), &err);
    target_close(t);
    assert_int_equal(temp_count(&f), 0);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void after_every_fault_old_or_new(void **state)
{
    mem *m = test_mem_open(MIB);
    temp_folder f;
    int failed = 0;

    (void)state;
    temp_folder_make(&f);
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        for (int policy = EXISTS_FAIL; policy <= EXISTS_REPLACE; policy++)
            for (uint64_t n = 1; n < 20; n++) {
                nrw_error err = NRW_ERROR_INIT;
                nrw_status st;
                unlink(temp_path(&f, "out"));
                if (policy == EXISTS_REPLACE)
                    temp_write(&f, "out", "old", 3);
                fault_arm((fault_kind)kind, n);
                st = write_text(m, temp_path(&f, "out"), (on_exists)policy, "new", &err);
                fault_arm((fault_kind)kind, 0);
                failed += st < 0;
                const char *text = temp_read(&f, "out");
                if (st == NRW_OK)
                    assert_string_equal(text, "new");
                else if (text)
                    assert_true(!strcmp(text, "old") || !strcmp(text, "new"));
                if (policy == EXISTS_REPLACE)
                    assert_non_null(text);
                assert_int_equal(temp_count(&f), text != NULL);
                assert_true(mem_used(m) == 0 || mem_used(m) == 64 << 10); /* a recycled block */
            }
    assert_true(failed > 30);
    temp_folder_remove(&f);
    test_mem_close(m);
}

static void after_every_fault_without_or_with(void **state)
{
    mem *m = test_mem_open(MIB);
    temp_folder f;
    int failed = 0;

    (void)state;
    temp_folder_make(&f);
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        for (uint64_t n = 1; n < 24; n++) {
            nrw_error err = NRW_ERROR_INIT;
            nrw_status st;
            unlink(temp_path(&f, "out"));
            temp_write(&f, "out", "old", 3);
            fault_arm((fault_kind)kind, n);
            st = write_text(m, temp_path(&f, "out"), EXISTS_APPEND, "+new", &err);
            fault_arm((fault_kind)kind, 0);
            failed += st < 0;
            const char *text = temp_read(&f, "out");
            assert_non_null(text);
            assert_true(!strcmp(text, "old+new") || (st < 0 && !strcmp(text, "old")));
            assert_int_equal(temp_count(&f), 1);
        }
    assert_true(failed > 10);
    temp_folder_remove(&f);
    test_mem_close(m);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_before_publication),
        cmocka_unit_test(policies),
        cmocka_unit_test(rows_are_added),
        cmocka_unit_test(links_stay),
        cmocka_unit_test(bad_targets),
        cmocka_unit_test(long_content_in_all_sizes),
        cmocka_unit_test(lists_of_pieces),
        cmocka_unit_test(a_list_is_cut_short),
        cmocka_unit_test(spilled_blocks_are_appended),
        cmocka_unit_test(of_two_runs_one_wins),
        cmocka_unit_test(processes_race),
        cmocka_unit_test(kills_leave_nothing),
        cmocka_unit_test(kills_at_publication),
        cmocka_unit_test(leftovers_are_swept),
        cmocka_unit_test(staging_with_a_name),
        cmocka_unit_test(streams),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(a_full_disk_is_told_in_bytes),
        cmocka_unit_test(after_every_fault_old_or_new),
        cmocka_unit_test(after_every_fault_without_or_with),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
