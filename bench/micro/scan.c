/* Reads columns of a Parquet file to their last value: scan [-tTHREADS] [-mMIB] [-h] FILE
 * [COLUMN...]. Every value comes to lie flat in memory (dictionaries and runs are looked up) and
 * every cache line of it is touched; with -h every value is hashed, too (of a small dictionary each
 * entry once). Prints the seconds from opening to the last value, of the clock and of the CPU, then
 * the rows; and a line a column: its name, with -h also the sum of its values' hashes, 128 bits in
 * hexadecimal.
 *
 * The hash is the one that DuckDB's hash() gives, so that the sums can be had by
 * SELECT sum(hash(column)): of numbers a multiply and mix of their bits, of text the same over
 * blocks of eight bytes, of nulls a constant (-0 and NaN, which DuckDB makes one each, aside). A
 * list counts with its length and its elements, a struct with its fields. Memory bounds the whole
 * process, as --memory does. */
#include "base/clock.h"
#include "column/vector.h"
#include "exec/pipeline.h"
#include "format/parquet/parquet.h"
#include "narrows/job.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB         ((uint64_t)1 << 20)
#define PIECE       ((size_t)256 << 10) /* of a column at a time: stays in the cache */
#define MORSEL      ((size_t)4 << 20)
#define MAX_COLUMNS 1024

typedef unsigned __int128 u128;

/* ---- hashes ---- */

#define MULTIPLY  UINT64_C(0xd6e8feb86659fd93)
#define NULL_HASH UINT64_C(0xbf58476d1ce4e5b9)

static inline uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 32) * MULTIPLY;
    x = (x ^ x >> 32) * MULTIPLY;
    return x ^ x >> 32;
}

static inline uint64_t seed(size_t n)
{
    return UINT64_C(0xe17a1465) ^ n * UINT64_C(0xc6a4a7935bd1e995);
}

/* Texts of up to FEW bytes take one way without a branch, for lengths are hard to guess: by length,
 * which bits of each block count, and what is multiplied by; blocks behind the last one change
 * nothing. */
#define FEW        48
#define FEW_BLOCKS (FEW / 8)
typedef struct step {
    uint64_t mask, factor;
} step;
static step steps[FEW + 1][FEW_BLOCKS];

static void make_steps(void)
{
    for (size_t n = 0; n <= FEW; n++)
        for (size_t i = 0; i < FEW_BLOCKS; i++) {
            size_t left = n > 8 * i ? n - 8 * i : 0;
            uint64_t mask = left >= 8 ? UINT64_MAX : ((uint64_t)1 << 8 * left) - 1;
            steps[n][i] = (step){mask, left ? MULTIPLY : 1};
        }
}

/* Of n <= FEW bytes, where FEW may be read. */
static inline uint64_t hash_few(const uint8_t *p, size_t n)
{
    uint64_t h = seed(n);

#pragma GCC unroll 8
    for (size_t i = 0; i < FEW_BLOCKS; i++)
        h = (h ^ (load_u64(p + 8 * i) & steps[n][i].mask)) * steps[n][i].factor;
    return mix(h);
}

/* Of n bytes, where FEW may be read behind the first. */
static inline uint64_t hash_bytes(const uint8_t *p, size_t n)
{
    uint64_t h = seed(n);

    if (n <= FEW)
        return hash_few(p, n);
    for (; n >= 8; n -= 8, p += 8)
        h = (h ^ load_u64(p)) * MULTIPLY;
    if (n)
        h = (h ^ (load_u64(p) & (((uint64_t)1 << 8 * n) - 1))) * MULTIPLY;
    return mix(h);
}

typedef uint64_t (*hash_fn)(const vector *v, uint32_t i);

static inline uint64_t hash_1(const vector *v, uint32_t i)
{
    return mix(v->type.id == TYPE_INT8 ? (uint32_t)(int8_t)v->data[i] : v->data[i]);
}

static inline uint64_t hash_2(const vector *v, uint32_t i)
{
    uint16_t x;

    memcpy(&x, v->data + 2 * (size_t)i, 2);
    return mix(v->type.id == TYPE_INT16 ? (uint32_t)(int16_t)x : x);
}

static inline uint64_t hash_4(const vector *v, uint32_t i)
{
    return mix(load_u32(v->data + 4 * (size_t)i));
}

static inline uint64_t hash_8(const vector *v, uint32_t i)
{
    return mix(load_u64(v->data + 8 * (size_t)i));
}

static inline uint64_t hash_16(const vector *v, uint32_t i)
{
    const uint8_t *p = v->data + 16 * (size_t)i;

    return mix(load_u64(p)) ^ mix(load_u64(p + 8));
}

static inline uint64_t hash_fixed(const vector *v, uint32_t i)
{
    return hash_bytes(v->data + (size_t)i * v->type.width, v->type.width);
}

static inline __attribute__((always_inline)) uint64_t hash_view(const vector *v, uint32_t i)
{
    span s = view_span(v, i);

    return hash_bytes(s.data, s.len);
}

