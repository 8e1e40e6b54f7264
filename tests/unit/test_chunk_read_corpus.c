/* Column chunks of the files of other writers: all rows come, and they are the same however they
 * are asked for: whole, in pieces, by selection, parked in between, out of memory or out of spill
 * regions. The corpus lies in $NARROWS_SHARED, or beside the source tree. */
#include "format/parquet/chunk_priv.h"
#include "testing.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char corpus[2048];
static mem *account;
static spill *disk;
static int n_files, n_chunks, n_damaged, n_failed;
static int64_t n_rows;
static uint64_t seed = 1;
static bool no_crc, int96_us;

static uint32_t random_below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return n ? (uint32_t)((seed >> 11) % n) : 0;
}

static const char *find_corpus(void)
{
    const char *env = getenv("NARROWS_SHARED");
    const char *tries[] = {env, "../shared", "../../shared", "../../../shared"};
    struct stat st;
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        if (!tries[i])
            continue;
        snprintf(corpus, sizeof corpus, "%s/data", tries[i]);
        if (stat(corpus, &st) == 0)
            return corpus;
    }
    return NULL;
}

static uint64_t hash_value(const vector *v, uint32_t row)
{
    bool null;
    span s = vector_value(v, row, &null);
    uint64_t h = 0xcbf29ce484222325u;
    if (null)
        return 7;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ s.data[i]) * 0x100000001b3u;
    return h ^ s.len << 56;
}

typedef enum way { WHOLE, PIECES, CHOSEN, PARKED, SPILLED, TIGHT, WAYS } way;

typedef struct chunk_place {
    io_file *f;
    pq_meta *meta;
    const pq_leaf *leaf;
    const pq_chunk *chunk;
    int32_t group;
    int64_t rows;
} chunk_place;

static void check_vector(const vector *v, const char *what)
{
    nrw_error err = NRW_ERROR_INIT;
    if (vector_validate(v, &err) != NRW_OK)
        fail_msg("%s: %s", what, err.message);
}

/* Reads rows by rising selections; the rest of `seen` stays 0. */
static nrw_status read_chosen(pq_chunk_reader *r, int64_t rows, uint64_t *seen, uint8_t *asked,
                              nrw_error *err)
{
    static uint16_t sel[65536];
    for (int64_t row = 0; row < rows;) {
        uint32_t reach = 1 + random_below(random_below(2) ? 60000 : 300), n = 0, at = 0;
        uint32_t step = 1 + random_below(random_below(2) ? 3 : 400), base = random_below(100);
        uint32_t keep = random_below(4) == 0 ? 40 : 0;
        if (reach > rows - row)
            reach = (uint32_t)(rows - row);
        for (uint32_t i = random_below(reach); i < reach; i += 1 + random_below(step))
            for (uint32_t k = 0; k <= keep && i < reach; k++, i++)
                sel[n++] = (uint16_t)(i + base);
        while (at < n) {
            vector v;
            nrw_status st = pq_chunk_read(r, row + sel[at] - base, n - at, 1u << random_below(22),
                                          sel + at, n - at, sel[at], account, &v, err);
            if (st < 0)
                return st;
            check_vector(&v, r->leaf->path);
            assert_true(v.len >= 1 && v.len <= n - at);
            for (uint32_t i = 0; i < v.len; i++) {
                int64_t k = row + sel[at + i] - base;
                seen[k] = hash_value(&v, i);
                asked[k] = 1;
            }
            at += v.len;
            vector_release(&v);
        }
        row += reach;
    }
    return NRW_OK;
}

static nrw_status read_all(pq_chunk_reader *r, way how, int64_t rows, uint64_t *seen,
                           nrw_error *err)
{
    for (int64_t row = 0; row < rows;) {
        vector v;
        uint32_t most = how == WHOLE ? 65536 : 1 + random_below(random_below(2) ? 20 : 9000);
        size_t bytes = how == WHOLE ? SIZE_MAX : 1u << random_below(24);
        nrw_status st = pq_chunk_read(r, row, most, bytes, NULL, 0, 0, account, &v, err);
        if (st < 0)
            return st;
        check_vector(&v, r->leaf->path);
        assert_true(v.len >= 1 && v.len <= most);
        for (uint32_t i = 0; i < v.len; i++)
            seen[row + i] = hash_value(&v, i);
        row += v.len;
        vector_release(&v);
        if (how == PARKED && random_below(3) == 0)
            pq_chunk_park(r);
    }
    return NRW_OK;
}

static nrw_status read_one(const chunk_place *c, way how, uint64_t *seen, uint8_t *asked,
                           nrw_error *err)
{
    pq_chunk_options o = {.verify_crc = !no_crc, .read_ahead = 1u << (12 + random_below(9))};
    pq_chunk_reader *r = NULL;
    mem *m = account;
    const codec *z = codec_by_id(c->chunk->codec);
    nrw_status st;
    if (how == TIGHT) {
        uint64_t least = pq_chunk_least() + (z ? z->decode_mem(1 << 20) : 0);
        assert_ok(mem_child(account, "least", least, &m, err), err);
    }
    o.meta = random_below(2) ? c->meta : NULL;
    o.ahead = how == PARKED && random_below(2);
    st = pq_chunk_open(m, disk, c->f, c->leaf, c->chunk, c->group, c->rows, &o, &r, err);
    if (st < 0)
        goto out;
    if (how == SPILLED || (how < SPILLED && how != WHOLE && random_below(3) == 0))
        r->pages.headroom = (size_t)1 << 40; /* as if there were no room for anything */
    if (how == CHOSEN)
        st = read_chosen(r, c->rows, seen, asked, err);
    else
        st = read_all(r, how, c->rows, seen, err);
    pq_chunk_close(r);
out:
    if (m != account)
        mem_free_account(m);
    return st;
}

