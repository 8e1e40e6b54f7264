#include "exec/partition_own.h"

#include "base/hash.h"
#include "column/print.h"
#include "dataset/hive_name.h"

#include <math.h>

#define NAN_WORD UINT64_C(0x7ff8000000000000)

/* Words of this many rows are made at a time. */
enum { STEP = 1024, FIRST_GROUPS = 64 };

static bool is_wide(const vector *v)
{
    return type_is_view(&v->type) || v->type.width > 8;
}

static bool is_nan(const type *t, uint64_t word)
{
    double d;
    float f;
    uint32_t low = (uint32_t)word;

    switch (t->id) {
    case TYPE_FLOAT64: memcpy(&d, &word, sizeof d); return isnan(d);
    case TYPE_FLOAT32: memcpy(&f, &low, sizeof f); return isnan(f);
    case TYPE_FLOAT16: return (word & 0x7c00) == 0x7c00 && (word & 0x3ff);
    default: return false;
    }
}

/* Values as words, all NaN alike; those of more than eight bytes by their hash. Nulls are zero. */
static void make_words(const vector *v, uint32_t first, uint32_t n, uint64_t *out)
{
    uint32_t width = v->type.width;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = first + i;
        out[i] = 0;
        if (!vector_is_valid(v, row) || !width)
            continue;
        if (is_wide(v)) {
            span s = flat_span(v, row);
            out[i] = hash_bytes(s.data, s.len);
        } else if (width == 8) {
            out[i] = load_u64(v->data + 8 * (size_t)row);
        } else if (width == 4) {
            out[i] = load_u32(v->data + 4 * (size_t)row);
        } else {
            memcpy(&out[i], v->data + (size_t)row * width, width);
        }
    }
    if (v->type.id == TYPE_FLOAT64 || v->type.id == TYPE_FLOAT32 || v->type.id == TYPE_FLOAT16)
        for (uint32_t i = 0; i < n; i++)
            out[i] = is_nan(&v->type, out[i]) ? NAN_WORD : out[i];
}

/* ---- the table ---- */

static nrw_status grow_groups(key_groups *g, nrw_error *err)
{
    uint32_t cap = g->cap ? 2 * g->cap : FIRST_GROUPS;
    size_t row = g->n_keys * sizeof *g->words;
    void *at = g->at, *words = g->words;

    if (g->cap_words < cap) {
        TRY(mem_realloc(g->m, &words, g->cap_words * row, cap * row, err));
        g->words = words;
        g->cap_words = cap;
    }
    TRY(mem_realloc(g->m, &at, g->cap * sizeof *g->at, cap * sizeof *g->at, err));
    g->at = at;
    g->cap = cap;
    return NRW_OK;
}

static nrw_status grow_slots(key_groups *g, nrw_error *err)
{
    uint32_t n = g->n_slots ? 4 * g->n_slots : 4 * FIRST_GROUPS;
    void *p;

    TRY(mem_zalloc(g->m, n * sizeof *g->slots, &p, err));
    mem_free(g->m, g->slots, g->n_slots * sizeof *g->slots);
    g->slots = p;
    g->n_slots = n;
    for (uint32_t i = 0; i < g->n; i++) {
        uint32_t at = (uint32_t)g->at[i].hash & (n - 1);
        while (g->slots[at])
            at = (at + 1) & (n - 1);
        g->slots[at] = i + 1;
    }
    return NRW_OK;
}

/* What is looked for: a row of the words made last. */
typedef struct probe {
    const uint64_t *const *words;
    uint32_t at;  /* in the words */
    uint32_t row; /* of the keys */
    uint64_t hash, nulls;
} probe;

static bool same(const key_groups *g, uint32_t group, const probe *p)
{
    const key_group *k = &g->at[group];

    if (k->hash != p->hash || k->nulls != p->nulls)
        return false;
    for (uint32_t c = 0; c < g->n_keys; c++) {
        if (g->words[(size_t)group * g->n_keys + c] != p->words[c][p->at])
            return false;
        if (is_wide(&g->keys[c]) && !(p->nulls >> c & 1) &&
            span_compare(flat_span(&g->keys[c], k->first), flat_span(&g->keys[c], p->row)))
            return false;
    }
    return true;
}

