#include "exec/keyset.h"

#include "base/hash.h"
#include "column/key.h"

typedef struct entry {
    uint64_t hash;
    uint64_t at; /* of the key's bytes in the pool */
    uint32_t len;
} entry;

/* One key column of the current batch: what vector_value would look up, kept. */
typedef struct key_column {
    const vector *v;
    uint32_t run; /* of a runs vector: where the last row asked for lies */
} key_column;

struct keyset {
    mem *m;
    uint32_t n_cols;
    uint32_t *cols;
    key_column *now;

    entry *entries;
    uint32_t n, cap;
    uint32_t *slots; /* code + 1, 0: empty; n_slots is a power of two */
    uint32_t n_slots;
    bytes pool;
    bytes scratch;

    /* remembered codes of the dictionary `dict_id`; absence (KEY_NONE) holds while no key came
     * since, which is while epoch == n */
    uint32_t epoch;
    uint64_t dict_id; /* 0: none, as of one too large for `remember` bytes */
    size_t remember;
    uint32_t *codes;
    uint32_t codes_cap;
    uint32_t null_code;
    const vector *leaf; /* one column: the flat or dict vector that rows or runs point into */
};

nrw_status keyset_new(mem *m, const uint32_t *cols, uint32_t n_cols, size_t remember, keyset **out,
                      nrw_error *err)
{
    keyset *k;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *k, (void **)&k, err));
    k->m = m;
    k->n_cols = n_cols;
    k->remember = remember;
    k->pool = bytes_init(m, SIZE_MAX / 2);
    k->scratch = bytes_init(m, SIZE_MAX / 2);
    k->null_code = KEY_UNKNOWN;
    TRY_OUT(mem_alloc(m, n_cols * sizeof *k->cols, (void **)&k->cols, err));
    TRY_OUT(mem_zalloc(m, n_cols * sizeof *k->now, (void **)&k->now, err));
    for (uint32_t i = 0; i < n_cols; i++)
        k->cols[i] = cols[i];
    *out = k;
    return NRW_OK;
out:
    keyset_free(k);
    return st;
}

void keyset_free(keyset *k)
{
    if (!k)
        return;
    mem_free(k->m, k->cols, k->cols ? k->n_cols * sizeof *k->cols : 0);
    mem_free(k->m, k->now, k->now ? k->n_cols * sizeof *k->now : 0);
    mem_free(k->m, k->entries, k->cap * sizeof *k->entries);
    mem_free(k->m, k->slots, k->n_slots * sizeof *k->slots);
    mem_free(k->m, k->codes, k->codes_cap * sizeof *k->codes);
    bytes_release(&k->pool);
    bytes_release(&k->scratch);
    mem_free(k->m, k, sizeof *k);
}

void keyset_move(keyset *k, const uint32_t *cols)
{
    memcpy(k->cols, cols, k->n_cols * sizeof *cols);
}

/* Without memory for it every row is looked up. */
static void remember_begin(keyset *k, const dict *d)
{
    uint32_t n = d->values.len;

    if (k->null_code == KEY_NONE && k->epoch != k->n)
        k->null_code = KEY_UNKNOWN;
    if (k->dict_id == d->id) {
        for (uint32_t i = 0; i < n && k->epoch != k->n; i++)
            if (k->codes[i] == KEY_NONE)
                k->codes[i] = KEY_UNKNOWN;
        k->epoch = k->n;
        return;
    }
    k->dict_id = 0;
    if (n > k->remember / sizeof *k->codes) {
        k->epoch = k->n;
        return;
    }
    if (n > k->codes_cap) {
        mem_free(k->m, k->codes, k->codes_cap * sizeof *k->codes);
        k->codes = NULL;
        k->codes_cap = 0;
        k->codes = mem_try_alloc(k->m, n * sizeof *k->codes);
        if (!k->codes) {
            k->epoch = k->n;
            return;
        }
        k->codes_cap = n;
    }
    for (uint32_t i = 0; i < n; i++)
        k->codes[i] = KEY_UNKNOWN;
    k->dict_id = d->id;
    k->epoch = k->n;
}

nrw_status keyset_begin(keyset *k, batch *b, size_t max_bytes, nrw_error *err)
{
    for (uint32_t i = 0; i < k->n_cols; i++) {
        k->now[i].run = 0;
        TRY(batch_hold(b, k->cols[i], max_bytes, &k->now[i].v, err));
    }
    k->leaf = NULL;
    if (k->n_cols == 1) {
        const vector *v = k->now[0].v;
        k->leaf = v->form == VECTOR_RUNS ? v->values : v;
        if (k->leaf->form == VECTOR_DICT)
            remember_begin(k, k->leaf->dict);
    }
    return NRW_OK;
}

/* The run of a runs vector that holds `row`; rows are mostly asked for in rising order. */
static uint32_t run_of(key_column *c, uint32_t row)
{
    const uint32_t *ends = (const uint32_t *)c->v->data;

    if (c->run > 0 && row < ends[c->run - 1])
        c->run = 0;
    while (ends[c->run] <= row)
        c->run++;
    return c->run;
}

