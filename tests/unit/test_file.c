#include "temp_folder.h"

#include "base/fault.h"
#include "io/file.h"
#include "io/sys.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static void reads_are_exact(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(1 << 20);
    temp_folder t;
    io_file *f;
    char text[16] = {0};

    (void)state;
    temp_folder_make(&t);
    temp_write(&t, "a", "0123456789", 10);
    assert_ok(file_open(m, temp_path(&t, "a"), NULL, &f, &err), &err);
    assert_int_equal(f->size, 10);
    assert_string_equal(f->name, temp_path(&t, "a"));
    assert_ok(file_read(f, 3, text, 4, &err), &err);
    assert_string_equal(text, "3456");
    assert_ok(file_read(f, 10, text, 0, &err), &err);
    assert_int_equal(f->bytes_read, 4);
    file_will_read(f, 0, UINT64_MAX);
    assert_ok(file_check(f, &err), &err);
    file_close(f);
    file_close(NULL);
    temp_folder_remove(&t);
    test_mem_close(m);
}

static void offsets_of_bad_data_are_refused(void **state)
{
    static const struct {
        uint64_t offset;
        size_t len;
    } bad[] = {{8, 3}, {11, 0}, {UINT64_MAX, 1}, {UINT64_MAX - 3, 8}, {0, SIZE_MAX}, {5, SIZE_MAX}};
    mem *m = test_mem_open(1 << 20);
    char text[16];
    io_file *f;

    (void)state;
    assert_int_equal(file_open_memory(m, "data", SPAN("0123456789"), &f, NULL), NRW_OK);
    f->size = 10;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nrw_error err = NRW_ERROR_INIT;
        assert_status(NRW_E_CORRUPT, file_read(f, bad[i].offset, text, bad[i].len, &err), &err);
        assert_string_equal(err.object, "data");
    }
    assert_int_equal(file_read(f, 2, text, 3, NULL), NRW_OK);
    assert_memory_equal(text, "234", 3);
    assert_int_equal(file_check(f, NULL), NRW_OK);
    file_close(f);
    test_mem_close(m);
}

static void what_cannot_be_opened(void **state)
{
    mem *m = test_mem_open(1 << 20);
    temp_folder t;
    io_file *f;

    (void)state;
    temp_folder_make(&t);
    nrw_error err = NRW_ERROR_INIT;
    assert_status(NRW_E_NOTFOUND, file_open(m, temp_path(&t, "none"), NULL, &f, &err), &err);
    assert_string_equal(err.object, temp_path(&t, "none"));
    assert_null(f);
    assert_status(NRW_E_ARG, file_open(m, t.path, NULL, &f, &err), &err);
    temp_folder_remove(&t);
    test_mem_close(m);
}

static void a_changed_file_is_noticed(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(1 << 20);
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    temp_folder t;
    char text[16];
    io_file *f;

    (void)state;
    temp_folder_make(&t);
    temp_write(&t, "a", "0123456789", 10);
    assert_ok(file_open(m, temp_path(&t, "a"), NULL, &f, &err), &err);
    assert_int_equal(utimensat(AT_FDCWD, temp_path(&t, "a"), times, 0), 0);
    assert_status(NRW_E_CHANGED, file_check(f, &err), &err);
    assert_int_equal(truncate(temp_path(&t, "a"), 5), 0);
    assert_status(NRW_E_CHANGED, file_check(f, &err), &err);
    assert_string_equal(err.message, "changed while it was read: 10 bytes then, 5 now");
    assert_status(NRW_E_CHANGED, file_read(f, 0, text, 10, &err), &err);
    file_close(f);
    temp_folder_remove(&t);
    test_mem_close(m);
}

static void pipes_are_spooled(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(1 << 20);
    int ends[2], old = dup(0);
    temp_folder t;
    io_file *f;
    char text[8];

    (void)state;
    temp_folder_make(&t);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "from a pipe", 11), 11);
    close(ends[1]);
    dup2(ends[0], 0);
    close(ends[0]);
    assert_ok(file_open(m, "-", t.path, &f, &err), &err);
    dup2(old, 0);
    close(old);
    assert_int_equal(f->size, 11);
    assert_int_equal(temp_count(&t), 0);
    assert_ok(file_read(f, 7, text, 4, &err), &err);
    assert_memory_equal(text, "pipe", 4);
    assert_ok(file_check(f, &err), &err);
    file_close(f);
    assert_status(NRW_E_IO, file_open(m, "/dev/zero", "/none", &f, &err), &err);
    assert_string_equal(err.object, "/none");
    temp_folder_remove(&t);
    test_mem_close(m);
}

