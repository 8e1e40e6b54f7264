/* A column writer's state to a spill file and back. Large parts are blocks of their own, written
 * from where they lie; small ones go together. What can be made anew (the table of the dictionary)
 * or is only a shortcut (the remapping) is dropped. */
#include "format/parquet/column_write_parts.h"

enum {
    PART_BODY,
    PART_PLAIN,
    PART_AT,
    PART_VALID,
    PART_REP,
    PART_INDEX,
    PART_RUNS,
    PART_LENS,
    PART_MIN,
    PART_MAX,
    PART_PAGE_MIN,
    PART_PAGE_MAX,
    PARTS
};

#define TOGETHER ((size_t)8 << 10)

struct pq_parked {
    spill *s;
    uint32_t len[PARTS]; /* bytes in use; a page or a dictionary is never larger */
    bool table;          /* the dictionary was still growing */
    uint32_t n_blocks;
    spill_block small;   /* parts of up to TOGETHER, one behind the other */
    spill_block block[]; /* the others, in order */
};

static size_t parked_bytes(uint32_t n_blocks)
{
    return sizeof(pq_parked) + n_blocks * sizeof(spill_block);
}

static span words_span(const pq_words *w, size_t words)
{
    return (span){(const uint8_t *)w->at, w->at ? words * sizeof(uint32_t) : 0};
}

static size_t words_of(size_t rows, size_t each)
{
    return (rows + each - 1) / each;
}

static span buffer_span(const buffer *b)
{
    return b ? (span){b->data, b->len} : (span){0};
}

/* What is in use of each part. */
static void parts_of(const pq_column_writer *w, span *part)
{
    const pq_draft *p = &w->page;

    part[PART_BODY] = buffer_span(p->body);
    part[PART_PLAIN] = buffer_span(w->dict.plain);
    part[PART_AT] = (span){(const uint8_t *)w->dict.at,
                           w->dict.at ? ((size_t)w->dict.n + 1) * sizeof(uint32_t) : 0};
    part[PART_VALID] = words_span(&p->valid, p->nulls ? words_of(p->rows, w->nested ? 4 : 32) : 0);
    part[PART_REP] = words_span(&p->rep, w->max_rep ? words_of(p->rows, 4) : 0);
    part[PART_INDEX] = words_span(&p->index, p->n_index);
    part[PART_RUNS] = words_span(&p->runs, (size_t)p->n_runs * 2);
    part[PART_LENS] = words_span(&p->lens, p->n_lens);
    part[PART_MIN] = (span){w->min.data, w->min.len};
    part[PART_MAX] = (span){w->max.data, w->max.len};
    part[PART_PAGE_MIN] = (span){p->min.data, p->any_text ? p->min.len : 0};
    part[PART_PAGE_MAX] = (span){p->max.data, p->any_text ? p->max.len : 0};
}

static bool is_small(size_t len)
{
    return len <= TOGETHER;
}

static size_t small_bytes(const uint32_t *len)
{
    size_t sum = 0;

    for (int i = 0; i < PARTS; i++)
        sum += is_small(len[i]) ? len[i] : 0;
    return sum;
}

/* All memory of the state but the struct itself. */
static void drop_state(pq_column_writer *w)
{
    pq_draft *p = &w->page;

    pq_words_release(w->m, &p->valid);
    pq_words_release(w->m, &p->rep);
    pq_words_release(w->m, &p->index);
    pq_words_release(w->m, &p->runs);
    pq_words_release(w->m, &p->lens);
    buffer_unref(p->body);
    p->body = NULL;
    bytes_release(&p->min);
    bytes_release(&p->max);
    bytes_release(&w->min);
    bytes_release(&w->max);
    pq_dict_drop(&w->dict);
    pq_words_release(w->m, &w->remap.own);
    w->remap = (pq_remap){0};
}

/* ---- out ---- */

static void free_blocks(pq_parked *k)
{
    for (uint32_t i = 0; i < k->n_blocks; i++)
        if (k->block[i].len)
            spill_free(k->s, &k->block[i]);
    if (k->small.len)
        spill_free(k->s, &k->small);
}

static nrw_status write_small(pq_column_writer *w, const span *part, pq_parked *k, nrw_error *err)
{
    size_t bytes = small_bytes(k->len), at = 0;
    void *together;
    nrw_status st;

    if (!bytes)
        return NRW_OK;
    TRY(mem_alloc(w->m, bytes, &together, err));
    for (int i = 0; i < PARTS; i++)
        if (part[i].len && is_small(part[i].len)) {
            memcpy((uint8_t *)together + at, part[i].data, part[i].len);
            at += part[i].len;
        }
    st = spill_write(k->s, (span){together, bytes}, true, &k->small, err);
    mem_free(w->m, together, bytes);
    return st;
}

static nrw_status write_parts(pq_column_writer *w, const span *part, pq_parked *k, nrw_error *err)
{
    uint32_t n = 0;

    for (int i = 0; i < PARTS; i++) {
        k->len[i] = (uint32_t)part[i].len;
        if (!is_small(part[i].len))
            TRY(spill_write(k->s, part[i], true, &k->block[n++], err));
    }
    return write_small(w, part, k, err);
}

