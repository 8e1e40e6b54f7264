/* Values of a word at most are selected as words that order as they do: of few by dividing them
 * (Hoare 1961) where they lie, of many by counting what their upper bits are until few are left, so
 * that no copy of all of them is made. Others are copied and compared by type. */
#include "exec/agg_rank.h"

#include "base/hash.h"
#include "column/compare.h"
#include "exec/agg_extreme.h"

#include <math.h>

#define FEW        65536u /* values that are divided */
#define BLOCK      512u   /* values on their way */
#define DIGIT_BITS 11u
#define DIGITS     (1u << DIGIT_BITS)
#define SORTED     16u /* so few are put in order by insertion */

typedef __int128 i128;

/* ---- values on their way ---- */

i128 rank_whole(const uint8_t *p, uint32_t width)
{
    int32_t narrow;
    int64_t x;
    i128 wide;

    if (width <= 2)
        return width == 1 ? (int8_t)p[0] : (int16_t)(p[0] | p[1] << 8);
    if (width == 4) {
        memcpy(&narrow, p, 4);
        return narrow;
    }
    if (width == 8) {
        memcpy(&x, p, 8);
        return x;
    }
    memcpy(&wide, p, 16);
    return wide;
}

static void distance(const type *t, const uint8_t *p, const uint8_t *centre, uint8_t *out)
{
    if (t->id == TYPE_FLOAT64) {
        double x, y;
        memcpy(&x, p, 8);
        memcpy(&y, centre, 8);
        x = fabs(x - y);
        memcpy(out, &x, 8);
    } else if (t->id == TYPE_FLOAT32) {
        float x, y;
        memcpy(&x, p, 4);
        memcpy(&y, centre, 4);
        x = fabsf(x - y);
        memcpy(out, &x, 4);
    } else {
        i128 x = rank_whole(p, t->width) - rank_whole(centre, t->width);
        x = x < 0 ? -x : x;
        memcpy(out, &x, t->width);
    }
}

typedef struct value_walk {
    const gather_chunk *chunk;
    uint32_t at;
} value_walk;

/* Some values that lie behind each other; 0: there are no more. */
static uint32_t next_values(const ranking *r, value_walk *w, const uint8_t **values)
{
    uint32_t left;

    while (w->chunk && w->at == gather_len(r->s, w->chunk)) {
        w->chunk = w->chunk->next;
        w->at = 0;
    }
    if (!w->chunk)
        return 0;
    left = (gather_len(r->s, w->chunk) - w->at) / r->t->width;
    left = left < BLOCK ? left : BLOCK;
    *values = w->chunk->data + w->at;
    w->at += left * r->t->width;
    return left;
}

static uint32_t next_words(const ranking *r, value_walk *w, uint64_t *words)
{
    uint8_t far[BLOCK * sizeof(uint64_t)];
    const uint8_t *values;
    uint32_t n = next_values(r, w, &values);

    for (uint32_t i = 0; r->centre && i < n; i++)
        distance(r->t, values + (size_t)i * r->t->width, r->centre, far + (size_t)i * r->t->width);
    words_of(r->t, r->centre ? far : values, n, words);
    return n;
}

/* ---- words ---- */

static uint64_t *words_in(const ranking *r)
{
    return (uint64_t *)(void *)r->room;
}

/* Those below `pivot` come first; returns how far they reach. No branch to be guessed wrong. */
static uint64_t divide(uint64_t *words, uint64_t from, uint64_t to, uint64_t pivot)
{
    uint64_t less = from;

    for (uint64_t i = from; i < to; i++) {
        uint64_t x = words[i];
        words[i] = words[less];
        words[less] = x;
        less += x < pivot;
    }
    return less;
}

static uint64_t middle_of(uint64_t x, uint64_t y, uint64_t z)
{
    uint64_t low = x < y ? x : y, high = x < y ? y : x;

    return z < low ? low : z > high ? high : z;
}

static uint64_t pivot_of(const uint64_t *words, uint64_t from, uint64_t to)
{
    uint64_t n = to - from, h = hash_u64(to ^ from), third = n / 3;
    const uint64_t *x = words + from;

    return middle_of(x[h % third], x[third + (h >> 20) % third], x[2 * third + (h >> 40) % third]);
}

static void sort_words(uint64_t *words, uint64_t from, uint64_t to)
{
    for (uint64_t i = from + 1; i < to; i++) {
        uint64_t x = words[i], k = i;
        for (; k > from && words[k - 1] > x; k--)
            words[k] = words[k - 1];
        words[k] = x;
    }
}

static void select_word(uint64_t *words, uint64_t from, uint64_t to, uint64_t k)
{
    while (to - from > SORTED) {
        uint64_t pivot = pivot_of(words, from, to), less = divide(words, from, to, pivot);
        if (k < less) {
            to = less;
        } else if (less > from) {
            from = less;
        } else { /* the pivot is the least: those equal to it go first */
            uint64_t same = pivot == UINT64_MAX ? to : divide(words, from, to, pivot + 1);
            if (k < same)
                return;
            from = same;
        }
    }
    sort_words(words, from, to);
}

/* The next one behind those that are in order: the least. */
static void select_next(uint64_t *words, uint64_t from, uint64_t to)
{
    uint64_t best = from, x;

    for (uint64_t i = from + 1; i < to; i++)
        best = words[i] < words[best] ? i : best;
    x = words[best];
    words[best] = words[from];
    words[from] = x;
}

