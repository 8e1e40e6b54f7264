/* Nested columns: a random tree and random rows, encoded by nested_made.h, with some bytes of the
 * pages changed (or none). Untouched, the rows come back as they were, out of memory and out of
 * spill regions, whole and in pieces and chosen ones; changed, rows come or an error does, and what
 * comes is a sound vector. */
#include "../tests/unit/nested_made.h"
#include "format/parquet/nested_read.h"

enum { MOST_ROWS = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
    nest k;
    pq_node top;
    mem *m;
    spill *s;
    io_file *f;
    vector rows;
    pq_chunk chunks[NEST_LEAVES];
    uint32_t n; /* rows that are said to be there */
    bool sound;
} input;

static void compare(input *x, const vector *v, uint32_t i, uint32_t row)
{
    char *got = nest_text(x->m, v, i), *want = nest_text(x->m, &x->rows, row);
    if (strcmp(got, want) != 0)
        __builtin_trap();
    free(got);
    free(want);
}

static nrw_status read_some(input *x, pq_nested *r, uint32_t row, uint32_t most, bool chosen,
                            uint32_t *next)
{
    uint16_t sel[MOST_ROWS];
    uint32_t n = 0;
    vector v;
    nrw_status st;
    if (most > x->n - row)
        most = x->n - row;
    *next = row + most;
    for (uint32_t i = 0; chosen && i < most; i++)
        if (nest_random(&x->k) % 3 == 0)
            sel[n++] = (uint16_t)(i + 9);
    if (chosen && n == 0)
        return NRW_OK;
    if (chosen)
        st = pq_nested_read(r, row + sel[0] - 9u, n, 1 << 12, sel, n, sel[0], x->m, &v, NULL);
    else
        st = pq_nested_read(r, row, most, 1 << 12, NULL, 0, 0, x->m, &v, NULL);
    if (st < 0)
        return st;
    if (v.len == 0 || v.len > most || vector_validate(&v, NULL) != NRW_OK)
        __builtin_trap();
    for (uint32_t i = 0; x->sound && i < v.len; i++)
        compare(x, &v, i, chosen ? row + sel[i] - 9u : row + i);
    if (v.len < (chosen ? n : most))
        *next = chosen ? row + sel[v.len] - 9u : row + v.len;
    vector_release(&v);
    return NRW_OK;
}

static void read_all(input *x, uint32_t most, bool chosen, bool spilled)
{
    const pq_chunk_options o = {.read_ahead = 4096, .headroom = spilled ? (size_t)1 << 40 : 0};
    pq_nested *r = NULL;
    nrw_status st =
        pq_nested_open(x->m, x->s, x->f, x->k.leaves, &x->top, x->chunks, 0, x->n, &o, &r, NULL);
    for (uint32_t row = 0; st >= 0 && row < x->n;) {
        st = read_some(x, r, row, most, chosen, &row);
        if (nest_random(&x->k) % 4 == 0)
            pq_nested_park(r);
    }
    if (st < 0 && x->sound)
        __builtin_trap();
    if (st < 0 && r) /* a failed reader stands where it was */
        (void)read_some(x, r, 0, 1, false, &(uint32_t){0});
    pq_nested_close(r);
}

static void change(input *x, made *b, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 3 <= n && i < 30; i += 3) {
        size_t at = 4 + (size_t)(p[i] << 8 | p[i + 1]) % (b->n - 4);
        b->p[at] ^= p[i + 2];
        x->sound = x->sound && p[i + 2] == 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input x = {.sound = true};
    made b = {0};
    mem *root = NULL;
    if (size < 8)
        return 0;
    x.k.seed = load_u32(data);
    x.n = (uint32_t)data[4] + 1;
    if (mem_root(64 << 20, &root, NULL) < 0 || spill_new(root, NULL, 64 << 20, &x.s, NULL) < 0)
        __builtin_trap();
    x.m = root;
    nest_tree(&x.k, &x.top, 1 + data[5] % 5);
    x.rows = nest_rows(&x.k, x.m, &x.top, x.n, NULL, data[6] == 255 ? 5000 : 0);
    for (uint32_t i = 0; i < x.n; i++)
        nest_shred(&x.k, &x.top, &x.rows, i, 0, 0);
    made_put(&b, "PAR1", 4);
    for (uint32_t i = 0; i < x.k.n_leaves; i++)
        x.chunks[i] = nest_chunk(&x.k, i, 1 + data[6] * 8u, (int)(data[7] % 4) - 1, &b);
    change(&x, &b, data + 8, size - 8);
    if (file_open_memory(x.m, "fuzz", (span){b.p, b.n}, &x.f, NULL) < 0)
        __builtin_trap();
    for (int way = 0; way < 4; way++)
        read_all(&x, way & 1 ? 11 : MOST_ROWS, way > 1, way & 2);
    file_close(x.f);
    vector_release(&x.rows);
    spill_close(x.s);
    mem_trim();
    if (mem_used(root) != 0)
        __builtin_trap();
    mem_free_account(root);
    made_free(&b);
    nest_free(&x.k);
    return 0;
}