nrw_status pq_column_park(pq_column_writer *w, spill *s, nrw_error *err)
{
    span part[PARTS];
    pq_parked *k;
    uint32_t n = 0;
    void *p;
    nrw_status st;

    if (w->parked)
        return NRW_OK;
    parts_of(w, part);
    for (int i = 0; i < PARTS; i++) {
        if (part[i].len > UINT32_MAX)
            return err_set(err, NRW_E_VALUE, "a value of %zu bytes is too long", part[i].len);
        n += !is_small(part[i].len);
    }
    TRY(mem_zalloc(w->m, parked_bytes(n), &p, err));
    k = p;
    k->s = s;
    k->n_blocks = n;
    k->table = w->dict.slots != NULL;
    st = write_parts(w, part, k, err);
    if (st < 0) {
        free_blocks(k);
        mem_free(w->m, k, parked_bytes(n));
        return st;
    }
    drop_state(w);
    w->parked = k;
    return NRW_OK;
}

/* ---- back ---- */

static nrw_status room_words(pq_column_writer *w, pq_words *a, size_t len, uint8_t **at,
                             nrw_error *err)
{
    /* behind what was in use, kernels may write */
    TRY(pq_words_room(w->m, a, len / sizeof(uint32_t) + 16, 0, err));
    *at = (uint8_t *)a->at;
    return NRW_OK;
}

static nrw_status room_bytes(pq_column_writer *w, bytes *b, size_t len, uint8_t **at,
                             nrw_error *err)
{
    *b = bytes_init(w->m, SIZE_MAX);
    TRY(bytes_reserve(b, len, err));
    b->len = len;
    *at = b->data;
    return NRW_OK;
}

static nrw_status room_buffer(pq_column_writer *w, buffer **b, size_t len, uint8_t **at,
                              nrw_error *err)
{
    TRY(buffer_new(w->m, len, b, err));
    (*b)->len = len;
    *at = (*b)->data;
    return NRW_OK;
}

static nrw_status room_at(pq_column_writer *w, size_t len, uint8_t **at, nrw_error *err)
{
    void *p;

    TRY(mem_alloc(w->m, len, &p, err));
    w->dict.at = p;
    w->dict.at_cap = len / sizeof(uint32_t);
    *at = p;
    return NRW_OK;
}

/* Memory for part i again; it counts as used, whatever stands in it. */
static nrw_status part_room(pq_column_writer *w, int i, size_t len, uint8_t **at, nrw_error *err)
{
    pq_draft *p = &w->page;

    switch (i) {
    case PART_BODY: return room_buffer(w, &p->body, len, at, err);
    case PART_PLAIN: return room_buffer(w, &w->dict.plain, len, at, err);
    case PART_AT: return room_at(w, len, at, err);
    case PART_VALID: return room_words(w, &p->valid, len, at, err);
    case PART_REP: return room_words(w, &p->rep, len, at, err);
    case PART_INDEX: return room_words(w, &p->index, len, at, err);
    case PART_RUNS: return room_words(w, &p->runs, len, at, err);
    case PART_LENS: return room_words(w, &p->lens, len, at, err);
    case PART_MIN: return room_bytes(w, &w->min, len, at, err);
    case PART_MAX: return room_bytes(w, &w->max, len, at, err);
    case PART_PAGE_MIN: return room_bytes(w, &p->min, len, at, err);
    default: return room_bytes(w, &p->max, len, at, err);
    }
}

static nrw_status read_small(pq_column_writer *w, const pq_parked *k, uint8_t *const *dst,
                             nrw_error *err)
{
    size_t bytes = small_bytes(k->len), from = 0;
    void *together;
    nrw_status st;

    if (!bytes)
        return NRW_OK;
    TRY(mem_alloc(w->m, bytes, &together, err));
    st = spill_read(k->s, &k->small, together, err);
    for (int i = 0; st == NRW_OK && i < PARTS; i++)
        if (k->len[i] && is_small(k->len[i])) {
            memcpy(dst[i], (uint8_t *)together + from, k->len[i]);
            from += k->len[i];
        }
    mem_free(w->m, together, bytes);
    return st;
}

static nrw_status read_parts(pq_column_writer *w, pq_parked *k, nrw_error *err)
{
    uint8_t *dst[PARTS] = {0};
    uint32_t n = 0;

    for (int i = 0; i < PARTS; i++) {
        if (!k->len[i])
            continue;
        TRY(part_room(w, i, k->len[i], &dst[i], err));
        if (!is_small(k->len[i]))
            TRY(spill_read(k->s, &k->block[n++], dst[i], err));
    }
    TRY(read_small(w, k, dst, err));
    return k->table ? pq_dict_rebuild(&w->dict, err) : NRW_OK;
}

nrw_status pq_column_unpark(pq_column_writer *w, nrw_error *err)
{
    nrw_status st;

    if (!w->parked)
        return NRW_OK;
    st = read_parts(w, w->parked, err);
    if (st < 0) {
        drop_state(w);
        return st;
    }
    pq_parked_release(w);
    return NRW_OK;
}

void pq_parked_release(pq_column_writer *w)
{
    if (!w->parked)
        return;
    free_blocks(w->parked);
    mem_free(w->m, w->parked, parked_bytes(w->parked->n_blocks));
    w->parked = NULL;
}

uint64_t pq_parked_memory(const pq_column_writer *w)
{
    return w->parked ? mem_cost(parked_bytes(w->parked->n_blocks)) : 0;
}