static uint64_t few_at(ranking *r, uint64_t k)
{
    uint64_t *words = words_in(r);

    if (r->from < r->to && k == r->to)
        select_next(words, k, r->n);
    else if (k >= r->to)
        select_word(words, r->to, r->n, k);
    else if (k < r->from)
        select_word(words, 0, r->from, k);
    r->from = k;
    r->to = k + 1;
    return words[k];
}

/* Counts of the digit below the upper `bits` of words that have these in common with `prefix`. */
static void count_digits(const ranking *r, uint64_t prefix, uint32_t bits, uint64_t *counts)
{
    value_walk w = {r->s->first, 0};
    uint64_t words[BLOCK];
    uint32_t n;

    memset(counts, 0, DIGITS * sizeof *counts);
    while ((n = next_words(r, &w, words)))
        for (uint32_t i = 0; i < n; i++) {
            uint64_t rest = bits ? words[i] << bits : words[i];
            if (bits == 0 || (words[i] ^ prefix) >> (64 - bits) == 0)
                counts[rest >> (64 - DIGIT_BITS)]++;
        }
}

/* Those that have the upper `bits` in common with `prefix`. */
static uint64_t collect(const ranking *r, uint64_t prefix, uint32_t bits, uint64_t *out)
{
    value_walk w = {r->s->first, 0};
    uint64_t words[BLOCK], to = 0;
    uint32_t n;

    while ((n = next_words(r, &w, words)))
        for (uint32_t i = 0; i < n; i++)
            if ((words[i] ^ prefix) >> (64 - bits) == 0)
                out[to++] = words[i];
    return to;
}

static uint64_t many_at(ranking *r, uint64_t k)
{
    uint64_t *words = words_in(r), *counts = words + FEW, prefix = 0, n = r->s->n;
    uint32_t bits = 0;

    while (n > FEW && bits < 64) {
        uint32_t digit = 0;
        count_digits(r, prefix, bits, counts);
        while (k >= counts[digit])
            k -= counts[digit++];
        n = counts[digit];
        prefix |= (uint64_t)digit << (64 - DIGIT_BITS) >> bits;
        bits = bits + DIGIT_BITS < 64 ? bits + DIGIT_BITS : 64;
    }
    if (n > FEW) /* all bits are known */
        return prefix;
    n = collect(r, prefix, bits, words);
    select_word(words, 0, n, k);
    return words[k];
}

/* ---- wide types ---- */

static void swap(uint8_t *x, uint8_t *y, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        uint8_t keep = x[i];
        x[i] = y[i];
        y[i] = keep;
    }
}

static int compare_wide(const type *t, const uint8_t *x, const uint8_t *y)
{
    int c = value_compare(t, (span){x, t->width}, (span){y, t->width});

    return c ? c : memcmp(x, y, t->width);
}

/* Moves values so that the one at k is what sorting would put there. */
static const uint8_t *wide_at(ranking *r, uint64_t k)
{
    uint32_t w = r->t->width;
    uint64_t from = 0, to = r->n;
    uint8_t *data = r->room, *pivot = data + r->n * w;

    while (to - from > 1) {
        uint64_t less = from, same = from, i = to;
        memcpy(pivot, data + (from + hash_u64(to ^ from) % (to - from)) * w, w);
        while (same < i) { /* [from, less) < pivot, [less, same) equal, [i, to) greater */
            uint8_t *x = data + same * w;
            int c = compare_wide(r->t, x, pivot);
            if (c < 0)
                swap(x, data + less++ * w, w);
            if (c <= 0)
                same++;
            else
                swap(x, data + --i * w, w);
        }
        if (k < less)
            to = less;
        else if (k >= same)
            from = same;
        else
            break;
    }
    return data + k * w;
}

static void copy_wide(ranking *r)
{
    value_walk w = {r->s->first, 0};
    const uint8_t *values;
    uint32_t n;

    while ((n = next_values(r, &w, &values))) {
        memcpy(r->room + r->n * r->t->width, values, (size_t)n * r->t->width);
        r->n += n;
    }
    for (uint64_t i = 0; r->centre && i < r->n; i++)
        distance(r->t, r->room + i * r->t->width, r->centre, r->room + i * r->t->width);
}

/* ---- the face ---- */

static nrw_status make_room(ranking *r, size_t bytes, nrw_error *err)
{
    void *p;

    if (bytes <= r->cap)
        return NRW_OK;
    rank_end(r);
    TRY(mem_alloc(r->m, bytes, &p, err));
    r->room = p;
    r->cap = bytes;
    return NRW_OK;
}

nrw_status rank_begin(ranking *r, const gather_state *s, const uint8_t *centre, nrw_error *err)
{
    value_walk w = {s->first, 0};
    uint64_t *words;
    uint32_t n;

    r->s = s;
    r->centre = centre;
    r->n = r->from = r->to = 0;
    if (!word_fits(r->t)) {
        TRY(make_room(r, (s->n + 1) * r->t->width, err));
        copy_wide(r);
        return NRW_OK;
    }
    if (s->n > FEW)
        return make_room(r, (FEW + DIGITS) * sizeof *words, err);
    TRY(make_room(r, s->n * sizeof *words, err));
    words = words_in(r);
    while ((n = next_words(r, &w, words + r->n)))
        r->n += n;
    return NRW_OK;
}

void rank_value(ranking *r, uint64_t k, uint8_t *out)
{
    if (!word_fits(r->t))
        memcpy(out, wide_at(r, k), r->t->width);
    else
        word_put(r->t, r->s->n > FEW ? many_at(r, k) : few_at(r, k), true, out);
}

void rank_end(ranking *r)
{
    mem_free(r->m, r->room, r->cap);
    r->room = NULL;
    r->cap = 0;
}
