/* The files of other writers: every readable one opens with the counts that were noted for it, and
 * no damaged one does harm. The corpus lies in $NARROWS_SHARED, or beside the source tree. */
#include "format/parquet/inspect.h"
#include "format/parquet/meta.h"
#include "testing.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char corpus[2048];
static mem *account;
static int n_files, n_opened, n_refused, n_failed;

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

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    char *text = calloc(1, 1 << 16); /* what is looked for stands at the beginning */
    assert_non_null(text);
    size_t n = fread(text, 1, (1 << 16) - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

static int64_t number_in(const char *json, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *p = strstr(json, key);
    return p ? strtoll(p + strlen(key), NULL, 10) : -1;
}

static void look_at_chunk(pq_meta *p, int32_t rg, uint32_t leaf, arena *a, const pq_chunk *c)
{
    nrw_error err = NRW_ERROR_INIT;
    pq_row_group g;
    char text[256];
    const pq_leaf *l = pq_meta_leaf(p, leaf);
    assert_ok(pq_meta_row_group(p, rg, &g, &err), &err);
    assert_true(c->start >= 4 && c->end >= c->start);
    if (c->stats.has_min)
        pq_value_print(l, c->stats.min, text, sizeof text);
    if (c->stats.has_min && c->stats.has_max)
        pq_value_compare(l, c->stats.min, c->stats.max);
    uint32_t n;
    pq_page_place *places;
    pq_column_index index;
    (void)pq_offset_index(p, c, g.rows, a, &n, &places, &err);
    (void)pq_column_index_read(p, c, a, &index, &err);
}

static nrw_status look_at_group(pq_meta *p, int32_t rg, nrw_error *err)
{
    uint32_t n = pq_meta_leaves(p);
    arena *a;
    nrw_error none = NRW_ERROR_INIT;
    assert_ok(arena_new(account, &a, &none), &none);
    uint32_t *leaves = calloc(n + 1, sizeof *leaves);
    pq_chunk *all = calloc(n + 1, sizeof *all);
    assert_true(leaves && all);
    for (uint32_t i = 0; i < n; i++)
        leaves[i] = i;
    nrw_status st = pq_meta_chunks(p, rg, leaves, n, a, all, err);
    for (uint32_t i = n; st >= 0 && i-- > 0;) {
        pq_chunk one;
        st = pq_meta_chunk(p, rg, i, a, &one, err);
        if (st < 0)
            break;
        assert_int_equal(one.start, all[i].start);
        assert_int_equal(one.end, all[i].end);
        assert_int_equal(one.n_values, all[i].n_values);
        look_at_chunk(p, rg, i, a, &one);
    }
    uint32_t n_sorting;
    pq_sorting *sorting;
    (void)pq_meta_sorting(p, rg, a, &n_sorting, &sorting, &none);
    free(leaves);
    free(all);
    arena_free(a);
    return st;
}

static nrw_status add_rows(void *self, const pq_group_info *g, nrw_error *err)
{
    (void)err;
    *(int64_t *)self += g->rows;
    return NRW_OK;
}

static nrw_status add_values(void *self, const pq_column_info *c, nrw_error *err)
{
    char text[100];
    (void)err;
    if (c->has_min)
        pq_value_print(c->column, c->min, text, sizeof text);
    *(int64_t *)self += c->values;
    return NRW_OK;
}

static nrw_status add_page(void *self, const pq_page_info *i, nrw_error *err)
{
    (void)err;
    if (i->ordinal >= 0)
        *(int64_t *)self += i->page.n_values;
    return NRW_OK;
}

static nrw_status inspect(pq_meta *p, nrw_error *err)
{
    int64_t rows = 0, values = 0, page_values = 0;
    pq_file_info info;
    nrw_status st = pq_inspect_file(p, account, &info, err);
    if (st >= 0)
        st = pq_inspect_groups(p, account, add_rows, &rows, err);
    if (st >= 0)
        st = pq_inspect_columns(p, account, add_values, &values, err);
    if (st >= 0)
        st = pq_inspect_pages(p, account, add_page, &page_values, err);
    if (st < 0)
        return st;
    assert_int_equal(rows, pq_meta_rows(p));
    assert_int_equal(info.rows, rows);
    assert_int_equal(values, page_values);
    return NRW_OK;
}

/* Opens and looks at everything; the first failure. */
static nrw_status look_at(const char *path, const char *json, nrw_error *err)
{
    io_file *f = NULL;
    pq_meta *p = NULL;
    nrw_status st = file_open(account, path, NULL, &f, err);
    if (st >= 0)
        st = pq_meta_open(account, f, NULL, &p, err);
    if (st >= 0 && json && strstr(json, "\"row_groups\": ")) {
        int64_t rows = number_in(strstr(json, "\"meta\""), "rows");
        if (rows > 0 || pq_meta_row_groups(p) == 0) /* 0: what an old writer left there */
            assert_int_equal(pq_meta_rows(p), rows);
        assert_int_equal(pq_meta_row_groups(p), number_in(json, "row_groups"));
        if (number_in(json, "leaf_columns") >= 0)
            assert_int_equal(pq_meta_leaves(p), number_in(json, "leaf_columns"));
    }
    if (st >= 0) {
        bytes text = bytes_init(account, 1 << 24);
        arena *a;
        nrw_error none = NRW_ERROR_INIT;
        uint32_t n;
        pq_key_value *kv;
        assert_ok(pq_meta_schema_text(p, &text, &none), &none);
        assert_ok(arena_new(account, &a, &none), &none);
        (void)pq_meta_key_values(p, a, &n, &kv, &none);
        if (pq_meta_is_flat(p)) /* a column a leaf */
            assert_int_equal(pq_meta_schema(p)->n_fields, pq_meta_leaves(p));
        arena_free(a);
        bytes_release(&text);
    }
    for (int32_t rg = 0; st >= 0 && rg < pq_meta_row_groups(p); rg++)
        st = look_at_group(p, rg, err);
    if (st >= 0)
        st = inspect(p, err);
    pq_meta_close(p);
    file_close(f);
    mem_trim();
    assert_int_equal(mem_used(account), 0);
    return st;
}

/* DIR/expected/REST.json speaks of DIR/REST. */
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
    if (access(file, R_OK) != 0)
        return 0;
    char *json = read_text(path);
    assert_non_null(json);
    bool must_open = strstr(json, "\"expect\": \"the rows below\"") != NULL;
    nrw_error err = NRW_ERROR_INIT;
    nrw_status status = look_at(file, must_open ? json : NULL, &err);
    free(json);
    n_files++;
    char sentence[1200];
    nrw_error_print(&err, sentence, sizeof sentence);
    if (status >= 0) {
        n_opened++;
        return 0;
    }
    n_refused++;
    if (getenv("NARROWS_VERBOSE"))
        print_message("%s\n", sentence);
    if (must_open) {
        print_error("%s: %s\n", file, sentence);
        n_failed++;
    }
    assert_true(err.message[0] && err.object[0]);
    return 0;
}

static void test_corpus(void **state)
{
    (void)state;
    if (!find_corpus()) {
        print_message("no corpus: set NARROWS_SHARED\n");
        skip();
    }
    account = test_mem_open(256 << 20);
    assert_int_equal(nftw(corpus, visit, 16, 0), 0);
    print_message("%d files, %d open, %d refused\n", n_files, n_opened, n_refused);
    assert_true(n_files > 0);
    assert_int_equal(n_failed, 0);
    test_mem_close(account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