uint32_t keyset_stretch(keyset *k, uint32_t row)
{
    uint32_t end = UINT32_MAX;

    for (uint32_t i = 0; i < k->n_cols; i++) {
        key_column *c = &k->now[i];
        uint32_t e;
        if (c->v->form != VECTOR_RUNS)
            return 1;
        e = ((const uint32_t *)c->v->data)[run_of(c, row)];
        end = e < end ? e : end;
    }
    return end - row;
}

static nrw_status grow_slots(keyset *k, nrw_error *err)
{
    uint32_t n = k->n_slots ? k->n_slots * 2 : 1024, *slots;

    TRY(mem_zalloc(k->m, n * sizeof *slots, (void **)&slots, err));
    for (uint32_t code = 0; code < k->n; code++) {
        uint32_t at = (uint32_t)k->entries[code].hash & (n - 1);
        while (slots[at])
            at = (at + 1) & (n - 1);
        slots[at] = code + 1;
    }
    mem_free(k->m, k->slots, k->n_slots * sizeof *k->slots);
    k->slots = slots;
    k->n_slots = n;
    return NRW_OK;
}

static nrw_status add(keyset *k, uint64_t hash, span key, uint32_t *code, nrw_error *err)
{
    uint32_t at;

    if (k->n >= KEY_UNKNOWN - 1)
        return err_set(err, NRW_E_MEMLIMIT, "more than 4,294,967,293 distinct keys");
    if (k->n >= k->n_slots / 2)
        TRY(grow_slots(k, err));
    if (k->n == k->cap) {
        uint32_t cap = k->cap ? k->cap * 2 : 256;
        TRY(mem_realloc(k->m, (void **)&k->entries, k->cap * sizeof *k->entries,
                        cap * sizeof *k->entries, err));
        k->cap = cap;
    }
    k->entries[k->n] = (entry){hash, k->pool.len, (uint32_t)key.len};
    TRY(bytes_append(&k->pool, key.data, key.len, err));
    at = (uint32_t)hash & (k->n_slots - 1);
    while (k->slots[at])
        at = (at + 1) & (k->n_slots - 1);
    k->slots[at] = k->n + 1;
    *code = k->n++;
    return NRW_OK;
}

static uint32_t find(const keyset *k, uint64_t hash, span key)
{
    uint32_t at;

    if (!k->n_slots)
        return KEY_NONE;
    for (at = (uint32_t)hash & (k->n_slots - 1); k->slots[at]; at = (at + 1) & (k->n_slots - 1)) {
        const entry *e = &k->entries[k->slots[at] - 1];
        if (e->hash == hash && e->len == key.len &&
            memcmp(k->pool.data + e->at, key.data, key.len) == 0)
            return k->slots[at] - 1;
    }
    return KEY_NONE;
}

/* By the key's bytes: every column's, one after the other. */
static nrw_status code_by_bytes(keyset *k, uint32_t row, bool insert, uint32_t *code,
                                nrw_error *err)
{
    uint64_t hash;
    span key;

    bytes_clear(&k->scratch);
    for (uint32_t i = 0; i < k->n_cols; i++) {
        key_column *c = &k->now[i];
        if (c->v->form == VECTOR_RUNS)
            TRY(key_append(&k->scratch, c->v->values, run_of(c, row), err));
        else
            TRY(key_append(&k->scratch, c->v, row, err));
    }
    key = (span){k->scratch.data, k->scratch.len};
    hash = hash_bytes(key.data, key.len);
    *code = find(k, hash, key);
    if (*code == KEY_NONE && insert)
        return add(k, hash, key, code, err);
    return NRW_OK;
}

nrw_status keyset_code(keyset *k, uint32_t row, bool insert, uint32_t *code, nrw_error *err)
{
    uint32_t *known = NULL;

    if (k->leaf && (k->leaf->form == VECTOR_DICT || k->leaf->validity)) {
        uint32_t i = k->leaf == k->now[0].v ? row : run_of(&k->now[0], row);
        if (!vector_is_valid(k->leaf, i))
            known = &k->null_code;
        else if (k->leaf->form == VECTOR_DICT && k->dict_id)
            known = &k->codes[((const uint32_t *)k->leaf->data)[i]];
        if (known &&
            (*known < KEY_UNKNOWN || (*known == KEY_NONE && !insert && k->epoch == k->n))) {
            *code = *known;
            return NRW_OK;
        }
    }
    TRY(code_by_bytes(k, row, insert, code, err));
    if (known && (*code != KEY_NONE || k->epoch == k->n))
        *known = *code;
    return NRW_OK;
}

bool keyset_dict(keyset *k, key_dict *out)
{
    if (!k->leaf || k->leaf != k->now[0].v || k->leaf->form != VECTOR_DICT || !k->dict_id)
        return false;
    *out = (key_dict){(const uint32_t *)k->leaf->data, k->leaf->validity, k->codes, k->null_code,
                      k->epoch == k->n};
    return true;
}

uint32_t keyset_count(const keyset *k)
{
    return k->n;
}
