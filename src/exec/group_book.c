#include "exec/group_book.h"

#include "base/hash.h"
#include "column/compare.h"

#define FIRST_VALUES 16u
#define MOST_BITS    24u

static void free_groups(group_book *b)
{
    mem_free(b->m, b->groups, b->groups ? sizeof *b->groups << b->bits : 0);
    b->groups = NULL;
}

void group_book_free(group_book *b)
{
    for (uint32_t c = 0; b->columns && c < b->n_columns; c++) {
        book_column *k = &b->columns[c];
        mem_free(b->m, k->numbers, k->cap_numbers * sizeof *k->numbers);
        mem_free(b->m, k->values, k->cap * sizeof *k->values);
        mem_free(b->m, k->slots, 2 * k->cap * sizeof *k->slots);
        bytes_release(&k->pool);
    }
    free_groups(b);
    mem_free(b->m, b->columns, b->columns ? b->n_columns * sizeof *b->columns : 0);
    *b = (group_book){.m = b->m, .most = b->most, .times = b->times + 1, .closed = b->closed};
}

void group_book_reset(group_book *b)
{
    b->times++;
    if (b->groups)
        memset(b->groups, 0, sizeof *b->groups << b->bits);
}

/* ---- values ---- */

static void put_slot(const book_column *k, uint32_t number)
{
    uint32_t mask = 2 * k->cap - 1, at = (uint32_t)k->values[number - 1].hash & mask;

    while (k->slots[at])
        at = (at + 1) & mask;
    k->slots[at] = number;
}

static nrw_status grow(book_column *k, mem *m, nrw_error *err)
{
    uint32_t cap = k->cap ? k->cap * 2 : FIRST_VALUES, *slots;
    void *p = k->values;

    TRY(mem_zalloc(m, 2 * cap * sizeof *slots, (void **)&slots, err));
    if (mem_realloc(m, &p, k->cap * sizeof *k->values, cap * sizeof *k->values, err) < 0) {
        mem_free(m, slots, 2 * cap * sizeof *slots);
        return NRW_E_MEMLIMIT;
    }
    mem_free(m, k->slots, 2 * k->cap * sizeof *k->slots);
    k->values = p;
    k->slots = slots;
    k->cap = cap;
    for (uint32_t i = 1; i <= k->n; i++)
        put_slot(k, i);
    return NRW_OK;
}

static nrw_status number_of(book_column *k, mem *m, span value, uint32_t *number, nrw_error *err)
{
    uint64_t hash = hash_bytes(value.data, value.len);
    uint32_t mask = 2 * k->cap - 1;

    for (uint32_t at = (uint32_t)hash & mask; k->cap && k->slots[at]; at = (at + 1) & mask) {
        const book_value *v = &k->values[k->slots[at] - 1];
        if (v->hash == hash && span_equal((span){k->pool.data + v->at, v->len}, value)) {
            *number = k->slots[at];
            return NRW_OK;
        }
    }
    if (k->n == k->cap)
        TRY(grow(k, m, err));
    k->values[k->n] = (book_value){hash, (uint32_t)k->pool.len, (uint32_t)value.len};
    TRY(bytes_append(&k->pool, value.data, value.len, err));
    *number = ++k->n;
    put_slot(k, k->n);
    return NRW_OK;
}

/* The numbers of a dictionary's entries. */
static nrw_status read_dict(book_column *k, mem *m, const dict *d, nrw_error *err)
{
    uint32_t n = d->values.len;

    if (k->dict == d->id)
        return NRW_OK;
    k->dict = 0;
    if (n > k->cap_numbers) {
        mem_free(m, k->numbers, k->cap_numbers * sizeof *k->numbers);
        k->numbers = NULL;
        k->cap_numbers = 0;
        TRY(mem_alloc(m, n * sizeof *k->numbers, (void **)&k->numbers, err));
        k->cap_numbers = n;
    }
    for (uint32_t i = 0; i < n; i++)
        TRY(number_of(k, m, flat_span(&d->values, i), &k->numbers[i], err));
    k->dict = d->id;
    return NRW_OK;
}

/* ---- places ---- */

static nrw_status columns_new(group_book *b, uint32_t n, nrw_error *err)
{
    TRY(mem_zalloc(b->m, n * sizeof *b->columns, (void **)&b->columns, err));
    b->n_columns = n;
    for (uint32_t c = 0; c < n; c++)
        b->columns[c].pool = bytes_init(b->m, UINT32_MAX);
    return NRW_OK;
}

/* Room for all numbers there are. */
static nrw_status make_places(group_book *b, nrw_error *err)
{
    uint32_t bits = 0;
    bool same = b->groups != NULL;

    for (uint32_t c = 0; c < b->n_columns; c++) {
        book_column *k = &b->columns[c];
        while (k->n >> k->bits) {
            k->bits++;
            same = false;
        }
        bits += k->bits;
    }
    if (same)
        return NRW_OK;
    free_groups(b);
    b->closed = bits > MOST_BITS || sizeof *b->groups << bits > b->most;
    if (b->closed)
        return NRW_OK;
    b->times++;
    b->bits = bits;
    return mem_zalloc(b->m, sizeof *b->groups << bits, (void **)&b->groups, err);
}

static void add_places(const book_column *k, const vector *v, uint32_t rows, uint32_t shift,
                       uint32_t *places)
{
    const uint32_t *index = (const uint32_t *)(const void *)v->data;

    for (uint32_t i = 0; !v->validity && i < rows; i++)
        places[i] += k->numbers[index[i]] << shift;
    for (uint32_t i = 0; v->validity && i < rows; i++)
        if (bit_get(v->validity, i))
            places[i] += k->numbers[index[i]] << shift;
}

nrw_status group_book_places(group_book *b, const vector *const *keys, uint32_t n_keys,
                             uint32_t rows, uint32_t *places, nrw_error *err)
{
    uint32_t shift = 0;

    if (!b->columns)
        TRY(columns_new(b, n_keys, err));
    for (uint32_t c = 0; c < n_keys; c++)
        TRY(read_dict(&b->columns[c], b->m, keys[c]->dict, err));
    TRY(make_places(b, err));
    memset(places, 0, rows * sizeof *places);
    for (uint32_t c = 0; !b->closed && c < n_keys; c++) {
        add_places(&b->columns[c], keys[c], rows, shift, places);
        shift += b->columns[c].bits;
    }
    return NRW_OK;
}