/* The sum over all rows, or, with `out`, the hash of each, where none is null. */
static inline __attribute__((always_inline)) u128 sum_of(const vector *v, uint64_t *out,
                                                         hash_fn hash)
{
    u128 sum = 0;

    if (out)
        for (uint32_t i = 0; i < v->len; i++)
            out[i] = hash(v, i);
    else if (!v->validity)
        for (uint32_t i = 0; i < v->len; i++)
            sum += hash(v, i);
    else
        for (uint32_t i = 0; i < v->len; i++)
            sum += bit_get(v->validity, i) ? hash(v, i) : NULL_HASH;
    return sum;
}

#if defined(__x86_64__)
#define WIDE_TOO __attribute__((target_clones("avx2", "default")))
#else
#define WIDE_TOO
#endif

/* Numbers of eight bytes without nulls: halves of the hashes are summed up, so that compilers take
 * several at a time. */
WIDE_TOO static u128 sum_8(const vector *v)
{
    const uint64_t *x = (const uint64_t *)(const void *)v->data;
    uint64_t low = 0, high = 0;

    for (uint32_t i = 0; i < v->len; i++) {
        uint64_t h = mix(x[i]);
        low += h & UINT32_MAX;
        high += h >> 32;
    }
    return ((u128)high << 32) + low;
}

/* The functions are named so that each loop has its own inside. */
static u128 hash_flat(const vector *v, uint64_t *out)
{
    if (type_is_view(&v->type))
        return sum_of(v, out, hash_view);
    if (v->type.id == TYPE_FIXED)
        return sum_of(v, out, hash_fixed);
    switch (v->type.width) {
    case 0: return (u128)NULL_HASH * v->len;
    case 1: return sum_of(v, out, hash_1);
    case 2: return sum_of(v, out, hash_2);
    case 4: return sum_of(v, out, hash_4);
    case 8: return out || v->validity ? sum_of(v, out, hash_8) : sum_8(v);
    default: return sum_of(v, out, hash_16);
    }
}

#define SMALL_DICT 4096 /* entries, whose hashes stay in the cache */

/* Of a dictionary that is much smaller than the vector each entry is hashed once. */
static u128 hash_dict(const vector *v)
{
    const uint32_t *index = (const uint32_t *)(const void *)v->data;
    uint64_t hashes[SMALL_DICT];
    u128 sum = 0;

    hash_flat(&v->dict->values, hashes);
    if (v->validity)
        for (uint32_t i = 0; i < v->len; i++)
            sum += bit_get(v->validity, i) ? hashes[index[i]] : NULL_HASH;
    else
        for (uint32_t i = 0; i < v->len; i++)
            sum += hashes[index[i]];
    return sum;
}

static bool is_small_dict(const vector *v)
{
    uint32_t n = v->form == VECTOR_DICT ? v->dict->values.len : UINT32_MAX;

    return n <= SMALL_DICT && n <= v->len / 4;
}

static u128 hash_lengths(const vector *v)
{
    const uint32_t *o = vector_offsets(v);
    u128 sum = 0;

    for (uint32_t i = 0; i < v->len; i++)
        sum += vector_is_valid(v, i) ? mix(o[i + 1] - o[i]) : NULL_HASH;
    return sum;
}

static void touch_flat(const vector *v)
{
    size_t bytes = (size_t)v->len * v->type.width;
    volatile uint8_t seen;

    for (size_t i = 0; i < bytes; i += 64)
        seen = v->data[i];
    (void)seen;
}

/* ---- values ---- */

typedef struct scanner {
    op base;
    uint32_t n_cols;
    bool hash;
    mem *m;
    pthread_mutex_t lock; /* the sums */
    u128 sums[MAX_COLUMNS];
} scanner;

static nrw_status use_vector(const scanner *s, const vector *v, u128 *sum, nrw_error *err)
{
    vector flat;

    if (type_is_nested(&v->type)) {
        if (s->hash && v->type.id != TYPE_STRUCT)
            *sum += hash_lengths(v);
        for (uint32_t i = 0; i < v->n_children; i++)
            TRY(use_vector(s, &v->children[i], sum, err));
        return NRW_OK;
    }
    TRY(vector_flatten(v, s->m, &flat, err));
    if (!s->hash || is_small_dict(v))
        touch_flat(&flat);
    if (s->hash)
        *sum += is_small_dict(v) ? hash_dict(v) : hash_flat(&flat, NULL);
    vector_release(&flat);
    return NRW_OK;
}

static nrw_status use_column(scanner *s, batch *b, uint32_t column, nrw_error *err)
{
    column_walk w = batch_walk(b, column);
    u128 sum = 0;
    nrw_status st;
    vector v;

    while ((st = column_next(&w, PIECE, &v, err)) == NRW_OK) {
        st = use_vector(s, &v, &sum, err);
        vector_release(&v);
        if (st < 0)
            break;
    }
    pthread_mutex_lock(&s->lock);
    s->sums[column] += sum;
    pthread_mutex_unlock(&s->lock);
    return st < 0 ? st : NRW_OK;
}

static nrw_status scanner_push(op *base, batch *b, nrw_error *err)
{
    scanner *s = (scanner *)base;

    for (uint32_t c = 0; c < s->n_cols; c++)
        TRY(use_column(s, b, c, err));
    return NRW_OK;
}

