#include "format/avro/repeats.h"

#define HEAP_MOST ((size_t)8 << 10)
#define ROWS_FEW  128 /* not worth a vector of their own */

uint64_t av_repeats_memory(void)
{
    return mem_cost(sizeof(av_repeats)) + 5 * mem_cost(HEAP_MOST) +
           2 * mem_cost(AV_REPEATS_MOST * sizeof(view));
}

void av_repeats_init(av_repeats *r, mem *m)
{
    *r = (av_repeats){.m = m, .heap = bytes_init(m, HEAP_MOST)};
}

void av_repeats_release(av_repeats *r)
{
    dict_unref(r->dict);
    r->dict = NULL;
    if (r->m)
        bytes_release(&r->heap);
}

static void give_up(av_repeats *r)
{
    av_repeats_release(r);
    r->given_up = true;
}

/* ---- finding ---- */

/* A value as two words that differ for most different values, for all that lie in their view. */
typedef struct key {
    uint64_t low, high;
    span text; /* what else is to be compared */
} key;

static inline key key_of(const vector *v, uint32_t i)
{
    const uint8_t *at = v->data + (size_t)i * sizeof(view);
    key k = {load_u64(at), load_u64(at + 8), {NULL, 0}};

    if ((uint32_t)k.low > VIEW_INLINE) {
        k.text = view_span(v, i);
        k.high = load_u64(k.text.data + k.text.len - 8);
    }
    return k;
}

static inline uint32_t slot_of(key k)
{
    uint64_t x = (k.low ^ k.high * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd1342543de82ef95);

    return (uint32_t)(x >> 56);
}

static inline bool is_text(const av_repeats *r, uint32_t e, key k)
{
    return r->low[e] == k.low && r->high[e] == k.high &&
           (k.text.len == 0 ||
            memcmp(r->heap.data + r->views[e].offset, k.text.data, k.text.len) == 0);
}

/* As a new text, number r->n. False: there is no room for it. */
static bool add(av_repeats *r, uint32_t slot, key k)
{
    const size_t at = r->heap.len;
    uint8_t *view = (uint8_t *)&r->views[r->n];

    if (r->n == AV_REPEATS_MOST || k.text.len > HEAP_MOST - at)
        return false;
    if (k.text.len && bytes_append(&r->heap, k.text.data, k.text.len, NULL) < 0)
        return false;
    r->low[r->n] = k.low;
    r->high[r->n] = k.high;
    store_u64(view, k.low);
    store_u64(view + 8, k.text.len ? (uint64_t)at << 32 : k.high);
    r->slots[slot] = (uint8_t)++r->n;
    return true;
}

/* The number of each value, by rows. False: there are too many texts. */
static bool find_all(av_repeats *r, const vector *v, uint32_t *out)
{
    for (uint32_t i = 0; i < v->len; i++) {
        key k;
        uint32_t slot, e;
        if (!vector_is_valid(v, i)) {
            out[i] = 0;
            continue;
        }
        k = key_of(v, i);
        slot = slot_of(k);
        while ((e = r->slots[slot]) != 0 && !is_text(r, e - 1, k))
            slot = (slot + 1) % AV_REPEATS_SLOTS;
        if (e == 0) {
            if (!add(r, slot, k))
                return false;
            e = r->n;
        }
        out[i] = e - 1;
    }
    return true;
}

/* ---- the dictionary ---- */

static nrw_status make_entries(const av_repeats *r, const type *t, vector *v, nrw_error *err)
{
    buffer *heap;
    int32_t index;
    nrw_status st;

    TRY(vector_flat(r->m, t, r->n, v, err));
    memcpy(v->data, r->views, r->n * sizeof(view));
    v->len = r->n;
    if (r->heap.len == 0)
        return NRW_OK;
    st = buffer_new(r->m, r->heap.len, &heap, err);
    if (st >= 0) {
        memcpy(heap->data, r->heap.data, r->heap.len);
        heap->len = r->heap.len;
        st = vector_add_heap(v, heap, &index, err);
        buffer_unref(heap);
    }
    if (st < 0)
        vector_release(v);
    return st;
}

/* The dictionary of all texts known. What others hold of the one before stays. */
static nrw_status renew(av_repeats *r, const type *t, nrw_error *err)
{
    vector entries;
    dict *d;

    if (r->dict && r->dict->values.len == r->n)
        return NRW_OK;
    TRY(make_entries(r, t, &entries, err));
    TRY(dict_new(r->m, &entries, &d, err));
    d->distinct = true;
    dict_unref(r->dict);
    r->dict = d;
    return NRW_OK;
}

/* v with the numbers in place of its values; takes `numbers`. */
static void convert(const av_repeats *r, vector *v, buffer *numbers)
{
    vector out = {.type = v->type,
                  .form = VECTOR_DICT,
                  .len = v->len,
                  .null_count = v->null_count,
                  .data = numbers->data,
                  .data_buf = numbers,
                  .validity = v->validity,
                  .validity_buf = v->validity_buf,
                  .dict = dict_ref(r->dict),
                  .m = v->m};

    v->validity = NULL;
    v->validity_buf = NULL;
    vector_release(v);
    *v = out;
}

void av_repeats_find(av_repeats *r, vector *v)
{
    buffer *numbers;

    if (r->given_up || v->form != VECTOR_FLAT || v->len < ROWS_FEW)
        return;
    if (buffer_new(r->m, v->len * sizeof(uint32_t), &numbers, NULL) < 0)
        return;
    if (!find_all(r, v, (uint32_t *)(void *)numbers->data)) {
        give_up(r);
    } else if (r->n > 0 && r->n <= v->len / 4 && renew(r, &v->type, NULL) >= 0) {
        convert(r, v, numbers);
        return;
    }
    buffer_unref(numbers);
}