static nrw_status add_group(key_groups *g, const probe *p, nrw_error *err)
{
    if (g->n == g->cap)
        TRY(grow_groups(g, err));
    g->at[g->n] = (key_group){.hash = p->hash, .nulls = p->nulls, .first = p->row};
    for (uint32_t c = 0; c < g->n_keys; c++)
        g->words[(size_t)g->n * g->n_keys + c] = p->words[c][p->at];
    g->n++;
    return NRW_OK;
}

static bool is_full(const key_groups *g)
{
    return g->n == g->most;
}

/* The group of a row, which is made; UINT32_MAX: there are as many as may be. */
static nrw_status find(key_groups *g, const probe *p, uint32_t *out, nrw_error *err)
{
    uint32_t at;

    if (2 * g->n >= g->n_slots)
        TRY(grow_slots(g, err));
    at = (uint32_t)p->hash & (g->n_slots - 1);
    for (; g->slots[at]; at = (at + 1) & (g->n_slots - 1))
        if (same(g, g->slots[at] - 1, p)) {
            *out = g->slots[at] - 1;
            return NRW_OK;
        }
    *out = UINT32_MAX;
    if (is_full(g))
        return NRW_OK;
    TRY(add_group(g, p, err));
    *out = g->n - 1;
    g->slots[at] = g->n;
    return NRW_OK;
}

static nrw_status group_step(key_groups *g, uint32_t first, uint32_t n,
                             const uint64_t *const *words, nrw_error *err)
{
    uint32_t last = UINT32_MAX;

    for (uint32_t i = 0; i < n; i++) {
        probe p = {.words = words, .at = i, .row = first + i};
        for (uint32_t c = 0; c < g->n_keys; c++) {
            bool null = !vector_is_valid(&g->keys[c], p.row);
            p.nulls |= (uint64_t)null << c;
            p.hash = hash_combine(p.hash, words[c][i] + null);
        }
        if (last == UINT32_MAX || !same(g, last, &p))
            TRY(find(g, &p, &last, err));
        if (last == UINT32_MAX)
            return NRW_OK;
        g->of_row[g->rows++] = (uint16_t)last;
    }
    return NRW_OK;
}

static nrw_status group_flat(key_groups *g, uint32_t first, uint32_t end, nrw_error *err)
{
    const uint64_t *words[PARTITION_MAX_KEYS];
    size_t bytes = (size_t)g->n_keys * STEP * sizeof(uint64_t);
    uint64_t *all = NULL;
    nrw_status st = NRW_OK;

    TRY(mem_alloc(g->m, bytes, (void **)&all, err));
    for (uint32_t row = first; st == NRW_OK && row < end && g->rows == row - first; row += STEP) {
        uint32_t n = end - row < STEP ? end - row : STEP;
        for (uint32_t c = 0; c < g->n_keys; c++) {
            words[c] = all + (size_t)c * STEP;
            make_words(&g->keys[c], row, n, all + (size_t)c * STEP);
        }
        st = group_step(g, row, n, words, err);
    }
    mem_free(g->m, all, bytes);
    return st;
}

/* ---- rows with codes ---- */

bool key_groups_coded(const vector *keys, uint32_t n_keys)
{
    for (uint32_t c = 0; c < n_keys; c++)
        if (keys[c].form != VECTOR_DICT || keys[c].data != keys[0].data ||
            keys[c].validity != keys[0].validity ||
            keys[c].dict->values.len != keys[0].dict->values.len)
            return false;
    return true;
}

/* The group of an entry, or of the rows that are null. */
static nrw_status group_of(key_groups *g, uint32_t entry, bool null, uint32_t *out, nrw_error *err)
{
    uint64_t word[PARTITION_MAX_KEYS];
    const uint64_t *words[PARTITION_MAX_KEYS];
    probe p = {.words = words, .row = entry};

    for (uint32_t c = 0; c < g->n_keys; c++) {
        words[c] = &word[c];
        word[c] = 0;
        if (!null)
            make_words(&g->keys[c], entry, 1, &word[c]);
        p.nulls |= (uint64_t)null << c;
        p.hash = hash_combine(p.hash, word[c] + null);
    }
    return find(g, &p, out, err);
}

