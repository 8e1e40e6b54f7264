/* Verification finds nothing in the sound files of other writers, and comes to an end in the
 * others. */
#include "format/parquet/verify.h"
#include "testing.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char corpus[2048];
static mem *account;
static int n_files, n_sound, n_wrong;
static pq_verify_counts sums;

/* Files whose own statements are wrong, though their rows can be read. */
static const char *const known[] = {
    "postcodes.plain.v2.parquet",       /* null counts of v2 page headers */
    "test-delta-binary-packed.parquet", /* sizes of the offset index leave headers out */
    "h2oai_group_small.parquet",        /* null counts */
    "out_of_range_stats.parquet",       /* least above greatest */
    "corrupt_stats.parquet",            /* bounds */
    "-checksum.parquet",                /* checksums; column indexes made without statistics */
    NULL,
};

static const char *find_corpus(void)
{
    const char *env = getenv("NARROWS_SHARED");
    const char *tries[] = {env, "../shared", "../../shared", "../../../shared"};
    struct stat st;
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        if (!tries[i])
            continue;
        snprintf(corpus, sizeof corpus, "%s/data/parquet-testing", tries[i]);
        if (stat(corpus, &st) == 0) {
            snprintf(corpus, sizeof corpus, "%s/data", tries[i]);
            return corpus;
        }
    }
    return NULL;
}

static nrw_status on_fault(void *self, const nrw_error *what, nrw_error *err)
{
    (void)err;
    assert_true(what->message[0] && what->object[0]);
    if (*(bool *)self) {
        char sentence[1200];
        nrw_error_print(what, sentence, sizeof sentence);
        print_message("%s\n", sentence);
    }
    return NRW_OK;
}

static bool readable(const char *json_path)
{
    char text[4096] = {0};
    FILE *f = fopen(json_path, "rb");
    if (!f)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    return strstr(text, "\"expect\": \"the rows below\"") != NULL;
}

static bool is_known(const char *path)
{
    for (size_t i = 0; known[i]; i++)
        if (strstr(path, known[i]))
            return true;
    return false;
}

static int visit(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    char file[2100];
    const char *mark = strstr(path, "/expected/");
    size_t len = strlen(path);
    if (kind != FTW_F || !mark || !strstr(path, "/parquet-") || len < 5 ||
        strcmp(path + len - 5, ".json") != 0)
        return 0;
    snprintf(file, sizeof file, "%.*s%.*s", (int)(mark - path), path,
             (int)(len - 5 - (size_t)(mark + 9 - path)), mark + 9);
    io_file *f = NULL;
    pq_meta *p = NULL;
    spill *s = NULL;
    nrw_error err = NRW_ERROR_INIT;
    bool sound = readable(path);
    bool loud = (sound && !is_known(file)) || getenv("NARROWS_VERBOSE");
    if (access(file, R_OK) != 0)
        return 0;
    assert_ok(file_open(account, file, NULL, &f, &err), &err);
    assert_ok(spill_new(account, NULL, 1 << 30, &s, &err), &err);
    if (pq_meta_open(account, f, NULL, &p, &err) >= 0) {
        pq_verify_counts c;
        nrw_status status = pq_verify(p, f, s, account, true, on_fault, &loud, &c, &err);
        assert_ok(status, &err);
        n_files++;
        n_sound += c.faults == 0;
        if (c.faults && sound && !is_known(file))
            n_wrong++;
        sums.pages += c.pages;
        sums.crcs += c.crcs;
        sums.values += c.values;
    }
    pq_meta_close(p);
    spill_close(s);
    file_close(f);
    mem_trim();
    assert_int_equal(mem_used(account), 0);
    return 0;
}

static void test_corpus(void **state)
{
    (void)state;
    if (!find_corpus()) {
        print_message("no corpus: set NARROWS_SHARED\n");
        skip();
    }
    account = test_mem_open(64 << 20);
    assert_int_equal(nftw(corpus, visit, 16, 0), 0);
    print_message("%d files open, %d without a fault; %lld pages, %lld checksums, %lld values\n",
                  n_files, n_sound, (long long)sums.pages, (long long)sums.crcs,
                  (long long)sums.values);
    assert_int_equal(n_wrong, 0);
    test_mem_close(account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
