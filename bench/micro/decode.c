/* How fast column chunks become vectors: decode [-mMIB] FILE [COLUMN...]. Prints, for each column,
 * the best (CPU time) of some rounds over all row groups: time, rows a second, pages, time a page,
 * the forms of the vectors. */
#include "format/parquet/chunk_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct tally {
    uint64_t rows, vectors, forms[3], runs;
    reader_counts counts;
} tally;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static nrw_status read_chunk(pq_chunk_reader *r, int64_t rows, mem *m, tally *t, nrw_error *err)
{
    for (int64_t row = 0; row < rows;) {
        vector v;
        TRY(pq_chunk_read(r, row, BATCH_MAX_ROWS, 1 << 20, NULL, 0, 0, m, &v, err));
        row += v.len;
        t->rows += v.len;
        t->vectors++;
        t->forms[v.form]++;
        t->runs += v.n_runs;
        vector_release(&v);
    }
    return NRW_OK;
}

static nrw_status read_column(mem *m, spill *s, io_file *f, pq_meta *p, uint32_t leaf, tally *t,
                              nrw_error *err)
{
    pq_chunk_options o = {.verify_crc = true, .read_ahead = 256 << 10, .meta = p};
    pq_chunk_reader *r = NULL;

    for (int32_t g = 0; g < pq_meta_row_groups(p); g++) {
        pq_row_group rg;
        pq_chunk c;
        arena *a;
        reader_counts n;
        nrw_status st;
        TRY(arena_new(m, &a, err));
        st = pq_meta_row_group(p, g, &rg, err);
        if (st >= 0)
            st = pq_meta_chunk(p, g, leaf, a, &c, err);
        if (st >= 0 && r)
            st = pq_chunk_reopen(r, &c, g, rg.rows, err);
        else if (st >= 0)
            st = pq_chunk_open(m, s, f, pq_meta_leaf(p, leaf), &c, g, rg.rows, &o, &r, err);
        if (st >= 0)
            st = read_chunk(r, rg.rows, m, t, err);
        if (st >= 0) {
            pq_chunk_counts(r, &n);
            t->counts.pages_decompressed += n.pages_decompressed;
            t->counts.bytes_decompressed += n.bytes_decompressed;
            pq_chunk_rest(r);
        }
        arena_free(a);
        if (st < 0) {
            pq_chunk_close(r);
            return st;
        }
    }
    pq_chunk_close(r);
    return NRW_OK;
}

static nrw_status measure(mem *m, spill *s, io_file *f, pq_meta *p, uint32_t leaf, nrw_error *err)
{
    const pq_leaf *l = pq_meta_leaf(p, leaf);
    double best = 1e9;
    tally t;

    for (int round = 0; round < 3; round++) {
        double start = now();
        t = (tally){0};
        TRY(read_column(m, s, f, p, leaf, &t, err));
        if (now() - start < best)
            best = now() - start;
    }
    printf("%-18s %-10s %8.1f ms %9.1f M rows/s %9.1f MB/s %8llu pages %9.2f us/page  flat %llu "
           "dict %llu runs %llu (%llu)\n",
           l->path, pq_physical_name(l->physical), best * 1e3, (double)t.rows / best / 1e6,
           (double)t.counts.bytes_decompressed / best / 1e6,
           (unsigned long long)t.counts.pages_decompressed,
           best * 1e6 / (double)t.counts.pages_decompressed, (unsigned long long)t.forms[0],
           (unsigned long long)t.forms[1], (unsigned long long)t.forms[2],
           (unsigned long long)t.runs);
    return NRW_OK;
}

static int wanted(const char *name, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return 1;
    return argc < 3;
}

int main(int argc, char **argv)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = NULL;
    spill *s = NULL;
    io_file *f = NULL;
    pq_meta *p = NULL;
    char text[1200];
    nrw_status st;
    uint64_t mib = 1024;

    if (argc > 1 && strncmp(argv[1], "-m", 2) == 0) {
        mib = strtoull(argv[1] + 2, NULL, 10);
        argc--;
        argv++;
    }
    if (argc < 2)
        return fprintf(stderr, "decode [-mMIB] FILE [COLUMN...]\n"), 2;
    st = mem_root(mib << 20, &m, &err);
    if (st >= 0)
        st = spill_new(m, NULL, (uint64_t)8 << 30, &s, &err);
    if (st >= 0)
        st = file_open(m, argv[1], NULL, &f, &err);
    if (st >= 0)
        st = pq_meta_open(m, f, NULL, &p, &err);
    for (uint32_t i = 0; st >= 0 && i < pq_meta_leaves(p); i++)
        if (wanted(pq_meta_leaf(p, i)->path, argc, argv))
            st = measure(m, s, f, p, i, &err);
    nrw_error_print(&err, text, sizeof text);
    if (st < 0)
        fprintf(stderr, "%s\n", text);
    pq_meta_close(p);
    file_close(f);
    spill_close(s);
    printf("peak %.1f MiB of the account\n", (double)mem_peak(m) / (1 << 20));
    mem_free_account(m);
    return st < 0;
}