static nrw_status look_at_chunk(const chunk_place *c, nrw_error *err)
{
    size_t n = (size_t)c->rows + 1;
    uint64_t *first = calloc(n, sizeof *first), *seen = calloc(n, sizeof *seen);
    uint8_t *asked = calloc(n, 1);
    assert_true(first && seen && asked);
    nrw_status st = read_one(c, WHOLE, first, asked, err);
    for (int how = PIECES; how < WAYS; how++) {
        nrw_error other = NRW_ERROR_INIT;
        memset(seen, 0, n * sizeof *seen);
        memset(asked, how != CHOSEN, n);
        nrw_status again = read_one(c, (way)how, seen, asked, &other);
        if (how != CHOSEN && again != st) /* a selection may pass by what is damaged */
            fail_msg("%s: way %d: %s; at first: %s", c->leaf->path, how, other.message,
                     err->message);
        for (int64_t i = 0; st >= 0 && again >= 0 && i < c->rows; i++)
            if (asked[i] && seen[i] != first[i])
                fail_msg("%s %s: way %d: row %lld differs", c->f->name, c->leaf->path, how,
                         (long long)i);
    }
    free(first);
    free(seen);
    free(asked);
    n_chunks++;
    n_rows += c->rows;
    return st;
}

static nrw_status look_at_group(io_file *f, pq_meta *p, int32_t rg, nrw_error *err)
{
    nrw_status st = NRW_OK;
    pq_row_group g;
    arena *a;
    assert_ok(arena_new(account, &a, err), err);
    st = pq_meta_row_group(p, rg, &g, err);
    for (uint32_t i = 0; st >= 0 && i < pq_meta_leaves(p); i++) {
        const pq_leaf *leaf = pq_meta_leaf(p, i);
        pq_chunk c;
        if (leaf->max_rep || leaf->max_def > 1 || strchr(leaf->path, '.'))
            continue;
        st = pq_meta_chunk(p, rg, i, a, &c, err);
        if (st < 0 || g.rows > 2000000)
            break;
        chunk_place place = {f, p, leaf, &c, rg, g.rows};
        st = look_at_chunk(&place, err);
    }
    arena_free(a);
    return st;
}

static nrw_status look_at(const char *path, nrw_error *err)
{
    io_file *f = NULL;
    pq_meta *p = NULL;
    pq_read_options o = {.int96_us = int96_us};
    nrw_status st = file_open(account, path, NULL, &f, err);
    if (st >= 0)
        st = pq_meta_open(account, f, &o, &p, err);
    for (int32_t rg = 0; st >= 0 && rg < pq_meta_row_groups(p) && rg < 30; rg++)
        st = look_at_group(f, p, rg, err);
    pq_meta_close(p);
    file_close(f);
    return st;
}

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *text = calloc(1, 1 << 16);
    assert_non_null(text);
    size_t n = fread(text, 1, (1 << 16) - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

/* DIR/expected/REST.json speaks of DIR/REST. */
static int visit(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    char file[2100];
    const char *mark = strstr(path, "/expected/"), *only = getenv("NARROWS_ONLY");
    size_t len = strlen(path);
    if (kind != FTW_F || !mark || !strstr(path, "/parquet-") || len < 5 ||
        strcmp(path + len - 5, ".json") != 0 || (only && !strstr(path, only)))
        return 0;
    snprintf(file, sizeof file, "%.*s%.*s", (int)(mark - path), path,
             (int)(len - 5 - (size_t)(mark + 9 - path)), mark + 9);
    if (access(file, R_OK) != 0)
        return 0;
    char *json = read_text(path), sentence[1200];
    bool must_read = strstr(json, "\"expect\": \"the rows below\"") != NULL;
    free(json);
    nrw_error err = NRW_ERROR_INIT;
    nrw_status status = look_at(file, &err);
    no_crc = strstr(err.message, "CRC") && must_read;
    int96_us = strstr(err.next, "int96=us");
    if (no_crc || int96_us) { /* readable once told how */
        err = (nrw_error)NRW_ERROR_INIT;
        status = look_at(file, &err);
    }
    no_crc = int96_us = false;
    n_files++;
    nrw_error_print(&err, sentence, sizeof sentence);
    if (status < 0) {
        must_read = must_read && !strstr(file, "dict-malformed"); /* an error is right, too */
        n_damaged++;
        if (must_read || getenv("NARROWS_VERBOSE"))
            print_message("%s %s: %s\n", must_read ? "FAILED" : "refused", strrchr(file, '/'),
                          sentence);
        n_failed += must_read;
    }
    return 0;
}

static void test_corpus(void **state)
{
    (void)state;
    nrw_error err = NRW_ERROR_INIT;
    if (!find_corpus()) {
        print_message("no corpus: set NARROWS_SHARED\n");
        skip();
    }
    account = test_mem_open(1 << 30);
    assert_ok(spill_new(account, NULL, (uint64_t)4 << 30, &disk, &err), &err);
    assert_int_equal(nftw(corpus, visit, 16, 0), 0);
    print_message("%d files, %d chunks, %lld rows; %d files refused\n", n_files, n_chunks,
                  (long long)n_rows, n_damaged);
    spill_close(disk);
    assert_true(n_files > 0);
    assert_int_equal(n_failed, 0);
    test_mem_close(account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