static nrw_status group_codes(key_groups *g, uint32_t first, uint32_t end, uint32_t *of_code,
                              nrw_error *err)
{
    const vector *v = g->codes;
    const uint8_t *codes = v->data, *validity = v->validity;
    uint32_t nulls = g->keys[0].len, i;
    uint16_t *of_row = g->of_row;

    memset(of_code, 0xff, (nulls + 1) * sizeof *of_code);
    for (i = first; i < end; i++) {
        bool null = validity && !bit_get(validity, i);
        uint32_t code = null ? nulls : load_u32(codes + 4 * (size_t)i);
        if (of_code[code] == UINT32_MAX)
            TRY(group_of(g, null ? 0 : code, null, &of_code[code], err));
        if (of_code[code] == UINT32_MAX)
            break;
        of_row[i - first] = (uint16_t)of_code[code];
    }
    g->rows = i - first;
    return NRW_OK;
}

static nrw_status group_coded(key_groups *g, uint32_t first, uint32_t end, nrw_error *err)
{
    size_t bytes = ((size_t)g->keys[0].len + 1) * sizeof(uint32_t);
    nrw_status st;
    void *p;

    TRY(mem_alloc(g->m, bytes, &p, err));
    st = group_codes(g, first, end, p, err);
    mem_free(g->m, p, bytes);
    return st;
}

nrw_status key_groups_make(key_groups *g, uint32_t first, uint32_t end, nrw_error *err)
{
    void *p;

    if (g->cap_rows < end - first) {
        mem_free(g->m, g->of_row, g->cap_rows * sizeof *g->of_row);
        g->of_row = NULL;
        g->cap_rows = 0;
        TRY(mem_alloc(g->m, (end - first) * sizeof *g->of_row, &p, err));
        g->of_row = p;
        g->cap_rows = end - first;
    }
    g->n = g->rows = 0;
    if (g->n_slots)
        memset(g->slots, 0, g->n_slots * sizeof *g->slots);
    TRY(g->codes ? group_coded(g, first, end, err) : group_flat(g, first, end, err));
    for (uint32_t i = 0; i < g->rows; i++)
        g->at[g->of_row[i]].rows++;
    return NRW_OK;
}

void key_groups_release(key_groups *g)
{
    mem_free(g->m, g->at, g->cap * sizeof *g->at);
    mem_free(g->m, g->words, (size_t)g->cap_words * g->n_keys * sizeof *g->words);
    mem_free(g->m, g->slots, g->n_slots * sizeof *g->slots);
    mem_free(g->m, g->of_row, g->cap_rows * sizeof *g->of_row);
    *g = (key_groups){.m = g->m};
}

/* ---- a group's key ---- */

nrw_status key_groups_bytes(const key_groups *g, uint32_t group, bytes *out, nrw_error *err)
{
    const key_group *k = &g->at[group];

    TRY(bytes_append(out, &k->nulls, sizeof k->nulls, err));
    for (uint32_t c = 0; c < g->n_keys; c++) {
        bool null = k->nulls >> c & 1;
        span s = is_wide(&g->keys[c]) && !null ? flat_span(&g->keys[c], k->first) : (span){0};
        uint64_t word = s.data ? s.len : g->words[(size_t)group * g->n_keys + c];
        TRY(bytes_append(out, &word, sizeof word, err));
        if (s.len)
            TRY(bytes_append(out, s.data, s.len, err));
    }
    return NRW_OK;
}

nrw_status key_groups_folder(const key_groups *g, uint32_t group, const field *fields, bytes *out,
                             nrw_error *err)
{
    const key_group *k = &g->at[group];
    bytes text = bytes_init(g->m, UINT32_MAX);
    nrw_status st = NRW_OK;

    for (uint32_t c = 0; st == NRW_OK && c < g->n_keys; c++) {
        bool null = k->nulls >> c & 1 || g->keys[c].type.id == TYPE_NULL;
        bytes_clear(&text);
        if (!null)
            st = print_value(&g->keys[c].type, flat_span(&g->keys[c], k->first), &text, err);
        span value = {text.data, text.len};
        if (st == NRW_OK && c)
            st = bytes_append(out, "/", 1, err);
        if (st == NRW_OK)
            st = hive_name_append(out, fields[c].name, null ? NULL : &value, err);
    }
    bytes_release(&text);
    return st;
}