static void redirected_files_are_not(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(4096); /* no room for a pipe's buffer */
    int old = dup(0), fd;
    temp_folder t;
    io_file *f;
    char text[3];

    (void)state;
    temp_folder_make(&t);
    temp_write(&t, "a", "abc", 3);
    fd = open(temp_path(&t, "a"), O_RDONLY);
    dup2(fd, 0);
    close(fd);
    assert_ok(file_open(m, "-", "/none", &f, &err), &err);
    dup2(old, 0);
    close(old);
    assert_ok(file_read(f, 0, text, 3, &err), &err);
    assert_memory_equal(text, "abc", 3);
    file_close(f);
    temp_folder_remove(&t);
    test_mem_close(m);
}

#ifdef NARROWS_FAULTS
static void every_fault_is_an_error(void **state)
{
    mem *m = test_mem_open(1 << 20);
    temp_folder t;
    int failed = 0;

    (void)state;
    temp_folder_make(&t);
    temp_write(&t, "a", "0123456789", 10);
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        for (uint64_t n = 1; n < 12; n++) {
            nrw_error err = NRW_ERROR_INIT;
            io_file *f;
            char text[10];
            nrw_status st;
            fault_arm((fault_kind)kind, n);
            st = file_open(m, temp_path(&t, "a"), NULL, &f, &err);
            if (st == NRW_OK)
                st = file_read(f, 0, text, 10, &err);
            fault_arm((fault_kind)kind, 0);
            failed += st < 0;
            if (st < 0)
                assert_true(err.message[0] != '\0');
            file_close(f);
            assert_int_equal(mem_used(m), 0);
        }
    assert_int_equal(failed, 2 + 3); /* two allocations; open, stat, read */
    temp_folder_remove(&t);
    test_mem_close(m);
}
#endif

/* Pages of a file that are in memory, as a mapping of it says. */
static bool mapped_pages_are_there(int fd, uint64_t offset, uint64_t len)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), first = (size_t)offset / page * page;
    const size_t bytes = (size_t)(offset + len) - first;
    unsigned char there[64];
    bool all = true;
    void *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, (off_t)first);

    assert_ptr_not_equal(at, MAP_FAILED);
    assert_true((bytes + page - 1) / page <= sizeof there);
    assert_int_equal(mincore(at, bytes, there), 0);
    for (size_t i = 0; i < (bytes + page - 1) / page; i++)
        all &= there[i] & 1;
    munmap(at, bytes);
    return all;
}

/* A file with a hole in the middle, that nobody has read. */
static void what_is_in_memory_is_known(void **state)
{
    enum { PAGES = 48, FIRST = 5, LAST = 3 };
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    temp_folder t;
    char *bytes = calloc(FIRST, page);
    int fd;

    (void)state;
    assert_non_null(bytes);
    temp_folder_make(&t);
    assert_int_equal(sys_open_at(AT_FDCWD, temp_path(&t, "a"), O_RDWR | O_CREAT, 0600, &fd), 0);
    assert_int_equal(ftruncate(fd, (off_t)(PAGES * page)), 0);
    assert_false(sys_is_cached(fd, 0, 0));
    assert_false(sys_is_cached(fd, 0, PAGES * page));
    assert_int_equal(pwrite(fd, bytes, FIRST * page, 0), FIRST * page);
    assert_int_equal(pwrite(fd, bytes, LAST * page, (off_t)((PAGES - LAST) * page)), LAST * page);
    if (sys_is_cached(fd, 0, 1)) /* else the system is too old to say */
        for (uint64_t from = 0; from < PAGES; from++)
            for (uint64_t n = 1; from + n <= PAGES; n++) {
                assert_int_equal(sys_is_cached(fd, from * page, n * page),
                                 mapped_pages_are_there(fd, from * page, n * page));
                assert_int_equal(sys_is_cached(fd, from * page + 7, n * page - 8),
                                 mapped_pages_are_there(fd, from * page + 7, n * page - 8));
            }
    sys_will_read(fd, 0, PAGES * page);
    sys_close(fd);
    free(bytes);
    temp_folder_remove(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_are_exact),
        cmocka_unit_test(offsets_of_bad_data_are_refused),
        cmocka_unit_test(what_cannot_be_opened),
        cmocka_unit_test(a_changed_file_is_noticed),
        cmocka_unit_test(pipes_are_spooled),
        cmocka_unit_test(redirected_files_are_not),
        cmocka_unit_test(what_is_in_memory_is_known),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(every_fault_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