static const op_class scanner_class = {.name = "scan", .push = scanner_push};

/* ---- running ---- */

typedef struct arguments {
    uint32_t threads;
    uint64_t memory;
    bool hash;
    const char *file;
    char **columns;
    uint32_t n_columns;
} arguments;

static bool read_arguments(int argc, char **argv, arguments *a)
{
    int i = 1;

    *a = (arguments){.threads = 1, .memory = 1024 * MIB};
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (argv[i][1] == 't')
            a->threads = (uint32_t)strtoul(argv[i] + 2, NULL, 10);
        else if (argv[i][1] == 'm')
            a->memory = strtoull(argv[i] + 2, NULL, 10) * MIB;
        else if (argv[i][1] == 'h')
            a->hash = true;
        else
            return false;
    }
    if (i == argc)
        return false;
    a->file = argv[i++];
    a->columns = argv + i;
    a->n_columns = (uint32_t)(argc - i);
    return a->threads >= 1 && a->threads <= PIPELINE_MAX_WORKERS && a->n_columns <= MAX_COLUMNS;
}

static nrw_status open_file(const void *self, mem *m, reader **out, nrw_error *err)
{
    const arguments *a = self;
    const pq_read_options none = {0};
    io_file *f;

    TRY(file_open(m, a->file, NULL, &f, err));
    return parquet_open(m, f, &none, out, err);
}

static nrw_status choose(const arguments *a, const schema *s, uint32_t *cols, uint32_t *n,
                         nrw_error *err)
{
    *n = a->n_columns ? a->n_columns : s->n_fields;
    if (*n > MAX_COLUMNS)
        return err_set(err, NRW_E_ARG, "more than %d columns", MAX_COLUMNS);
    for (uint32_t i = 0; i < *n; i++) {
        int32_t at = a->n_columns ? schema_find(s, a->columns[i]) : (int32_t)i;
        if (at < 0)
            return err_set(err, NRW_E_ARG, "there is no column %s", a->columns[i]);
        cols[i] = (uint32_t)at;
    }
    return NRW_OK;
}

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void print(const scanner *s, const schema *all, const uint32_t *cols, double seconds,
                  double cpu, uint64_t rows)
{
    printf("%.6f %.6f %llu\n", seconds, cpu, (unsigned long long)rows);
    for (uint32_t i = 0; i < s->n_cols; i++) {
        printf("%s", all->fields[cols[i]].name);
        if (s->hash)
            printf(" %016llx%016llx", (unsigned long long)(s->sums[i] >> 64),
                   (unsigned long long)s->sums[i]);
        putchar('\n');
    }
}

static nrw_status run(const arguments *a, mem *root, spill *sp, nrw_error *err)
{
    static scanner s = {.base.class = &scanner_class, .lock = PTHREAD_MUTEX_INITIALIZER};
    static uint32_t cols[MAX_COLUMNS];
    const batch_shape shape = {.max_rows = BATCH_MAX_ROWS,
                               .column_bytes = MORSEL,
                               .workers = a->threads,
                               .any_order = true};
    const scan_input input = {.name = a->file, .open = open_file, .self = a};
    pipeline p = {.workers = a->threads, .limit = -1, .batches = root, .first = &s.base};
    source_scan from;
    scan *in;
    double began = clock_seconds(), cpu = cpu_seconds();
    nrw_status st;

    TRY(scan_open(root, &input, 1, &(scan_options){0}, &in, err));
    TRY_OUT(choose(a, scan_schema(in), cols, &s.n_cols, err));
    s.hash = a->hash;
    s.m = root;
    from = source_scan_of(in, s.n_cols);
    p.source = &from.base;
    TRY_OUT(scan_start(in, cols, s.n_cols, &shape, root, sp, err));
    TRY_OUT(pipeline_run(&p, err));
    print(&s, scan_schema(in), cols, clock_seconds() - began, cpu_seconds() - cpu,
          atomic_load(&p.rows_in));
out:
    scan_close(in);
    return st;
}

int main(int argc, char **argv)
{
    const uint64_t touched_later = 3 * MIB;
    nrw_error err = NRW_ERROR_INIT;
    arguments a;
    mem *root = NULL;
    spill *sp = NULL;
    char text[1200];
    nrw_status st;
    uint64_t base;

    nrw_process_init();
    make_steps();
    if (!read_arguments(argc, argv, &a))
        return fprintf(stderr, "scan [-tTHREADS] [-mMIB] [-h] FILE [COLUMN...]\n"), 2;
    base = mem_process_rss() + touched_later;
    st = mem_root(a.memory > base ? a.memory - base : 0, &root, &err);
    if (st >= 0)
        st = spill_new(root, NULL, (uint64_t)8 << 30, &sp, &err);
    if (st >= 0)
        st = run(&a, root, sp, &err);
    nrw_error_print(&err, text, sizeof text);
    if (st < 0)
        fprintf(stderr, "%s\n", text);
    spill_close(sp);
    mem_free_account(root);
    return st < 0;
}
